"""What an audit takes for granted, and what its verdict cannot say, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.audit.record.state import AuditState
from auditor.base.seeds import Seeds
from auditor.job.model import Job
from auditor.report.coins import coin_limits
from auditor.report.false_alarm_text import any_sentence, rate_sentence


def assumptions(job: Job) -> list[str]:
    """What the verdicts of this job rest on."""
    seeds = (
        "All providers got the same training seeds. Honest results then differ by numerical noise only."
        if job.audit.seeds is Seeds.SHARED
        else "Each provider had other training seeds. Honest results then differ, too."
    )
    return [
        f"At least {job.benign} of the {job.participants} providers that execute a replicated sub-run are benign.",
        seeds,
        f"The job asked for {rate_sentence(job)}.",
        f"{any_sentence(job)}.",
        "The primary committed to each checkpoint before the client drew whether to check the sub-run behind it."
        if job.audit.fixed_selection is None
        else "The job file fixed which sub-runs were checked. Providers may have known them.",
    ]


def limits(job: Job, state: AuditState, checked: Sequence[Mapping[str, Any]]) -> list[str]:
    """What nobody may read out of this report.

    Args:
        job: of the run.
        state: of the run.
        checked: its replicated sub-runs, as `document` has them.
    """
    said = [
        'The verdict "consistent" means that no deviation was found at the stated rate. No audit can show that a '
        "provider is honest.",
        "The report of each update tells which of its sub-runs were replicated. The others were not checked."
        if state.updates
        else f"{len(checked)} of {job.sub_runs:,} sub-runs were replicated. The others were not checked.",
        "This report is about checkpoints. What a provider answers behind an API of its own can be another function, "
        "which no audit of checkpoints covers.",
        "Colluding providers that are as many as the assumed benign ones can make an honest provider look deviant.",
        "The client wrote this report. A reader who does not trust the client should compare the digests below with "
        "those that the providers kept.",
    ]
    said += coin_limits(job, state)
    if blind := [str(sub_run["sub_run"]) for sub_run in checked if sub_run["finding"] == "nothing"]:
        said.append(f"These replicated sub-runs say nothing: {', '.join(blind)}. A deviation there could not be seen.")
    if job.audit.seeds is Seeds.OWN:
        said += [
            "With seeds of the providers' own, a single sub-run shows gross deviations only.",
            "Other data, another learning rate or other hardware can look like an attack where each provider draws "
            "its own seeds.",
        ]
    else:
        said.append("A deviation smaller than the numerical noise that was allowed for is not seen.")
    if any(provider.attack is not None for provider in job.providers):
        said.append("This job simulated an adversary. The verdicts did not use that knowledge.")
    if state.finished is None:
        said.append("The run has not ended. Everything above may change.")
    return said
