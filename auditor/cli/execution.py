"""Carrying out a run in this process, shown by a display, until it ends or is interrupted."""

from __future__ import annotations

import asyncio
import signal
from contextlib import aclosing

from auditor.audit.engine import TooFewProviders, run_audit
from auditor.audit.fold import fold
from auditor.cli.display import Display, choose_display
from auditor.cli.enduring import enduring_output
from auditor.cli.exit_codes import OUTCOMES, ExitCode
from auditor.cli.narration import say
from auditor.job import Job
from auditor.plugins.discovery import PluginError
from auditor.providers.errors import ProviderError
from auditor.providers.late_wakeups import overlook_late_wakeups
from auditor.store import DamagedRun, RunRecord, Store, StoreError
from auditor.tasks.errors import TrainingError


def execute(run: RunRecord, job: Job, store: Store, *, json: bool) -> ExitCode:
    """Carry out or resume a run and show it; returns the exit code of the process.

    The run continues if nobody reads the output any more.
    """
    with enduring_output():
        return _execute(run, job, store, json=json)


def _execute(run: RunRecord, job: Job, store: Store, *, json: bool) -> ExitCode:
    display = choose_display(run, json=json)
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
    display.conclude(state, store.events(run.id, after=state.seq - 1)[-1])
    return OUTCOMES[state.finished.outcome]


async def _carry_out(run: RunRecord, job: Job, store: Store, display: Display) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(overlook_late_wakeups)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # `nohup` and shells have it ignored for a reason
            loop.add_signal_handler(number, task.cancel)
    async with aclosing(run_audit(run, job, store)) as entries:
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
