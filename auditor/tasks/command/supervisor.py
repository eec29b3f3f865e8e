"""Executes one command, and makes sure that nothing of it is left.

It is started as a script of its own, with the largest size of a file in bytes and the command as arguments. It ends
with the command's status; where a signal ended the command, with 128 and the signal's number. When its standard input
closes, whoever started it is done or dead. Then, and when the command ends, it kills everything that the command has
started, also what moved into another session or lost its parent. It imports nothing of auditor, so that it is there at
once.
"""

from __future__ import annotations

import ctypes
import os
import resource
import selectors
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

CANNOT_START = 127
"""What it ends with where the command cannot be started; its standard error says why."""

_CHILD_SUBREAPER = 36


def main() -> int:
    """Execute what the arguments say; returns the status to end with."""
    largest, command = int(sys.argv[1]), sys.argv[2:]
    # Orphans become this process's children, where it finds them.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
    ended, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        print(f"cannot start {command[0]}: {reason}", file=sys.stderr)  # noqa: T201
        return CANNOT_START
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            while process.poll() is None:
                for key, _ in selector.select():
                    if key.fd == 0:
                        return 0  # nobody waits for it any more
                    os.read(ended, 512)
    finally:
        _end_all()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _end_all() -> None:
    """Kill all children, and what becomes a child when its parent is gone, until there are none."""
    while True:
        for child in _children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    own = os.getpid()
    try:
        return [int(word) for word in Path(f"/proc/self/task/{own}/children").read_text().split()]
    except OSError:  # a kernel without this file, or another system
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(own)], capture_output=True, text=True, check=False)
        return [int(word) for word in listed.stdout.split()]


if __name__ == "__main__":
    status = main()
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(status)
