"""The results of a benchmark as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from auditor.base.seeds import Seeds
from auditor.experiments.engine import Result
from auditor.experiments.rates import Rate

HEADINGS = ("seeds", "k", "n", "bad", "m", "metrics", "decision", "caught", "false alarms", "AUC", "extra steps")
FIGURES = HEADINGS.index("caught")
"""From this column on it is what came out, before it what was set."""


def summary_rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """One row a setting, in the order of `HEADINGS`."""
    return [
        (
            "client's" if one.setting.seeds is Seeds.SHARED else "own",
            str(one.setting.sub_run_steps),
            one.setting.size,
            str(one.setting.malicious),
            str(one.setting.replicated),
            one.setting.metric_names,
            one.setting.decision,
            rate_text(one.tally.detections),
            rate_text(one.tally.alarms),
            "–" if one.tally.separation is None else f"{one.tally.separation:.3f}",
            f"{one.setting.extra_steps:,}",
        )
        for one in results
    ]


def summary_table(results: Sequence[Result]) -> Table:
    """The table: what was caught and who was accused wrongly, in per cent with exact 95 % intervals.

    What is set alike everywhere is said once, under the table.
    """
    rows = summary_rows(results)
    alike = [index for index in range(FIGURES) if len(rows) > 1 and len({row[index] for row in rows}) == 1]
    said = ", ".join(f"{HEADINGS[index]} {rows[0][index]}" for index in alike)
    rate = sorted({one.setting.false_alarm_rate for one in results})
    asked = "false alarms asked for: at most " + " or ".join(f"{100 * one:g} %" for one in rate)
    caption = Text(f"{said}; {asked}" if said else asked)
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", caption=caption, caption_justify="left")
    for index, heading in enumerate(HEADINGS):
        if index not in alike:
            table.add_column(heading, justify="left" if heading in ("seeds", "metrics", "decision") else "right")
    for row in rows:
        table.add_row(*(Text(cell) for index, cell in enumerate(row) if index not in alike))
    return table


def attack_rows(results: Sequence[Result]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The headings and rows of a table that tells for each setting how often each attack was caught."""
    kinds = sorted({kind for one in results for kind in one.tally.caught})
    rows = [
        (
            f"{one.setting.seeds}, k = {one.setting.sub_run_steps}, n = {one.setting.size}, "
            f"m = {one.setting.replicated}, {one.setting.metric_names}, {one.setting.decision}",
            *(rate_text(one.tally.caught[kind]) if kind in one.tally.caught else "–" for kind in kinds),
        )
        for one in results
    ]
    return ("setting", *kinds), rows


def rate_text(rate: Rate) -> str:
    """A rate in per cent with its interval, such as `99.6 (97.8–99.9)`."""
    if rate.value is None:
        return "–"
    return f"{_percent(rate.value)} ({'–'.join(map(_percent, rate.interval()))})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}" if 0.0005 <= value < 0.9995 else f"{100 * value:.0f}"
