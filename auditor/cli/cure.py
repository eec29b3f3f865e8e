"""`auditor cure`: what to do about a model that was flagged, or that one does not trust."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.cli.exit_codes import EXPLANATION, ExitCode
from auditor.cli.job_argument import PluginOption, job_path, load_resolved, plugin_files
from auditor.cli.narration import fail, output, say, user_errors
from auditor.cli.run_argument import JsonOption

if TYPE_CHECKING:
    from auditor.audit.cure import Cure, Patient, Way
    from auditor.audit.cured_model import Condition
    from auditor.job import Job
    from auditor.store import RunRecord, Store


class WayOption(StrEnum):
    """The ways to cure a model."""

    ROLLBACK = "rollback"
    FINETUNE = "finetune"
    BOTH = "both"


def cure(
    model: Annotated[
        str, typer.Argument(metavar="RUN", help="A run, as for `auditor show`, or a checkpoint (.safetensors).")
    ],
    by: Annotated[
        WayOption | None, typer.Option(help="Carry out this way. Without it, all ways and their costs are shown.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of fine-tuning. Default: half as many as the training has.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=1e-9, help="Highest rate of fine-tuning. Default: 0.5 with sgd.")
    ] = None,
    primary: Annotated[
        str | None, typer.Option(metavar="NAME", help="Provider that trains. Default: one that was not flagged.")
    ] = None,
    job: Annotated[
        str | None, typer.Option("--job", metavar="JOB", help="Job of a checkpoint file. Runs keep theirs.")
    ] = None,
    inspector: Annotated[
        list[str] | None,
        typer.Option("--inspect", metavar="NAME", help="Inspector to ask before and after. Repeatable."),
    ] = None,
    json: JsonOption = False,
    plugin: PluginOption = None,
) -> None:
    """Roll a model back to what was verified, fine-tune it until a backdoor fades, or both.

    Every way is an audited run without the providers that were flagged.
    """
    from auditor.store import Store

    with user_errors(), Store() as store:
        patient, record = _patient(model, job, plugin or (), store)
        from auditor.audit.cure import Wish, cures

        found = cures(patient, Wish(steps, rate, primary))
        if by is None:
            _show(found, json=json)
            return
        chosen = found[by.value]
        if isinstance(chosen, str):
            fail(f"--by {by.value} is not possible: {chosen}.", ExitCode.USAGE)
        code = _carry_out(chosen, patient, record, tuple(inspector or ()), store, json=json)
    raise typer.Exit(code)


cure.__doc__ = f"{cure.__doc__}\n\n{EXPLANATION}"


def _patient(model: str, job: str | None, plugins: Any, store: Store) -> tuple[Patient, RunRecord | None]:
    """What is to be cured; of an evolving job, the first update that was flagged, or the last.

    Raises:
        JobError, StoreError: there is no such run, or the job cannot be read.
    """
    from auditor.audit.cure import Patient
    from auditor.audit.record.fold import fold
    from auditor.audit.stored_job import stored_job

    if model.endswith(".safetensors") or Path(model).is_file():
        if job is None:
            fail(f"{model} is a file; say with --job what it is a model of.", ExitCode.USAGE)
        return Patient(load_resolved(job_path(job), plugins), None, Path(model).absolute(), None), None
    if job is not None:
        fail("a run keeps its job; leave out --job.", ExitCode.USAGE)
    record = store.find_run(model)
    if record.evolves:
        updates = fold(store.events(record.id)).updates.values()
        ended = [one.finished for one in updates if one.finished is not None]
        if not ended:
            fail(f"no update of run {record.id} has ended yet.", ExitCode.USAGE)
        flagged = [one for one in ended if one.outcome == "flagged"]
        record = store.find_run((flagged or ended[-1:])[0].run)
        say(f"note: this is about {record.id}, {'the first flagged' if flagged else 'the last'} update.")
    state = fold(store.events(record.id))
    if state.started is None:
        fail(f"run {record.id} has not begun.", ExitCode.USAGE)
    delivered = None if state.delivered is None else Path(state.delivered.path)
    kept = stored_job(record).with_plugins(plugin_files(plugins))
    return Patient(kept, state, delivered, store.run_folder(record.id) / "blobs"), record


def _show(found: dict[Way, Cure | str], *, json: bool) -> None:
    from auditor.planning import make_plan
    from auditor.planning.measured_cures import measured_cures

    rows = []
    for way, one in found.items():
        row: dict[str, Any] = {"way": way, "possible": not isinstance(one, str)}
        if isinstance(one, str):
            row["words"] = one
        else:
            plans = [make_plan(job) for job in one.jobs]
            row["words"] = one.words
            row["training_steps"] = sum(plan.training_steps for plan in plans)
            row["extra_steps"] = sum(plan.extra_steps for plan in plans)
        row["measured"] = list(measured_cures(way))
        rows.append(row)
    if json:
        import json as encoder

        for row in rows:
            output(encoder.dumps(row, ensure_ascii=False))
        return
    for row in rows:
        output(f"{row['way']:9} {row['words']}{'' if row['possible'] else ' (not possible)'}")
        if row["possible"]:
            output(f"{'':9} costs {row['training_steps']:,} steps, and {row['extra_steps']:,.0f} of the audit")
        for sentence in row["measured"]:
            output(f"{'':9} measured: {sentence}")
    say("Choose one with --by. Nothing was started.")


def _carry_out(
    chosen: Cure, patient: Patient, record: RunRecord | None, inspectors: tuple[str, ...], store: Store, *, json: bool
) -> ExitCode:
    from auditor.audit.cured_model import Measurement
    from auditor.cli.foreground_run import start

    measurement = Measurement(patient.job, inspectors, store.downloads)
    before = None if patient.model is None else measurement.of(patient.model)
    say(chosen.words[:1].upper() + chosen.words[1:] + ".")
    last, code = None, ExitCode.CLEAN
    for one in chosen.jobs:
        begun = one if last is None else _from_run(one, last)
        known = {run.id for run in store.runs()}
        code = start(begun, Path(record.source if record is not None else "cure"), json=json)
        new = [run for run in store.runs() if run.id not in known]
        if code not in (ExitCode.CLEAN, ExitCode.INCONCLUSIVE) or not new:
            say("The cure ended here; the model that it would have begun with was not replaced.")
            return code
        last = new[0].id
    from auditor.audit.lineage import delivered_checkpoint

    after = measurement.of(delivered_checkpoint(last or "", store))
    _report(before, after, last or "", json=json)
    return code


def _from_run(job: Job, run: str) -> Job:
    return job.model_copy(update={"training": job.training.model_copy(update={"initial": f"run:{run}"})})


def _report(before: Condition | None, after: Condition, run: str, *, json: bool) -> None:
    """What became of it."""
    if json:
        import json as encoder

        line = {"event": "cured", "run": run, "before": before and before.payload(), "after": after.payload()}
        output(encoder.dumps(line, ensure_ascii=False))
        return
    output("")
    output(f"{'':40}{'before':>12}{'after':>12}")
    rows = after.rows()
    earlier = dict(before.rows()) if before is not None else {}
    for name, value in rows:
        output(f"{name:40}{earlier.get(name, '–'):>12}{value:>12}")
    output(f"The cured model is that of run {run}.")
