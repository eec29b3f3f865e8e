"""The verdict of each provider, as far as it is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from auditor.tui.shown import padded, shown
from auditor.tui.signs import signs
from auditor.tui.widgets.lines import Lines


class VerdictList(Lines):
    """A line for each provider, and beneath it why."""

    HELP = """The verdict of each provider. While the audit goes on it is what the evidence so far says, and it may \
change; `consistent` never means that a provider is proven honest, only that what was checked agrees."""

    def show(self, verdicts: Sequence[Mapping[str, Any]], *, final: bool) -> None:
        """Show verdicts, each with the keys of the `verdict` event's providers."""
        from auditor.report.figures import p_text, ratio_text

        if not verdicts:
            self.write([Text("No verdicts yet: no sub-run was judged.")])
            return
        lines = [] if final else [Text("So far:", style="dim")]
        width = min(16, max(len(str(one["name"])) for one in verdicts))
        for one in verdicts:
            verdict = str(one["verdict"])
            lines.append(
                Text.assemble(
                    (f"{signs().verdicts[verdict]} ", f"verdict.{verdict}"),
                    (padded(str(one["name"]), width), "bold"),
                    (f" {verdict:<12}", f"verdict.{verdict}"),
                    f" p {p_text(one['p_value'])}  ratio {ratio_text(one['ratio'])}  checked {one['sub_runs_checked']}",
                )
            )
            lines += [shown(f"    {reason}", 300, "dim") for reason in tuple(one["reasons"])[:1]]
        self.write(lines)
