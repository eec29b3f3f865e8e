"""Having plugins loaded by another process, so that neither PyTorch nor a stranger's code gets into this one."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO, Any

from auditor.job.plugin_file import PluginFile
from auditor.plugins.catalogue import INSTALLED, KINDS, Origin, clash, origin_of
from auditor.plugins.description import PluginDescription

START_SECONDS = 120.0
"""PyTorch takes seconds to import, more when the disk is cold."""
END_SECONDS = 5.0
"""How long a process may take to end after its last word."""
LOAD_SECONDS = 60.0
"""A plugin that takes longer to load and to describe is given up."""
MAX_ANSWER = 4 << 20
"""A process that says more at a time is given up, in bytes."""


@dataclass(frozen=True)
class Subject:
    """What is loaded at a time: an installed plugin, or a file with any number of them."""

    origin: Origin | None = None
    file: PluginFile | None = None

    @classmethod
    def from_json(cls, payload: Mapping[str, Any]) -> Subject:
        """What `payload` was made of."""
        file, origin = payload["file"], payload["origin"]
        return cls(origin and Origin(**origin), file and PluginFile.model_validate(file))

    def payload(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"origin": self.origin and asdict(self.origin), "file": self.file and self.file.model_dump()}

    @property
    def known(self) -> Origin:
        """What is known of it without loading it."""
        if self.origin is not None:
            return self.origin
        assert self.file is not None
        return origin_of(self.file)


@dataclass(frozen=True)
class LoaderReport:
    """Something that the other process said of a subject, or how it ended while it was busy with it.

    Attributes:
        subject: which.
        message: what it said; None when it ended.
        failure: how it ended, in words.
    """

    subject: Subject
    message: Mapping[str, Any] | None = None
    failure: str | None = None


class Loader:
    """Has subjects loaded one after another, and iterates over what is said of them.

    A subject that hangs, or ends its process, costs that process: another one goes on with the rest. Each of them
    is ended when the iteration is, or when `stop` is called, from whichever thread.

    Args:
        subjects: what is loaded.
        order: what is to be done with each, as `auditor.plugins.loader_process` understands it.
        seconds: for each.
        errors: whether what plugins print, and their warnings, are shown on this process's standard error.
    """

    def __init__(
        self, subjects: Sequence[Subject], order: Mapping[str, Any], *, seconds: float, errors: bool = False
    ) -> None:
        self._subjects = tuple(subjects)
        self._order = order
        self._seconds = seconds
        self._errors = None if errors else subprocess.DEVNULL
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def stop(self) -> None:
        """End the process; the iteration ends, too."""
        self._stopped = True
        self._kill()

    def __iter__(self) -> Iterator[LoaderReport]:
        """What is said, as it is said."""
        first = 0
        try:
            while first < len(self._subjects) and not self._stopped:
                first = yield from self._load(first)
        finally:
            self._kill()

    def _load(self, first: int) -> Generator[LoaderReport, None, int]:
        """What one process says, from subject `first` on; the number of the subject to go on with."""
        lines = _Lines(self._start(self._subjects[first:]))
        busy: int | None = None
        try:
            self._next(lines, START_SECONDS)
            for busy in range(first, len(self._subjects)):
                deadline = time.monotonic() + self._seconds
                while message := self._next(lines, self._seconds, deadline).get("report"):
                    yield LoaderReport(self._subjects[busy], message)
        except _Ended as ended:
            # When it did not even begin, no subject is to blame, and no other process would do better.
            concerned = self._subjects[first:] if busy is None else (self._subjects[busy],)
            for subject in () if self._stopped else concerned:
                yield LoaderReport(subject, failure=str(ended))
            return len(self._subjects) if busy is None else busy + 1
        return len(self._subjects)

    def _next(self, lines: _Lines, seconds: float, deadline: float | None = None) -> Mapping[str, Any]:
        try:
            line = lines.next(deadline or time.monotonic() + seconds)
        except TimeoutError:
            raise _Ended(f"took longer than {seconds:g} s") from None
        if line is None:
            raise _Ended(self._ending())
        message: dict[str, Any] = json.loads(line)
        return message

    def _ending(self) -> str:
        """How the process ended, in words; one that only fell silent is ended."""
        assert self._process is not None
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return "closed its output"
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        return f"ended its process {how}"

    def _start(self, subjects: Sequence[Subject]) -> IO[bytes]:
        self._kill()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "auditor.plugins.loader_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        order = {**self._order, "subjects": [subject.payload() for subject in subjects]}
        with suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(json.dumps(order).encode() + b"\n")
        assert self._process.stdout is not None
        return self._process.stdout

    def _kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class _Ended(Exception):  # noqa: N818 - the name reads as what it is
    """The process will say no more; the message says how it ended."""


class _Lines:
    """Lines from a pipe, none of which is waited for longer than until a deadline."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._pending = b""

    def next(self, deadline: float) -> bytes | None:
        """The next line; None at the end, or when a line is too long.

        Raises:
            TimeoutError: it did not come in time.
        """
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            received = os.read(self._pipe.fileno(), 1 << 16)
            self._pending += received
            if not received or len(self._pending) > MAX_ANSWER:
                return None
        line, _, self._pending = self._pending.partition(b"\n")
        return line


def subjects_of(files: Sequence[PluginFile] = ()) -> list[Subject]:
    """These files, and everything that is installed."""
    installed = [Subject(origin) for kind in KINDS for origin in INSTALLED.origins(kind)]
    return [*(Subject(file=file) for file in files), *installed]


class Descriptions:
    """Descriptions of plugins, as they are found out; each says if another plugin has its name.

    Args:
        subjects: what is described; files come first.
        seconds: for each.
    """

    def __init__(self, subjects: Sequence[Subject], seconds: float = LOAD_SECONDS) -> None:
        self._installed = [subject.origin for subject in subjects if subject.origin is not None]
        self._loader = Loader(subjects, {"do": "describe"}, seconds=seconds)

    def stop(self) -> None:
        """No more are wanted."""
        self._loader.stop()

    def __iter__(self) -> Iterator[PluginDescription]:
        """The descriptions."""
        in_files: list[PluginDescription] = []
        complete = False
        for report in self._loader:
            if report.subject.file is not None:
                in_files.append(_description(report))
                continue
            if not complete:  # only now it is known what all the files hold
                complete = True
                yield from (self._compared(description, in_files) for description in in_files)
            yield self._compared(_description(report), in_files)
        if not complete:
            yield from (self._compared(description, in_files) for description in in_files)

    def _compared(self, description: PluginDescription, in_files: Sequence[PluginDescription]) -> PluginDescription:
        origins = [*self._installed, *(other.origin for other in in_files)]
        twins = [
            origin
            for origin in origins
            if (origin.kind, origin.name) == (description.origin.kind, description.origin.name)
        ]
        return description if len(twins) == 1 or description.origin.kind == "file" else description.failed(clash(twins))


def _description(report: LoaderReport) -> PluginDescription:
    if report.message is not None:
        return PluginDescription.from_json(report.message)
    return PluginDescription(
        report.subject.known, error=f"{report.subject.known} {report.failure} while it was loaded."
    )
