"""What to do about a model that one does not trust: train it again from what was verified, or fine-tune it, or both.

A cure is one or two jobs, each audited like any other, without the providers that were flagged. Fine-tuning under
slanted triangular rates makes backdoors fade fastest (On the Permanence of Backdoors in Evolving Models, §6).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from auditor.audit.record.state import AuditState
from auditor.base.randomness import key
from auditor.job.errors import JobError, Problem
from auditor.job.impossibilities import impossibilities
from auditor.job.model import Job
from auditor.job.training import SGD, Triangular

Way = Literal["rollback", "finetune", "both"]
WAYS: tuple[Way, ...] = ("rollback", "finetune", "both")

RATE = 0.5
"""The highest rate of fine-tuning by stochastic gradient descent, as of slanted triangular rates in the paper (§4)."""
RATE_FACTOR = 5.0
"""With another optimizer, the highest rate as a multiple of the job's."""
SHARE = 0.5
"""The steps of fine-tuning as a share of the training's."""
LEAST_STEPS = 200
"""Fewer steps of fine-tuning were not measured; an update of an evolving job may have very few."""


@dataclass(frozen=True)
class Patient:
    """What is cured.

    Attributes:
        job: that trained it.
        state: of the audit of its training; None for a model whose training nobody audited.
        model: the checkpoint that was delivered; None where none was.
        checkpoints: the folder with the checkpoints that the client opened; None without an audit.
    """

    job: Job
    state: AuditState | None
    model: Path | None
    checkpoints: Path | None


@dataclass(frozen=True)
class Wish:
    """What the client says of a cure.

    Attributes:
        steps: of fine-tuning; None for a share of the training's.
        rate: the highest of fine-tuning; None for what is usual.
        primary: who trains; None for the first provider that was not flagged.
    """

    steps: int | None = None
    rate: float | None = None
    primary: str | None = None


@dataclass(frozen=True)
class Cure:
    """One way to cure a model.

    Attributes:
        way: which.
        jobs: what is carried out, one after another. The first says what it starts from; each that follows starts
            from what the one before delivered.
        words: what it does, in a sentence without its full stop.
    """

    way: Way
    jobs: tuple[Job, ...]
    words: str


def cures(patient: Patient, wish: Wish) -> dict[Way, Cure | str]:
    """All ways to cure a model; in place of one that cannot be gone, the reason.

    Args:
        patient: what is cured.
        wish: what the client says of it.

    Raises:
        JobError: no provider is left that could train, or the one that was wished for cannot.
    """
    trusted = _trusted(patient, wish, "cure")
    finetuned = _finetuned(patient, trusted, wish)
    found: dict[Way, Cure | str] = {}
    back = _rolled_back(patient, trusted)
    found["rollback"] = back
    if "schedule" not in patient.job.task.trained_by:
        found["finetune"] = found["both"] = f"a {patient.job.task.kind} task sets its learning rate by itself"
        return {way: _possible(found[way]) for way in WAYS}
    if patient.model is None:
        found["finetune"] = "no model was delivered"
    else:
        tuned = finetuned.model_copy(update={"training": _starting(finetuned, str(patient.model))})
        found["finetune"] = Cure("finetune", (tuned,), _tuning_words(tuned, "what was delivered"))
    if isinstance(back, str):
        found["both"] = back
    else:
        words = f"{back.words}; then {_tuning_words(finetuned, 'the result')}"
        found["both"] = Cure("both", (*back.jobs, finetuned), words)
    return {way: _possible(found[way]) for way in WAYS}


def handed_over(patient: Patient, primary: str | None = None) -> Cure | str:
    """The rest of a training by another provider, from the last verified boundary; in place of it, why it cannot be.

    Args:
        patient: whose primary was flagged or lost.
        primary: who goes on; None for the first provider that was neither.

    Raises:
        JobError: nobody is left who could train, or who was named cannot.
    """
    trusted = _trusted(patient, Wish(primary=primary), "hand over")
    back = _rolled_back(patient, trusted)
    if isinstance(back, str):
        return back
    named = tuple(job.model_copy(update={"name": _named(patient.job, "handed over").name}) for job in back.jobs)
    return _possible(Cure(back.way, named, back.words))


def _possible(cure: Cure | str) -> Cure | str:
    """The cure, unless one of its jobs is no audit."""
    for job in () if isinstance(cure, str) else cure.jobs:
        for name, message in impossibilities(job):
            return f"{name}: {message.removesuffix('.')}"
    return cure


def verified_boundary(state: AuditState, primary: str) -> int:
    """The last boundary behind a replicated sub-run in which the primary did not deviate, before any in which it did.

    0 where there is none, or where no single sub-run shows what the primary is flagged for.
    """
    judged = {index: sub_run for index, sub_run in sorted(state.sub_runs.items()) if sub_run.judgements is not None}
    deviating = [
        index
        for index, sub_run in judged.items()
        if any(one.provider == primary and one.deviates for one in sub_run.judgements or ())
    ]
    flagged = state.finished is not None and any(
        verdict.name == primary and verdict.verdict == "flagged" for verdict in state.finished.providers
    )
    if flagged and not deviating:
        return 0
    first = min(deviating, default=len(state.boundaries))
    opened = [index + 1 for index in judged if index < first and state.boundaries[index + 1].finite]
    return max(opened, default=0)


