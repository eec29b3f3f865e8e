"""A run in this process, shown by a display until it ends or is interrupted.

The only place in the faces that imports the engine, and with it PyTorch, and only once a run begins.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import aclosing
from pathlib import Path

from auditor.audit.lineage import pinned
from auditor.audit.record.fold import fold
from auditor.cli.display import Display, choose_display
from auditor.cli.exit_codes import OUTCOMES, ExitCode
from auditor.cli.narration import say
from auditor.cli.output_streams import lossy_output
from auditor.job import Job
from auditor.plugins.catalogue import PluginError
from auditor.providers.errors import ProviderError
from auditor.providers.late_wakeups import overlook_late_wakeups
from auditor.report.next_steps import train_on
from auditor.store import DamagedRun, RunRecord, Store, StoreError
from auditor.tasks.errors import TrainingError


def start(job: Job, source: Path, *, json: bool) -> ExitCode:
    """Create a run of a job in the store, carry it out and show it; returns the exit code of the process.

    Args:
        job: what is audited.
        source: the job file that it came from.
        json: whether events are written as JSON.

    Raises:
        PluginError: the job's metrics or attacks cannot be used.
        JobError: the run that the job starts from has no model.
        StoreError: the store cannot be written.
    """
    from auditor.audit.job_plugins import check_plugins

    check_plugins(job)
    with Store() as store:
        job = pinned(job, store)
        record = store.create_run(job.name, job.model_dump_json(), str(source), job.training.initial_run)
        return execute(record, job, store, json=json)


def execute(run: RunRecord, job: Job, store: Store, *, json: bool) -> ExitCode:
    """Carry out or resume a run and show it; returns the exit code of the process.

    The run continues if nobody reads the output any more.
    """
    with lossy_output():
        code = _execute(run, job, store, json=json)
        if not job.audit.hand_over or code not in OUTCOMES.values():
            return code
        fate = primary_fate(run, store)
        if fate is None:
            return code
        say(f"\n{fate}")
        after = hand_over(run, job, store, None, json=json)
        return ExitCode.FLAGGED if code is ExitCode.FLAGGED and after in OUTCOMES.values() else after


def primary_fate(run: RunRecord, store: Store) -> str | None:
    """Why the primary of a run that ended does not go on, in a sentence; None where it is neither flagged nor lost."""
    state = fold(store.events(run.id))
    if state.finished is None or state.started is None:
        return None
    primary = state.started.primary
    verdict = next((one.verdict for one in state.finished.providers if one.name == primary), None)
    if verdict == "flagged":
        return f"{primary} was flagged."
    return f"{primary} was lost." if state.provider(primary).lost is not None else None


def hand_over(run: RunRecord, job: Job, store: Store, primary: str | None, *, json: bool) -> ExitCode:
    """Have another provider train on from the last verified checkpoint of a run that ended, in a run of its own.

    Args:
        run: that ended.
        job: of it.
        store: keeps both.
        primary: who trains on; None for the first provider that was neither flagged nor lost.
        json: whether events are written as JSON.

    Raises:
        JobError: nobody is left who could, or who was named cannot.
    """
    from auditor.audit.cure import Patient, handed_over

    state = fold(store.events(run.id))
    back = handed_over(Patient(job, state, None, store.run_folder(run.id) / "blobs"), primary)
    if isinstance(back, str):
        say(f"The training cannot be handed over: {back}.")
        return ExitCode.USAGE
    (rest,) = back.jobs
    say(f"It is handed over: {back.words}.")
    record = store.create_run(rest.name, rest.model_dump_json(), run.source, run.id)
    return execute(record, rest, store, json=json)


def _execute(run: RunRecord, job: Job, store: Store, *, json: bool) -> ExitCode:
    from auditor.audit.engine import TooFewProviders

    display = choose_display(json=json)
    try:
        with display:
            asyncio.run(_carry_out(run, job, store, display))
    except asyncio.CancelledError:
        say(f"\ninterrupted; resume with: auditor resume {run.id}")
        return ExitCode.INTERRUPTED
    except TooFewProviders as error:
        say(f"error: {error}")
        return ExitCode.TOO_FEW_PROVIDERS
    except (TrainingError, PluginError, StoreError, ProviderError, OSError) as error:
        return _failed(run, store, error)
    state = fold(store.events(run.id))
    if state.finished is None and state.interrupted:
        say(f"paused; resume with: auditor resume {run.id}")
        return ExitCode.INTERRUPTED
    if state.finished is None:
        say(f"error: the run ended without a verdict; resume with: auditor resume {run.id}")
        return ExitCode.FAILED
    display.conclude(state, job, store.events(run.id, after=state.seq - 1)[-1])
    if state.can_go_on:
        say(f"The primary was lost at step {state.step:,}. To let it train on, run: auditor resume {run.id}")
    if not job.audit.hand_over:
        for step in train_on(run.id, job, state):
            say(f"{step.title}: {step.words}. Run: {step.command}")
    return OUTCOMES[state.finished.outcome]


async def _carry_out(run: RunRecord, job: Job, store: Store, display: Display) -> None:
    from auditor.audit.engine import run_audit
    from auditor.audit.evolution import run_evolution

    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(overlook_late_wakeups)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # `nohup` and shells have it ignored for a reason
            loop.add_signal_handler(number, task.cancel)
    carried_out = run_audit if job.evolution is None else run_evolution
    async with aclosing(carried_out(run, job, store)) as entries:
        async for entry in entries:
            display.show(entry)


def _failed(run: RunRecord, store: Store, error: Exception) -> ExitCode:
    """Say what is wrong. Before the first event nothing was started, and nothing is left behind."""
    say(f"error: {error}")
    if isinstance(error, DamagedRun):
        return ExitCode.USAGE
    if store.last_seq(run.id):
        say(f"the work so far is kept; resume with: auditor resume {run.id}")
        return ExitCode.FAILED
    store.delete_run(run.id)
    return ExitCode.USAGE
