"""The results of a study as one self-contained HTML page: figures, the table, and where they come from."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from auditor.experiments.evolving.findings import Finding
from auditor.experiments.evolving.specification import Study
from auditor.job.evolution import SHARE
from auditor.report.result_page import html_table, write_figures, write_result_page
from auditor.report.study_plots import study_figures
from auditor.report.study_table import study_rows


def write_study_page(study: Study, findings: Sequence[Finding], path: Path, when: str) -> Path:
    """Write the page; returns its path.

    Args:
        study: what was measured.
        findings: of every setting.
        path: where to.
        when: the time, for the reader.
    """
    sources = [
        (str(number), str(instance), chain.start, chain.folder)
        for number, finding in enumerate(findings, 1)
        for instance, chain in enumerate(finding.chains, 1)
    ]
    headings, rows = study_rows(findings)
    parts = [
        f"<p>{html.escape(_about(study, when))}</p>",
        "<h2>Over the updates</h2>",
        "<p>Solid: attack success on held-out samples that have drifted as the update's data, the mean over instances, "
        "with the range of the instances shaded. Dashed: accuracy. Dotted: accuracy of the first model, which is never "
        "updated. A cross marks a poisoned update. The grey line is γ.</p>",
        *write_figures(path.parent / "figures", study_figures(findings)),
        "<h2>γ-survivability</h2>",
        f"<p>The updates in a row after the last poisoned one with an attack success over γ, {study.horizon} at most; "
        "0 where the backdoor was not in the model when the poisoning stopped. Means over instances with 95 % "
        "intervals of Student's t, kept within what is possible. An interval without width says that the instances "
        "agree. ≥ says that some backdoors outlived the updates that were measured.</p>",
        html_table(("setting", *headings), [(str(number), *row) for number, row in enumerate(rows, 1)]),
        "<h2>Where the figures come from</h2>",
        "<p>Beside this page's folder: the first model of each instance, and in its folder what the model of each "
        "update can do.</p>",
        html_table(("setting", "instance", "first model", "folder"), sources),
    ]
    return write_result_page(path, study.name, parts)


def _about(study: Study, when: str) -> str:
    evolution, training = study.evolution, study.training
    share = evolution.share or SHARE
    return (
        f"{study.task.title}; {training.steps:,} steps of the first training, then {evolution.updates} updates on "
        f"equal parts of {100 * share:g} % of the training samples; {study.instances} instances of each "
        f"setting; study seed {study.seed}. {when}."
    )
