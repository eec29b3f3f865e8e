"""Commands of `auditor` in processes forked from this one, which has PyTorch imported; each can be killed by itself."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.warm_python import interpreter, with_these_tests

PAUSE = 0.02
PATIENCE = 300.0
"""Seconds that anything may take here; longer is a failure of the harness or of what it looks at."""
END_WITH_PARENT = 1
"""What `prctl` calls the signal that a process gets when its parent ends."""


class TooSlow(Exception):  # noqa: N818 - the name reads as what it is
    """Something that was to happen has not happened in a long time."""


@dataclass
class Forked:
    """A process that was forked.

    Attributes:
        pid: of the process.
        code: how it ended, below zero for a signal; None while it runs.
    """

    pid: int
    code: int | None = None

    def ended(self) -> bool:
        """Whether it is over; it is then waited for."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if not self.ended():
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, and wait until it is over."""
        self.signal(signal.SIGKILL)
        until(self.ended, "a killed process to be over")


def forked(run: Callable[[], None], folder: Path, name: str, environment: Mapping[str, str]) -> Forked:
    """Run a function in a process of its own, with `folder/NAME.out` and `folder/NAME.err` as its output."""
    pid = os.fork()
    if pid:
        return Forked(pid)
    code = 1
    try:
        ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL)
        for number, end in ((1, "out"), (2, "err")):
            os.dup2(os.open(folder / f"{name}.{end}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
        os.chdir(folder)
        os.environ.update({"PYTHONPATH": with_these_tests(), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
        os.environ.update(environment)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run()
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def command(arguments: Sequence[str]) -> Callable[[], None]:
    """What runs a command of `auditor`."""
    python = interpreter()

    def run() -> None:
        from auditor.cli.app import main

        sys.executable = python  # what the command starts in turn is forked from a warm process, too
        sys.argv = ["auditor", *arguments]
        main()

    return run


def until(happened: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Return once something has happened.

    Raises:
        TooSlow: it has not in a long time.
    """
    deadline = time.monotonic() + patience
    while not happened():
        if time.monotonic() > deadline:
            raise TooSlow(f"waited {patience:g} s for {what}")
        time.sleep(PAUSE)


def answers(path: Path) -> bool:
    """Whether somebody listens on a Unix socket."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.settimeout(1)
        trial.connect(str(path))
        return True
    return False
