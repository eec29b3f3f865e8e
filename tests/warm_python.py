"""A Python that has PyTorch imported already, for the commands and the fork servers of audits that tests start.

Each audit spends over six seconds of processor time on the imports of its command, and nearly four on those of its
fork server. `interpreter()` is the path of a program to be started in Python's place: asked for a module of ours, or
for a process of a pool, it has one forked from a process that did these imports once. What is forked runs the module as
Python's `-m` does, with the descriptors, the folder and the environment that it was started with, in a session of its
own. What is started in Python's place lives as long, passes signals on, and ends in the same way. Asked for anything
else, or in another environment, which imports may depend on, it becomes Python itself, in which `sys.executable` is
that path again: what a command starts is forked, too.
"""

from __future__ import annotations

import fcntl
import functools
import gc
import io
import itertools
import json
import multiprocessing.spawn
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

START = ["-P", "-m", "auditor.providers.fork_server"]
"""How a launcher starts a fork server; what follows are its arguments."""
PACKAGES = ("auditor", "tests")
"""Whose modules are forked."""
WORKER = "from multiprocessing.spawn import spawn_main;"
"""How the code begins that a process of a pool is started with."""
FLAGS = ("-B", "-P")
MOST_OPEN = 64
HIGH = 512
"""Descriptors from here on are not among those that are handed over."""
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""A killed one needs no word: the connection breaks."""
RELEVANT = ("PYTHON", "LANG", "LC_", "LD_", "OMP_", "MKL_", "OPENBLAS_", "ATEN_", "ONEDNN_", "DNNL_", "CUDA_")
"""How the names of variables begin that change what is imported, or how it computes. Others are given to the fork."""
ROOT = Path(__file__).parents[1]
AT_FIRST = dict(os.environ)
"""Before any test changes something."""


def interpreter() -> str:
    """What is started in Python's place."""
    return _started().program if hasattr(os, "pidfd_open") else sys.executable


def with_these_tests(environment: Mapping[str, str] = AT_FIRST) -> str:
    """A `PYTHONPATH` that leads to what is tested, to the tests, and where that of an environment leads."""
    others = environment.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join([str(ROOT), *(path for path in others if path not in ("", str(ROOT)))])


@dataclass(frozen=True)
class _Started:
    """The process that is forked, which ends when its input closes, and the folder with what leads to it."""

    process: subprocess.Popen[bytes]
    folder: tempfile.TemporaryDirectory[str]
    program: str


