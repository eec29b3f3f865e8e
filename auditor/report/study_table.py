"""The results of a study as a table: how long the backdoor of each setting survived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.table import Table
from rich.text import Text

from auditor.experiments.evolving.findings import Finding
from auditor.experiments.evolving.labels import quantity_text
from auditor.experiments.evolving.survival import Survival
from auditor.experiments.evolving.varied import varied

MEASURED = ("success when poisoned", "last success", "last accuracy", "without updates")


def study_rows(findings: Sequence[Finding]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The headings and the rows: what differs among settings, γ-survivability, and per cents."""
    names = varied([finding.setting for finding in findings])
    gammas = [survival.gamma for survival in next((one.survivals for one in findings if one.survivals), ())]
    headings = (*names, *(f"survives γ = {gamma:g}" for gamma in gammas), *MEASURED)
    return headings, [_row(finding, names, len(gammas)) for finding in findings]


def study_table(findings: Sequence[Finding]) -> Table:
    """The table, and below it how its intervals are made."""
    headings, rows = study_rows(findings)
    instances = len(findings[0].chains)
    caption = (
        f"γ-survivability: updates after the last poisoned one, mean of {instances} instances with the 95 % interval "
        "of Student's t; success and accuracy in per cent"
    )
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", caption=Text(caption), caption_justify="left")
    for index, heading in enumerate(headings):
        justify: Literal["left", "right"] = "left" if index < len(headings) - len(MEASURED) else "right"
        table.add_column(heading, justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def survival_text(survival: Survival) -> str:
    """The mean with its interval, such as `4.3 (1.5–7.2)`; `≥` where some outlived what was measured."""
    low, high = survival.interval()
    sign = "≥ " if survival.censored else ""
    return f"{sign}{survival.mean:.1f} ({low:.1f}–{high:.1f})"


def _row(finding: Finding, names: Sequence[str], gammas: int) -> tuple[str, ...]:
    quantities = finding.setting.quantities()
    last = finding.setting.last
    survivals = [survival_text(survival) for survival in finding.survivals] or ["–"] * gammas
    success = (finding.success[last], finding.success[-1]) if finding.success else (None, None)
    figures = (*success, finding.accuracy[-1], finding.unchanged[-1])
    return (
        *(quantity_text(quantities.get(name)) for name in names),
        *survivals,
        *("–" if value is None else f"{100 * value:.1f}" for value in figures),
    )
