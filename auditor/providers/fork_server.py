"""A process that imports PyTorch once and forks an agent for each local provider.

Sixteen agents that each import PyTorch take minutes on two cores; forked ones are there at once and share its
memory. Nothing here touches CUDA or starts a thread, so that forking is safe.

It reads one JSON object a line from its standard input, an agent to start each, and writes one a line to its
standard output for each agent that ended. Its standard input closes when the process that started it is done or
dead. Then it ends all agents, removes the folder with their sockets, and ends itself. Agents also watch a pipe that
closes with this process.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from auditor.providers.landlock import NoLandlock, hide
from auditor.providers.socket_folder import remove_socket_folder

GRACE_SECONDS = 5


def main() -> None:
    """Preload, then fork agents until standard input closes."""
    # The imports are the point: children inherit them. Optimizers import torch._dynamo when they are first made.
    import torch
    import torch._dynamo

    import auditor.providers.agent.http_server  # noqa: F401

    torch.set_num_threads(1)
    with suppress(SystemExit):  # of a SIGTERM
        _Forks(Path(sys.argv[1])).run()
    # Python takes seconds to take apart what was imported, and the process that started this one waits.
    os._exit(0)


class _Forks:
    def __init__(self, sockets: Path) -> None:
        self._sockets = sockets
        self._names: dict[int, str] = {}
        self._lifeline, self._held = os.pipe()
        self._woken, self._waker = os.pipe()
        for end in (self._woken, self._waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    def run(self) -> None:
        _say({"ready": True})
        selector = selectors.DefaultSelector()
        selector.register(0, selectors.EVENT_READ)
        selector.register(self._woken, selectors.EVENT_READ)
        pending = b""
        try:
            while True:
                for key, _ in selector.select():
                    if key.fd == self._woken:
                        os.read(self._woken, 512)
                        self._reap()
                        continue
                    received = os.read(0, 1 << 16)
                    if not received:
                        return
                    *lines, pending = (pending + received).split(b"\n")
                    for line in lines:
                        self._fork(json.loads(line))
        finally:
            self._end_all()
            remove_socket_folder(self._sockets)

    def _fork(self, order: dict[str, Any]) -> None:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                self._become_agent(order)
            except SystemExit:
                pass
            except BaseException:
                import traceback

                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
        self._names[child] = order["name"]

    def _become_agent(self, order: dict[str, Any]) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (self._held, self._woken, self._waker):
            os.close(end)
        os.umask(0o077)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.chdir("/")
        output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)

        from auditor.providers.agent.temporary_files import keep_temporary_files

        keep_temporary_files(Path(order["folder"]))
        _set_apart(order, self._sockets)
        threading.Thread(target=_end_with, args=(self._lifeline,), daemon=True).start()

        from auditor.job.plugin_file import PluginFile
        from auditor.providers.agent.http_server import serve
        from auditor.providers.agent.limits import WITHOUT_LIMITS
        from auditor.providers.agent.private_socket import private_socket
        from auditor.providers.agent.settings import AgentSettings

        socket = Path(order["socket"])
        settings = AgentSettings(
            name=order["name"],
            device=order["device"],
            threads=order["threads"],
            folder=Path(order["folder"]),
            downloads=Path(order["downloads"]),
            downloading=True,
            allow_code=True,
            data={name: Path(path) for name, path in order["data"].items()},
            confiding=True,
            limits=WITHOUT_LIMITS,
            attack=order["attack"],
            plugins=tuple(PluginFile.model_validate(file) for file in order["plugins"]),
            measurement_seed=order["measurement_seed"],
            seed=order["seed"],
        )
        with private_socket(socket) as listening:
            serve(settings, listening)

    def _reap(self) -> None:
        while self._names:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            name = self._names.pop(child, None)
            if name is not None:
                _say({"ended": name, "code": os.waitstatus_to_exitcode(status)})

    def _end_all(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for child in self._names:
            os.kill(child, signal.SIGTERM)
        signal.signal(signal.SIGALRM, lambda *_: self._kill_all())
        signal.alarm(GRACE_SECONDS)
        for child in list(self._names):
            try:
                os.waitpid(child, 0)
            except ChildProcessError:
                continue

    def _kill_all(self) -> None:
        for child in self._names:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _set_apart(order: dict[str, Any], sockets: Path) -> None:
    """Keep what the client keeps from an adversary that it has simulated; nothing is kept from an honest agent.

    No thread may have been started before.
    """
    if order["hidden"] is None:
        return
    own = Path(order["folder"])
    needed = [order["downloads"], *order["data"].values(), sys.prefix, sys.base_prefix, *sys.path]
    try:
        hide(Path(order["hidden"]), but=(own, sockets), read_only=map(Path, needed))
    except NoLandlock as error:
        message = f"the client's files cannot be protected from simulated attacks here: {error.strerror}"
        print(message, file=sys.stderr, flush=True)  # noqa: T201


def _end_with(lifeline: int) -> None:
    """End this process when the pipe's other end closes, which happens when the fork server is gone."""
    os.read(lifeline, 1)
    os._exit(0)


def _say(message: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        return


if __name__ == "__main__":
    main()
