"""The theory beside the measurement as one self-contained HTML page, and as a table."""

from __future__ import annotations

import html
from pathlib import Path

from rich.table import Table
from rich.text import Text

from auditor.experiments.convex.specification import TheoryStudy
from auditor.experiments.convex.study import TheoryFindings
from auditor.report.result_page import html_table, write_figures, write_result_page
from auditor.report.theory_plot import theory_plot


def theory_rows_text(findings: TheoryFindings) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The headings and the rows of the table: each poisoning, measured beside its bounds."""
    returns = findings.poisonings[0].returns
    headings = ("μ", "ε", "distance", "bound", "accuracy", "success", *(f"steps, {back.rate:g}/L" for back in returns))
    rows = [
        (
            f"{one.convexity:g}",
            f"{one.ratio:g}",
            f"{one.distance:.3g}",
            f"{one.bound:.3g}",
            f"{100 * one.accuracy:.1f}",
            f"{100 * one.success:.1f}",
            *(f"{'–' if back.steps is None else f'{back.steps:,}'} ≤ {back.bound:,}" for back in one.returns),
        )
        for one in findings.poisonings
    ]
    return headings, rows


def theory_table(findings: TheoryFindings) -> Table:
    """The table for a terminal."""
    headings, rows = theory_rows_text(findings)
    caption = Text("accuracy and success in per cent; steps of gradient descent on benign data ≤ their bound")
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", caption=caption, caption_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def write_theory_page(study: TheoryStudy, findings: TheoryFindings, path: Path, when: str) -> Path:
    """Write the page; returns its path.

    Args:
        study: what was computed.
        findings: what came out.
        path: where to.
        when: the time, for the reader.
    """
    about = (
        f"Multinomial logistic regression with the penalty (μ/2)·‖W‖² on {study.samples:,} digits; poisoned samples "
        f"are the same digits with a white patch, labelled {study.target}. Near is {100 * study.near:g} % of ‖w_b‖. "
        f"Stochastic gradient descent: mean of {study.repetitions} repetitions. Study seed {study.seed}. {when}."
    )
    parts = [
        f"<p>{html.escape(about)}</p>",
        *write_figures(path.parent / "figures", {"theory": theory_plot(findings)}),
        html_table(*theory_rows_text(findings)),
    ]
    return write_result_page(path, study.name, parts)
