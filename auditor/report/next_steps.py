"""What to do after a verdict, each step with the command or the key for it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from auditor.audit.record.state import AuditState
from auditor.job.model import Job


@dataclass(frozen=True)
class Step:
    """One thing to do.

    Attributes:
        title: in a word or two.
        words: what it is good for.
        command: that does it without the interface; empty if there is none.
        action: of the verdict screen that does it; empty if there is none.
    """

    title: str
    words: str
    command: str = ""
    action: str = ""


def next_steps(run: str, job: Job, state: AuditState) -> list[Step]:
    """What to do now that a run has ended, the most urgent first; nothing before that."""
    finished = state.finished
    if finished is None:
        return []
    name = shlex.quote(run)
    hand_over = Step(
        "Pass it on", "the report has all evidence and its limits",
        f"auditor report {name} --format markdown --output {shlex.quote(run + '.md')}", "save",
    )  # fmt: skip
    use = Step("Use the model", "copy the path of its checkpoint", action="copy_path")
    match finished.outcome:
        case "clean":
            return [use, hand_over] if state.delivered is not None else [hand_over]
        case "flagged":
            return [*_roll_back(job, state), *train_on(run, job, state), hand_over, *_against_a_provider(name)]
        case _:
            return [
                Step("Decide nothing yet", "replicate more sub-runs, or add providers, and audit again"),
                hand_over,
                Step("Look closer", "every figure of every sub-run", f"auditor show {name}"),
            ]


def _roll_back(job: Job, state: AuditState) -> list[Step]:
    """What becomes of the model if the primary is flagged."""
    primary = job.primary.name
    flagged = state.finished is not None and any(
        verdict.name == primary and verdict.verdict == "flagged" for verdict in state.finished.providers
    )
    if not flagged:
        words = "the primary is not flagged; only replicas are, so the model itself stays as it is"
        return [Step("Keep the model", words, action="copy_path")] if state.delivered is not None else []
    first = min(
        (
            index
            for index, sub_run in state.sub_runs.items()
            for one in sub_run.judgements or ()
            if one.provider == primary and one.deviates
        ),
        default=None,
    )
    where = ""
    if first is not None and (boundary := state.boundaries.get(first)) is not None:
        where = f"; the first sub-run seen to deviate is {first}, and it began at step {boundary.step:,}"
    return [Step("Roll back", f"do not use the model{where}. Deviations before that may have gone unchecked")]


def train_on(run: str, job: Job, state: AuditState) -> list[Step]:
    """How another provider trains on if the primary is flagged; nothing where none could."""
    verdicts = {} if state.finished is None else {one.name: one.verdict for one in state.finished.providers}
    left = [provider.name for provider in job.others if verdicts.get(provider.name) not in ("flagged", "unreachable")]
    if verdicts.get(job.primary.name) != "flagged" or len(left) < 2 or state.updates:
        return []
    return [
        Step("Train on", "another provider goes on from the last verified checkpoint",
             f"auditor resume {shlex.quote(run)} --primary {shlex.quote(left[0])}"),
    ]  # fmt: skip


def _against_a_provider(name: str) -> list[Step]:
    return [
        Step("Dispute", "digests let the provider and a third party check the same checkpoints",
             f"auditor report {name} --format json", "commitments"),
        Step("Write to the provider", "the report as text, for a letter", f"auditor report {name}", "copy"),
    ]  # fmt: skip