@functools.cache
def _started() -> _Started:
    folder = tempfile.TemporaryDirectory(prefix="warm-", ignore_cleanup_errors=True)
    program, listening = Path(folder.name) / "bin" / "python", Path(folder.name) / "s"
    _lay_out(program)
    environment = AT_FIRST | {"PYTHONPATH": with_these_tests(), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    Path(f"{listening}.json").write_text(json.dumps(environment))
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{__file__}" ask "{listening}" "$0" "$@"\n')
    program.chmod(0o700)
    process = subprocess.Popen(
        [sys.executable, "-P", __file__, "serve", str(listening)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return _Started(process, folder, str(program))


def _lay_out(program: Path) -> None:
    """Make the folder of a program one that Python takes for its own environment, with the packages of this one."""
    program.parent.mkdir()
    prefix = Path(sys.prefix)
    (program.parents[1] / "lib").symlink_to(prefix / "lib")
    known = prefix / "pyvenv.cfg"
    home = f"home = {Path(sys._base_executable).parent}\ninclude-system-site-packages = true\n"  # type: ignore[attr-defined]
    (program.parents[1] / "pyvenv.cfg").write_text(known.read_text() if known.exists() else home)


def ask(listening: str, program: str, arguments: list[str]) -> NoReturn:
    """Have a module forked, and end as it ends. Become Python for anything else."""
    environment = json.loads(Path(f"{listening}.json").read_text())
    flags = [*itertools.takewhile(FLAGS.__contains__, arguments)]
    option, wanted, *rest = [*arguments[len(flags) :], "", ""][: max(2, len(arguments) - len(flags))]
    known = (option == "-m" and wanted.partition(".")[0] in PACKAGES) or (option == "-c" and wanted.startswith(WORKER))
    if not known or _relevant(environment) != _relevant(os.environ):
        os.execv(sys.executable, [program, *arguments])
    order = {
        "program": program,
        "option": option,
        "wanted": wanted,
        "arguments": rest,
        "safely": "-P" in flags,
        "open": (descriptors := _open()),
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "umask": os.umask(0o077),
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(listening)
        socket.send_fds(connection, [json.dumps(order).encode() + b"\n"], descriptors)
        answers = connection.makefile()
        forked = int(answers.readline() or 0)
        for number in PASSED_ON if forked else ():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda number, _: os.kill(forked, number))
        _end_like(int(answers.readline() or 1))


def _open() -> list[int]:
    """The descriptors that this process was started with."""
    found = []
    for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208
        with suppress(OSError):  # that of the listing itself
            os.fstat(number)
            found.append(number)
    return sorted(found)


def _end_like(code: int) -> NoReturn:
    """End with an exit code; one below zero is that of a process that a signal ended."""
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code % 256)


def _relevant(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(RELEVANT)}


@functools.cache
def import_once() -> None:
    """Import what commands and fork servers import, the first time that one is wanted."""
    import torch
    import torch._dynamo
    import torch._inductor

    import auditor.audit.engine
    import auditor.cli.app
    import auditor.providers.agent.http_server  # noqa: F401

    torch.set_num_threads(1)
    gc.freeze()


class Forks:
    """Forks a process for each connection; it is killed when the connection breaks, as is the asker."""

    def __init__(self, listening: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(listening)
        self._listener.listen()
        self._open: dict[int, socket.socket] = {}
        """The connection of whoever asked, by the process that was forked."""

    def run(self) -> None:
        """Fork until standard input closes."""
        self._when(0, self._end)
        self._when(self._listener.fileno(), self._accept)
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _when(self, descriptor: int, call: Callable[[], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, call)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        text, streams, _, _ = socket.recv_fds(connection, 1 << 20, MOST_OPEN)
        while not text.endswith(b"\n"):
            text += connection.recv(1 << 20)
        import_once()
        child = os.fork()
        if child == 0:
            self._become(json.loads(text), streams)
        for stream in streams:
            os.close(stream)
        with suppress(OSError):
            connection.sendall(f"{child}\n".encode())
        self._open[child] = connection
        ended = os.pidfd_open(child)
        self._when(ended, functools.partial(self._reap, child, ended))
        self._when(connection.fileno(), functools.partial(self._kill, child))

    def _kill(self, child: int) -> None:
        """Its asker is gone; in the same moment it may have ended and been reaped."""
        if child in self._open:
            os.kill(child, signal.SIGKILL)

    def _reap(self, child: int, ended: int) -> None:
        connection = self._open.pop(child)
        _, status = os.waitpid(child, 0)
        for descriptor in (ended, connection.fileno()):
            self._selector.unregister(descriptor)
        os.close(ended)
        code = os.waitstatus_to_exitcode(status)
        with suppress(OSError):  # whoever asked was killed
            connection.sendall(f"{code}\n".encode())
        connection.close()

    def _end(self) -> None:
        for child in self._open:
            os.kill(child, 9)
        os._exit(0)

    def _become(self, order: dict[str, Any], streams: list[int]) -> None:
        """Be the module that was asked for."""
        code = 1
        try:
            os.setsid()
            self._selector.close()
            for connection in (self._listener, *self._open.values()):
                connection.close()
            _take(order, streams)
            if order["option"] == "-m":
                runpy.run_module(order["wanted"], run_name="__main__", alter_sys=True)
            else:
                exec(order["wanted"], {"__name__": "__main__"})
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            os._exit(code % 256)


def _take(order: dict[str, Any], streams: list[int]) -> None:
    """Take over the streams, the folder, the environment and the arguments that Python was to be started with."""
    moved = [fcntl.fcntl(stream, fcntl.F_DUPFD, HIGH) for stream in streams]
    for stream in streams:
        os.close(stream)
    for stream, place in zip(moved, order["open"], strict=True):
        os.dup2(stream, place)
        os.close(stream)
    for name, place in (("stdout", 1), ("stderr", 2)):
        known: io.TextIOWrapper = getattr(sys, name)
        file = io.BufferedWriter(io.FileIO(place, "w", closefd=False))
        lines = place == 2 or os.isatty(place)
        fresh = io.TextIOWrapper(file, known.encoding, known.errors, line_buffering=lines)
        setattr(sys, name, fresh)
        setattr(sys, f"__{name}__", fresh)
    os.chdir(order["folder"])
    os.umask(order["umask"])
    os.environ.clear()
    os.environ.update(order["environment"])
    tempfile.tempdir = None
    sys.executable = order["program"]
    multiprocessing.spawn.set_executable(order["program"])
    sys.argv[1:] = order["arguments"]
    if not order["safely"]:
        sys.path.insert(0, order["folder"])


def serve(listening: str) -> None:
    """Fork until standard input closes."""
    forks = Forks(listening)
    print("ready", flush=True)  # noqa: T201
    forks.run()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        ask(sys.argv[2], sys.argv[3], sys.argv[4:])
