"""One execution of a client's command: started, listened to, bounded in time and disk, and ended for certain."""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from auditor.base.hostile_text import cleaned
from auditor.tasks.command import supervisor
from auditor.tasks.errors import TrainingError

NEWS_SECONDS = 0.2
"""How often who listens is asked whether to go on."""
LOOK_SECONDS = 2.0
"""How often the disk is looked at."""
END_SECONDS = 30.0
"""How long killing everything may take."""
MAX_LINE = 1 << 16
"""Bytes of a line of output that are read; the rest of a longer one is left out."""
LOGGED_LINES = 2_000
"""Of one execution; more are left out."""
LAST_LINES = 3
"""Of its output, that are repeated where it fails."""
LAST_CHARACTERS = 300

log = logging.getLogger("auditor.command")


@dataclass(frozen=True)
class Limits:
    """What one execution may take.

    Attributes:
        seconds: of time.
        bytes: that it may write in its folder, and to one file.
    """

    seconds: float
    bytes: int


@dataclass(frozen=True)
class Progress:
    """What a command said of itself: how many steps of the job are done, or a loss, or both."""

    step: int | None
    loss: float | None


class Execution:
    """Executes a command in a folder.

    A line of its standard output that is a JSON object with the number `step`, of steps of the job that are done, or
    `loss` tells its progress; everything else goes to the log.

    Args:
        command: the program and its arguments.
        folder: where it is started.
        watched: the folders that it writes to.
        environment: what it finds in its environment beside what this process has.
        limits: what it may take.
        what: it is doing, as in `steps 20 to 40`, for messages.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        watched: Sequence[Path],
        environment: Mapping[str, str],
        limits: Limits,
        what: str,
    ) -> None:
        self._command = command
        self._folder = folder
        self._watched = watched
        self._limits = limits
        self._what = what
        # What tells auditor where its home and secrets are is nothing for a client's program.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AUDITOR_")}
        self._environment = {**kept, **environment}
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._logged = 0

    def run(self) -> Iterator[Progress | None]:
        """Execute it; gives its progress, and None where there was none for a while.

        When the iterator is closed, everything that the command started is killed.

        Raises:
            TrainingError: it cannot be started, fails, or takes more than it may; says what.
        """
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__, str(self._limits.bytes), *self._command],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield from self._listen(process)
            status = process.wait()
        finally:
            self._end(process)
        if status:
            raise TrainingError(self._failure(status))

    def _listen(self, process: subprocess.Popen[bytes]) -> Iterator[Progress | None]:
        begun = looked = time.monotonic()
        assert process.stdout is not None
        assert process.stderr is not None
        pending = {process.stdout.fileno(): b"", process.stderr.fileno(): b""}
        told = process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            for stream in (process.stdout, process.stderr):
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(NEWS_SECONDS)
                for key, _ in ready:
                    received = os.read(key.fd, MAX_LINE)
                    if not received:
                        selector.unregister(key.fileobj)
                    *lines, rest = (pending[key.fd] + received).split(b"\n")
                    pending[key.fd] = rest[:MAX_LINE] if received else b""
                    for line in lines if received else (rest,):
                        if (progress := self._heard(line, may_tell=key.fd == told)) is not None:
                            yield progress
                if not ready:
                    yield None
                now = time.monotonic()
                if now - begun > self._limits.seconds:
                    raise TrainingError(
                        f"the command took longer than task.seconds = {self._limits.seconds:g} for {self._what}, and "
                        "was ended."
                    )
                if now - looked > LOOK_SECONDS:
                    looked = now
                    self._look_at_disk()

    def _heard(self, line: bytes, *, may_tell: bool) -> Progress | None:
        text = line.decode(errors="replace").strip()
        if not text:
            return None
        if may_tell and text.startswith("{") and (progress := _progress(text)) is not None:
            return progress
        if any(map(str.isalnum, text)):  # rules and boxes say nothing
            self._last.append(cleaned(text, LAST_CHARACTERS))
        self._logged += 1
        if self._logged <= LOGGED_LINES:
            log.info("%s: %s", self._what, cleaned(text, 1_000))
        elif self._logged == LOGGED_LINES + 1:
            log.info("%s: more output is left out", self._what)
        return None

    def _look_at_disk(self) -> None:
        used = sum(map(_bytes_in, self._watched))
        if used > self._limits.bytes:
            raise TrainingError(
                f"the command wrote more than task.gigabytes = {self._limits.bytes / 1e9:g} in {self._what}, and was "
                "ended."
            )

    def _failure(self, status: int) -> str:
        said = f": {' / '.join(self._last)}" if self._last else ""
        if status == supervisor.CANNOT_START and self._last and self._last[-1].startswith("cannot start "):
            return f"the command {self._last[-1]}. Install it, or give its path, {{python}}, or a file of task.needs."
        # A program that ignores the signal only sees that it cannot write on.
        if status == 128 + signal.SIGXFSZ or any(map(self._holds_largest, self._watched)):
            return (
                f"the command wrote a file larger than task.gigabytes = {self._limits.bytes / 1e9:g} in {self._what}."
            )
        if status > 128:
            number = status - 128
            name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
            return f"the command was ended by the signal {name} in {self._what}{said}"
        return f"the command ended with status {status} in {self._what}{said}"

    def _holds_largest(self, place: Path) -> bool:
        return any(path.is_file() and path.stat().st_size >= self._limits.bytes for path in place.rglob("*"))

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Have the supervisor kill all that is left."""
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _bytes_in(place: Path) -> int:
    found = 0
    for folder, _, files in os.walk(place):
        for name in files:
            with suppress(OSError):  # it is gone
                found += os.lstat(f"{folder}/{name}").st_size
    return found


def _progress(text: str) -> Progress | None:
    """What a line of output tells; None where it is no such line."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    step, loss = found.get("step"), found.get("loss")
    step = step if isinstance(step, int) and not isinstance(step, bool) else None
    loss = float(loss) if isinstance(loss, int | float) and not isinstance(loss, bool) else None
    return None if step is None and loss is None else Progress(step, loss)