def _trusted(patient: Patient, wish: Wish, who: str) -> Job:
    """The job without those who were flagged, or could not be reached in the end, and with a primary that was neither.

    Args:
        patient: what is cured.
        wish: what the client says of it.
        who: asks, for messages.
    """
    job, finished = patient.job, None if patient.state is None else patient.state.finished
    verdicts = {} if finished is None else {one.name: one.verdict for one in finished.providers}
    flagged = {name for name, verdict in verdicts.items() if verdict == "flagged"}
    gone = {name for name, verdict in verdicts.items() if verdict == "unreachable"} - {wish.primary}
    left = [provider for provider in job.providers if provider.name not in flagged | gone]
    names = [provider.name for provider in left]
    if wish.primary is not None and wish.primary not in names:
        why = "was flagged" if wish.primary in flagged else "is no provider of this job"
        known = ", ".join(names)
        raise JobError("--primary", [Problem(f"{wish.primary!r} {why}; use one of {known}.")])
    if not left:
        raise JobError(who, [Problem("no provider of this run is left to train: all were flagged or not reached.")])
    primary = wish.primary or (job.primary.name if job.primary.name in names else names[0])
    providers = tuple(one.model_copy(update={"primary": one.name == primary}) for one in left)
    replicas = job.audit.replicas
    audit: dict[str, Any] = {"fixed_selection": None, "noise": None}
    if replicas is not None and replicas > len(left) - 1:
        audit["replicas"] = None
    return job.model_copy(
        update={
            "providers": providers,
            "audit": job.audit.model_copy(update=audit),
            "seed": key(job.seed, "cure", 0) % 2**63,
        }
    )


def _rolled_back(patient: Patient, trusted: Job) -> Cure | str:
    job, state = patient.job, patient.state
    if state is None or patient.checkpoints is None:
        return "nobody audited the training of this model"
    primary = job.primary.name
    rests = not job.primary_draws_start or (state.compared is not None and state.compared.agrees)
    boundary = verified_boundary(state, primary) if rests else 0
    step = state.boundaries[boundary].step if boundary else 0
    left = job.training.steps - step
    if boundary and not (patient.checkpoints / state.boundaries[boundary].digest).is_file():
        return f"the last verified checkpoint, of step {step:,}, is not in the store any more"
    if left == 0:
        return "the last checkpoint itself was verified"
    start = str(patient.checkpoints / state.boundaries[boundary].digest) if boundary else job.training.initial
    training = trusted.training.model_copy(update={"steps": left, "initial": start})
    rolled = _named(trusted, "rolled back").model_copy(update={"training": training})
    unchecked = sum(state.sub_run(index).judgements is None for index in range(boundary))
    words = f"train steps {step:,} to {job.training.steps:,} again by {trusted.primary.name}, from "
    if not rests:
        words += "the beginning, as nobody checked the initial weights, which the primary drew"
        return Cure("rollback", (_fitting(rolled),), words)
    if boundary == 0:
        return Cure("rollback", (_fitting(rolled),), words + "the beginning, as no later checkpoint was verified")
    words += f"the last verified checkpoint, of step {step:,}"
    if unchecked:
        words += f" ({unchecked:,} earlier sub-run{' was' if unchecked == 1 else 's were'} not checked)"
    return Cure("rollback", (_fitting(rolled),), words)


def _finetuned(patient: Patient, trusted: Job, wish: Wish) -> Job:
    training = trusted.training
    usual = RATE if isinstance(training.optimizer, SGD) else RATE_FACTOR * training.optimizer.lr
    changed = training.model_copy(
        update={
            "steps": wish.steps or max(LEAST_STEPS, round(SHARE * patient.job.training.steps)),
            "optimizer": training.optimizer.model_copy(update={"lr": wish.rate or usual}),
            "schedule": Triangular(name="triangular", peak=0.1),
            "initial": None,
        }
    )
    return _fitting(_named(trusted, "fine-tuned").model_copy(update={"training": changed}))


def _tuning_words(job: Job, what: str) -> str:
    rate = job.training.optimizer.lr
    return f"fine-tune {what} for {job.training.steps:,} steps by {job.primary.name}, with a rate of up to {rate:g}"


def _starting(job: Job, start: str) -> Any:
    return job.training.model_copy(update={"initial": start})


def _named(job: Job, how: str) -> Job:
    return job.model_copy(update={"name": f"{job.name[: 64 - len(how) - 2]}, {how}"})


def _fitting(job: Job) -> Job:
    """The job with no more replicated sub-runs, and none longer, than its steps allow."""
    k = min(job.audit.sub_run_steps, job.training.steps)
    shorter = job.model_copy(update={"audit": job.audit.model_copy(update={"sub_run_steps": k})})
    audit = shorter.audit
    changes: dict[str, Any] = {}
    for name in ("replicated", "replicated_at_most"):
        if (value := getattr(audit, name)) is not None:
            changes[name] = min(value, shorter.sub_runs)
    return shorter.model_copy(update={"audit": audit.model_copy(update=changes)})
