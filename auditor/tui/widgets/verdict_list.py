"""The verdict of each provider, as far as it is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.text import Text

from auditor.audit.record.findings import ProviderVerdict
from auditor.tui.safe_text import padded, safe_text
from auditor.tui.signs import signs
from auditor.tui.widgets.lines import Lines

MOST = 30
"""So many of the latest sub-runs have their ratio drawn."""
HIGHEST = 100.0
"""Ratios from here on have the highest bar."""


def ratio_line(ratios: Sequence[float]) -> str:
    """A bar for each ratio, on a logarithmic scale from 1 to `HIGHEST`, the same for all providers."""
    levels = signs().levels
    shares = (math.log(min(max(ratio, 1.0), HIGHEST)) / math.log(HIGHEST) for ratio in ratios)
    return "".join(levels[round(share * (len(levels) - 1))] for share in shares)


class VerdictList(Lines):
    """A line for each provider, and beneath it why."""

    HELP = """The verdict on each provider. While the audit goes on, it reflects the evidence so far and may change. \
`consistent` never proves that a provider is honest, only that what was checked agrees. The bars are the \
ratios in the sub-runs that were judged, from left to right: the lowest is a ratio of 1 or less, the highest 100 or \
more."""

    def __init__(self) -> None:
        super().__init__()
        self._latest: tuple[Sequence[ProviderVerdict], bool] | None = None
        self._only: str | None = None
        self._ratios: Mapping[str, Sequence[float]] = {}

    def filter(self, provider: str | None) -> None:
        """Show the verdict on one provider alone; None shows all."""
        self._only = provider
        if self._latest is not None:
            verdicts, final = self._latest
            self.show(verdicts, final=final)

    def wait(self) -> None:
        """Say that the first verdicts are worked out: at first the statistics take seconds to load."""
        if self._latest is None or not self._latest[0]:
            self.write([Text("Working out the verdicts so far…")])

    def show(
        self, verdicts: Sequence[ProviderVerdict], *, final: bool, ratios: Mapping[str, Sequence[float]] | None = None
    ) -> None:
        """Show verdicts.

        Args:
            verdicts: of all providers.
            final: once the audit has ended.
            ratios: of each provider in the sub-runs that were judged; None leaves those that are known.
        """
        self._ratios = self._ratios if ratios is None else ratios
        from auditor.report.number_text import p_text, ratio_text

        self._latest = (verdicts, final)
        verdicts = [verdict for verdict in verdicts if self._only in (None, verdict.name)]
        if not verdicts:
            self.write([Text("No verdicts yet. No sub-run has been judged.")])
            return
        lines = [] if final else [Text("So far:", style="dim")]
        width = min(16, max(len(verdict.name) for verdict in verdicts))
        for judged in verdicts:
            verdict = judged.verdict
            lines.append(
                Text.assemble(
                    (f"{signs().verdicts[verdict]} ", f"verdict.{verdict}"),
                    (padded(judged.name, width), "bold"),
                    (f" {verdict:<12}", f"verdict.{verdict}"),
                    f" p {p_text(judged.p_value)}  ratio {ratio_text(judged.ratio)}  checked {judged.sub_runs_checked}",
                )
            )
            lines += [safe_text(f"    {reason}", 300, "dim") for reason in judged.reasons[:1]]
            if own := self._ratios.get(judged.name):
                bars = (ratio_line(own[-MOST:]), f"verdict.{verdict}")
                lines.append(Text.assemble("    ratios ", bars, f" to {ratio_text(max(own))}"))
        self.write(lines)
