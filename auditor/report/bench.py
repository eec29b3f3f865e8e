"""The results of a benchmark as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from auditor.base.seeds import Seeds
from auditor.experiments.findings import Result
from auditor.experiments.rates import Rate

HEADINGS = ("seeds", "k", "n", "malicious", "m", "metrics", "decision", "caught", "false alarms", "AUC", "extra steps")
FIGURES = HEADINGS.index("caught")
"""The first column of results; the columns before it are settings."""


def summary_rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """One row a setting, in the order of `HEADINGS`."""
    return [
        (
            "client's" if result.setting.seeds is Seeds.SHARED else "own",
            str(result.setting.sub_run_steps),
            result.setting.size,
            str(result.setting.malicious),
            str(result.setting.replicated),
            result.setting.metric_names,
            result.setting.decision,
            rate_text(result.tally.detections),
            rate_text(result.tally.alarms),
            "–" if result.tally.separation is None else f"{result.tally.separation:.3f}",
            f"{result.setting.extra_steps:,}",
        )
        for result in results
    ]


def summary_table(results: Sequence[Result]) -> Table:
    """The table: the rates of detection and of false alarms, in per cent with exact 95 % intervals.

    A setting that is the same in every row is given once, under the table.
    """
    rows = summary_rows(results)
    alike = [index for index in range(FIGURES) if len(rows) > 1 and len({row[index] for row in rows}) == 1]
    common = ", ".join(f"{HEADINGS[index]} {rows[0][index]}" for index in alike)
    rates = sorted({result.setting.false_alarm_rate for result in results})
    asked = "requested false positive rate: at most " + " or ".join(f"{100 * rate:g} %" for rate in rates)
    caption = Text(f"{common}; {asked}" if common else asked)
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", caption=caption, caption_justify="left")
    for index, heading in enumerate(HEADINGS):
        if index not in alike:
            table.add_column(heading, justify="left" if heading in ("seeds", "metrics", "decision") else "right")
    for row in rows:
        table.add_row(*(Text(cell) for index, cell in enumerate(row) if index not in alike))
    return table


def attack_rows(results: Sequence[Result]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The headings and rows of a table of how often each attack was caught in each setting."""
    kinds = sorted({kind for result in results for kind in result.tally.caught})
    rows = [
        (
            f"{result.setting.seeds}, k = {result.setting.sub_run_steps}, n = {result.setting.size}, "
            f"m = {result.setting.replicated}, {result.setting.metric_names}, {result.setting.decision}",
            *(rate_text(result.tally.caught[kind]) if kind in result.tally.caught else "–" for kind in kinds),
        )
        for result in results
    ]
    return ("setting", *kinds), rows


def rate_text(rate: Rate) -> str:
    """A rate in per cent with its interval, such as `99.6 (97.8–99.9)`."""
    if rate.value is None:
        return "–"
    return f"{_percent(rate.value)} ({'–'.join(map(_percent, rate.interval()))})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}" if 0.0005 <= value < 0.9995 else f"{100 * value:.0f}"
