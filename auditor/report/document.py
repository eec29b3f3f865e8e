"""A run as one object: what was asked, who did what, the verdicts with their evidence, the cost and the limits.

`docs/reference/report.md` describes every key. The Markdown report shows this object and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from auditor import __version__
from auditor.audit.record.events import DataRead
from auditor.audit.record.findings import RecordedJudgement
from auditor.audit.record.signed import signed_commitments
from auditor.audit.record.state import AuditState, SubRun
from auditor.job.model import Job
from auditor.planning.choice import assumptions_of
from auditor.planning.plan import boundaries, make_plan
from auditor.report.coins import coins
from auditor.report.data_text import data_sentence, remark_sentences
from auditor.report.false_alarm_text import rate_of_any
from auditor.report.histogram import histogram_lines, picture_of
from auditor.report.limits import assumptions, limits
from auditor.report.summary import outcome_sentence
from auditor.store import RunRecord

SCHEMA = "auditor report 1"
"""What the object calls itself; a change that a reader must know of raises the number."""
PICTURE_WIDTH = 96


def document(run: RunRecord, job: Job, state: AuditState, *, running: bool = False) -> dict[str, Any]:
    """The report of a run, as JSON can hold it.

    Args:
        run: as the store has it.
        job: that was kept with it.
        state: the fold of its events.
        running: whether a process carries it out at present.
    """
    folders = {file.path: PurePath(file.path).name for file in job.plugins}
    return {key: _renamed(value, folders) for key, value in _document(run, job, state, running=running).items()}


def _document(run: RunRecord, job: Job, state: AuditState, *, running: bool) -> dict[str, Any]:
    finished = state.finished
    checked = _checked_sub_runs(state, job)
    return {
        "schema": SCHEMA,
        "auditor": state.started.materials.get("auditor", __version__) if state.started else __version__,
        "run": {
            "id": run.id,
            "created": run.created,
            "status": "finished" if finished else "running" if running else "stopped",
            "job_file": PurePath(run.source).name,
        },
        "outcome": finished.outcome if finished else None,
        "summary": outcome_sentence(finished) if finished else "This run has no verdict yet.",
        "asked": _asked(job, state),
        "data": _data(state.data),
        "assumptions": assumptions(job),
        "warnings": list(state.started.warnings) if state.started else [],
        "providers": _providers(job, state),
        "updates": _updates(state),
        "sub_runs": checked,
        "picture": _picture(job, state),
        "coins": coins(job, state),
        "not_replicated": sum(sub_run.replicated is False for sub_run in state.sub_runs.values()),
        "commitments": _commitments(state),
        "delivered": _delivered(state),
        "simulated": _simulated(state),
        "cost": asdict(finished.cost) if finished else None,
        "limits": limits(job, state, checked),
    }


def _picture(job: Job, state: AuditState) -> dict[str, Any] | None:
    """The distances with the strongest evidence as lines of text."""
    drawn = picture_of(state, assumptions_of(job))
    if drawn is None:
        return None
    lines = [line.plain.rstrip() for line in histogram_lines(drawn, PICTURE_WIDTH)]
    return {"sub_run": drawn.matrix.sub_run, "metric": drawn.matrix.metric, "lines": lines}


def _checked_sub_runs(state: AuditState, job: Job) -> list[dict[str, Any]]:
    """Every replicated sub-run with what was measured in it, in the order of the training."""
    cuts = boundaries(job.training.steps, job.audit.sub_run_steps)
    return [
        _sub_run(state, index, sub_run, cuts[index : index + 2])
        for index, sub_run in sorted(state.sub_runs.items())
        if sub_run.replicated and index + 1 < len(cuts)
    ]


def _updates(state: AuditState) -> list[dict[str, Any]]:
    """The updates of an evolving job, each audited as a run of its own with a report of its own."""
    rows = []
    for number, update in sorted(state.updates.items()):
        started, measured, ended = update.started, update.measured, update.finished
        rows.append(
            {
                "update": number,
                "run": started.run,
                "steps": started.steps,
                "drift": started.drift,
                "data": _data_of(state, number),
                "outcome": ended and ended.outcome,
                "verdicts": {one.name: one.verdict for one in ended.providers} if ended else {},
                "digest": ended and ended.digest,
                "accuracy": measured and measured.accuracy,
                "accuracy_without_updates": measured and measured.unchanged,
                "attacks": [asdict(attack) for attack in measured.attacks] if measured else [],
                "inspected": [asdict(one) for one in measured.inspected] if measured else [],
            }
        )
    return rows


def _data_of(state: AuditState, update: int) -> dict[str, Any] | None:
    """What was read of the dataset of an update, where it has one of its own."""
    read = state.stream.get(update)
    if read is None:
        return None
    return {"dataset": read.dataset, "summary": data_sentence(read), "remarks": list(remark_sentences(read))}


def _sub_run(state: AuditState, index: int, sub_run: SubRun, steps: Sequence[int]) -> dict[str, Any]:
    judgements = sub_run.judgements or ()
    start, end = state.boundaries.get(index), state.boundaries.get(index + 1)
    returned = {state.started.primary: end.digest} if state.started is not None and end is not None else {}
    returned |= {name: replica.digest for name, replica in sub_run.replicas.items() if replica.digest is not None}
    return {
        "sub_run": index,
        "first_step": steps[0],
        "last_step": steps[1],
        "state": state.phase(index),
        "finding": _finding(sub_run, judgements),
        "reason": sub_run.undecided,
        "start": None if start is None else start.digest,
        "returned": returned,
        "failed": {name: replica.failure for name, replica in sub_run.replicas.items() if replica.failure is not None},
        "judgements": [asdict(judgement) for judgement in judgements],
        "noise": [
            {
                "metric": matrix.metric,
                "floor": matrix.noise_floor,
                "size": matrix.size,
                "source": matrix.noise_source,
            }
            for matrix in sub_run.matrices
        ],
        "equal_models": [
            {"first": first, "second": second, "parameters_only": parameters}
            for first, second, parameters in sub_run.equal
        ],
        "failed_metrics": [
            {"metric": metric, "provider": whose, "reason": reason}
            for (metric, whose), reason in sub_run.failed_metrics.items()
        ],
        "remarks": [
            {"metric": metric, "provider": whose, "remark": said} for (metric, whose), said in sub_run.remarks.items()
        ],
    }


def _finding(sub_run: SubRun, judgements: Sequence[RecordedJudgement]) -> str:
    """`deviation`, `no deviation`, or `nothing` where no deviation could have been seen."""
    if any(found.deviates for found in judgements):
        return "deviation"
    decided = [found for found in judgements if found.p_value is not None]
    blind = any(found.blind for found in decided if found.metric == "update")
    return "nothing" if sub_run.undecided is not None or not decided or blind else "no deviation"


def _asked(job: Job, state: AuditState) -> dict[str, Any]:
    plan = make_plan(job)
    started = state.started
    return {
        "name": job.name,
        "task": _without_folders(job.task.model_dump(mode="json", exclude_none=True)),
        "training": _without_folders(job.training.model_dump(mode="json", exclude_none=True)),
        "materials": dict(started.materials) if started else {},
        "evolution": None
        if job.evolution is None
        else _without_folders(job.evolution.model_dump(mode="json", exclude_none=True)),
        "sub_run_steps": job.audit.sub_run_steps,
        "sub_runs": plan.sub_runs,
        "replicated": job.replicated,
        "replicate_probability": job.audit.replicate_probability,
        "fixed_selection": None if job.audit.fixed_selection is None else list(job.audit.fixed_selection),
        "participants": plan.participants,
        "benign": plan.benign,
        "benign_fraction": job.benign_fraction,
        "seeds": job.audit.seeds,
        "drawn_by": job.audit.drawn_by,
        "metrics": [use.table for use in job.metrics],
        "decision": started.decision if started else job.audit.decision,
        "decision_reason": started.reason if started else None,
        "false_alarm_rate": job.audit.false_alarm_rate,
        "false_alarm_rate_of_any": rate_of_any(job),
        "checked_at_least_once": [
            {"share": share, "probability": row[min(row, key=lambda m: abs(m - plan.replicated))]}
            for share, row in plan.catch.items()
            if row and job.audit.fixed_selection is None
        ],
    }


def _without_folders(task: Mapping[str, Any]) -> dict[str, Any]:
    """A table of the job without the folders of this machine; `tensors:/home/me/a` is `tensors:a`."""
    return {
        key: [_without_folder(inner) for inner in value] if isinstance(value, list) else _without_folder(value)
        for key, value in task.items()
    }


def _without_folder(value: Any) -> Any:
    if not isinstance(value, str) or "/" not in value:
        return value
    word, colon, path = value.rpartition(":")
    return f"{word}{colon}{PurePath(path).name}"


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """`value` with the plugin files in its messages called by their names, without the folders of this machine."""
    if isinstance(value, str):
        for path, name in names.items():
            value = value.replace(path, name)
        return value
    if isinstance(value, Mapping):
        return {key: _renamed(inner, names) for key, inner in value.items()}
    return [_renamed(inner, names) for inner in value] if isinstance(value, list | tuple) else value


def _data(read: DataRead | None) -> dict[str, Any] | None:
    if read is None:
        return None
    return {**asdict(read), "summary": data_sentence(read), "remarks": list(remark_sentences(read))}


def _providers(job: Job, state: AuditState) -> list[dict[str, Any]]:
    verdicts = {verdict.name: verdict for verdict in (state.finished.providers if state.finished else ())}
    rows = []
    for provider in job.providers:
        known = state.provider(provider.name)
        verdict = verdicts.get(provider.name)
        rows.append(
            {
                "name": provider.name,
                "role": "primary" if provider.primary else "replica",
                "device": known.device,
                "signing_key": known.signing_key,
                "key_trust": known.key_trust,
                "asked_to_replicate": [
                    index for index, sub_run in sorted(state.sub_runs.items()) if provider.name in sub_run.replicas
                ],
                "seconds": round(known.seconds, 3),
                "verdict": verdict and verdict.verdict,
                "p_value": verdict and verdict.p_value,
                "ratio": verdict and verdict.ratio,
                "sub_runs_checked": verdict and verdict.sub_runs_checked,
                "reasons": list(verdict.reasons) if verdict else [],
                "lost": known.lost,
                "misbehaviour": [{"sub_run": where, "reason": reason} for where, reason in known.misbehaviour],
            }
        )
    return rows


def _commitments(state: AuditState) -> dict[str, Any]:
    rows = [
        {"boundary": index, "step": boundary.step, "digest": boundary.digest, "opened": boundary.finite is not None}
        for index, boundary in sorted(state.boundaries.items())
    ]
    lines = "".join(f"{row['boundary']} {row['step']} {row['digest']}\n" for row in rows)
    signed = [asdict(one) for one in signed_commitments(state)]
    return {"sha256": hashlib.sha256(lines.encode()).hexdigest(), "boundaries": rows, "signed": signed}


def _delivered(state: AuditState) -> dict[str, Any] | None:
    delivered = state.delivered
    return (
        None
        if delivered is None
        else {"step": delivered.step, "digest": delivered.digest, "accuracy": delivered.accuracy}
    )


def _simulated(state: AuditState) -> list[dict[str, Any]]:
    return [
        {
            "provider": name,
            "attack": simulation.attack,
            "accuracy": simulation.clean_accuracy,
            "success": simulation.success_rate,
            "delivered_success": simulation.delivered_rate,
            "failure": simulation.failure,
        }
        for name, simulation in state.attacks.items()
    ]
