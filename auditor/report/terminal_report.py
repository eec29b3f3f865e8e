"""A run as text for people: the outcome, a table of verdicts, the histogram and the cost."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from auditor.audit.record.state import AuditState
from auditor.audit.record.update_events import UpdateFinished
from auditor.job.model import Job
from auditor.planning.choice import assumptions_of
from auditor.report.coins import coin_lines
from auditor.report.false_alarm_text import any_sentence, rate_sentence
from auditor.report.histogram import histogram_lines, marks_for, picture_of
from auditor.report.number_text import p_text, percent_text, ratio_text
from auditor.report.summary import cost_sentence, delivery_lines, outcome_sentence, sub_run_rows
from auditor.report.survival_chart import survival_lines, survival_marks_for
from auditor.report.update_text import success_text
from auditor.report.verdict_signs import SIGNS

STYLES = {"consistent": "green", "flagged": "bold red", "inconclusive": "yellow", "unreachable": "magenta"}
OUTCOME_STYLES = {"clean": "bold green", "flagged": "bold red", "inconclusive": "bold yellow"}

SURVIVAL_HEIGHT = 18
"""Lines of the picture of an evolving job."""

PICTURE_STYLES = Theme(
    {f"verdict.{verdict}": style for verdict, style in STYLES.items()} | {"distance.reference": "cyan"}
)


def print_report(console: Console, state: AuditState, job: Job | None, *, evidence: bool = False) -> None:
    """Print how a run ended: the outcome, the verdicts, the distances, the delivered model and the cost.

    Args:
        console: where.
        state: of a run that ended.
        job: that was audited; without it there is no picture of the distances.
        evidence: also print the figures of every replicated sub-run.

    Raises:
        ValueError: the run has not ended.
    """
    finished = state.finished
    if finished is None:
        raise ValueError("the run has not ended")
    console.print(Text(outcome_sentence(finished), style=OUTCOME_STYLES[finished.outcome]))
    console.print(_verdict_table(state))
    if state.updates:
        console.print()
        console.print(update_table(state))
        print_survival(console, state, job)
        if job is not None:
            console.print(Text(f"The job asked for {rate_sentence(job)}. {any_sentence(job)}."))
        console.print(f"Show an update with: auditor show {run_of_update(state)}", highlight=False)
    if evidence and not state.updates:
        console.print()
        console.print(evidence_report(state))
    print_picture(console, state, job)
    console.print()
    # Lines with paths are left to the terminal to wrap, so that they can be copied.
    for line in (*coin_lines(state), *delivery_lines(state), f"Cost: {cost_sentence(finished.cost)}"):
        console.print(Text(line), soft_wrap=True)


def print_picture(console: Console, state: AuditState, job: Job | None) -> None:
    """Print the distances with the strongest evidence; nothing where none were measured, or the job is not known."""
    drawn = None if job is None else picture_of(state, assumptions_of(job))
    if drawn is None:
        return
    console.print()
    with console.use_theme(PICTURE_STYLES):
        for line in histogram_lines(drawn, min(console.width, 110), marks=marks_for(console.encoding)):
            console.print(line)


def update_table(state: AuditState) -> Table:
    """The updates of an evolving job, one a row: its outcome, whom it flagged, and what its model can do."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("update", "drift", "outcome", "accuracy", "without updates", "attack success"):
        table.add_column(heading, overflow="fold")
    for number, update in sorted(state.updates.items()):
        ended, measured = update.finished, update.measured
        words = "under way" if ended is None else f"{ended.outcome}{_flagged(ended)}"
        table.add_row(
            str(number),
            Text(update.started.drift or "–"),
            Text(words, style="" if ended is None else OUTCOME_STYLES[ended.outcome]),
            _share(None if measured is None else measured.accuracy),
            _share(None if measured is None or number == 0 else measured.unchanged),
            Text("; ".join(map(success_text, measured.attacks)) if measured else ""),
        )
    return table


def _flagged(ended: UpdateFinished) -> str:
    names = [verdict.name for verdict in ended.providers if verdict.verdict == "flagged"]
    return f" ({', '.join(names)})" if names else ""


def run_of_update(state: AuditState) -> str:
    """The run of an update as an example: one that was flagged, or the last."""
    flagged = [one for one in state.updates.values() if one.finished is not None and one.finished.outcome == "flagged"]
    shown = (flagged or list(state.updates.values()))[-1]
    return shown.started.run


def _share(value: float | None) -> str:
    return "–" if value is None else percent_text(value)


def print_survival(console: Console, state: AuditState, job: Job | None) -> None:
    """Print accuracy and the success of attacks over the updates of an evolving job."""
    if job is None or job.evolution is None or not any(known.measured for known in state.updates.values()):
        return
    marks = survival_marks_for(console.encoding)
    console.print()
    with console.use_theme(PICTURE_STYLES):
        width = min(console.width, 110)
        for line in survival_lines(state, job.evolution, width, SURVIVAL_HEIGHT, marks=marks):
            console.print(line)
    console.print()


def evidence_report(state: AuditState) -> RenderableType:
    """Every replicated sub-run of every provider with its figures."""
    table = Table(box=None, padding=(0, 2, 0, 0), title="Evidence", title_justify="left", title_style="bold")
    for heading in ("provider", "sub-run", "ratio to the reference and p-value under each metric"):
        table.add_column(heading, overflow="fold")
    for name in state.providers:
        for index, words in sub_run_rows(state, name):
            table.add_row(Text(name), Text(str(index)), Text(words))
    return table


def _verdict_table(state: AuditState) -> Table:
    assert state.finished is not None
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("provider", overflow="fold")
    table.add_column("verdict")
    for heading in ("p-value", "ratio", "checked"):
        table.add_column(heading, justify="right")
    table.add_column("reasons", overflow="fold", ratio=1)
    primary = state.started.primary if state.started else ""
    for judged in state.finished.providers:
        name, verdict = judged.name, judged.verdict
        table.add_row(
            Text(name + (" (primary)" if name == primary else "")),
            Text(f"{SIGNS[verdict]} {verdict}", style=STYLES[verdict]),
            p_text(judged.p_value),
            ratio_text(judged.ratio),
            str(judged.sub_runs_checked),
            Text("; ".join(judged.reasons)),
        )
    return table
