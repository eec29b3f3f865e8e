"""A run goes on when nobody watches it any more, and stops in order when it is told to."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios

import pytest

from auditor.store import Store
from tests.command import Auditor


def on_a_terminal(auditor: Auditor, *arguments: str, ignore: bool) -> tuple[subprocess.Popen[bytes], int]:
    """A command whose terminal is ours to close; `ignore` is what `nohup` does."""
    ours, theirs = os.openpty()

    def prepare() -> None:
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        # Whatever these tests were started with, which may be `nohup`, too.
        signal.signal(signal.SIGHUP, signal.SIG_IGN if ignore else signal.SIG_DFL)

    process = subprocess.Popen(
        [sys.executable, "-m", "auditor", *arguments],
        cwd=auditor.folder,
        env={**os.environ, "AUDITOR_HOME": str(auditor.home), "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=prepare,
    )
    os.close(theirs)
    return process, ours


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ignore", "steps", "code", "last"), [(True, 60, 0, "verdict"), (False, 600, 130, "run_interrupted")]
)
def test_the_terminal_is_closed(auditor: Auditor, ignore: bool, steps: int, code: int, last: str) -> None:
    process, terminal = on_a_terminal(auditor, "run", auditor.job(steps=steps), ignore=ignore)
    shown = b""
    while b"sub-run" not in shown and b"trains" not in shown:
        shown += os.read(terminal, 4096)
    os.close(terminal)
    assert process.wait(timeout=120) == code
    with Store(auditor.home) as store:
        assert store.events(store.find_run("last").id)[-1].kind == last


@pytest.mark.slow
def test_nobody_reads_what_is_written(auditor: Auditor) -> None:
    """As with `auditor run --json job.toml | head -1`, and a log whose reader ended."""
    process = auditor.start("run", "--json", auditor.job())
    assert process.stdout is not None
    assert process.stderr is not None
    assert '"run_started"' in process.stdout.readline()
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=120) == 0
    with Store(auditor.home) as store:
        assert store.events(store.find_run("last").id)[-1].kind == "verdict"


def test_no_output_at_all(auditor: Auditor) -> None:
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {sys.executable} -m auditor plan {auditor.job()} >&- 2>&-"], cwd=auditor.folder
    )
    assert process.wait(timeout=120) == 0
