"""Agents that cheat on the protocol: real servers, in processes of their own, one Unix socket for each trick.

    python -m tests.hostile_agents FOLDER TRICK[,TRICK…]…

serves each trick on FOLDER/TRICK.sock, those with a comma between them in one process, until its input closes.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import torch
import torch._dynamo  # what optimizers import when they are first made
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auditor.providers.agent import worker
from auditor.providers.agent.agent_run import AgentRun
from auditor.providers.agent.app import make_app
from auditor.providers.agent.settings import AgentSettings
from auditor.providers.agent.worker import Worker
from auditor.store import BlobFolder
from auditor.tasks.checkpoint import Schema, encode, read
from auditor.tasks.trainer import Trainer

EVIL = "\\u001b]0;owned\\u0007\\u001b[31m[bold]evil\\u202e"


def misshapen(tensors: Mapping[str, torch.Tensor], _: Schema) -> Iterator[bytes | memoryview]:
    """A checkpoint of the right size whose tensors are transposed."""
    transposed = {name: tensor.permute(tuple(reversed(range(tensor.ndim)))) for name, tensor in tensors.items()}
    return encode(transposed, Schema.of(transposed))


def scaled(
    checkpoint: Callable[[Trainer], dict[str, torch.Tensor]], factor: float
) -> Callable[[Trainer], dict[str, torch.Tensor]]:
    """The checkpoints of a trainer with every number multiplied."""

    def scale(trainer: Trainer) -> dict[str, torch.Tensor]:
        tensors = checkpoint(trainer)
        return {name: tensor * factor if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}

    return scale


def idle(trainer: Trainer) -> torch.Tensor:
    """A training step without the work."""
    trainer._step += 1
    trainer.count_skipped()
    return torch.zeros(())


def miscounted(
    checkpoint: Callable[[Trainer], dict[str, torch.Tensor]],
) -> Callable[[Trainer], dict[str, torch.Tensor]]:
    """The checkpoints of a trainer with a step number that is one too large."""
    return lambda trainer: checkpoint(trainer) | {"step": torch.tensor(trainer.step + 1)}


def copying(train: Callable[[Worker, AgentRun, Trainer], None]) -> Callable[[Worker, AgentRun, Trainer], None]:
    """Training that is saved wherever the provider was given a checkpoint of the step that it is to come to."""

    def copy(self: Worker, agent_run: AgentRun, trainer: Trainer) -> None:
        boundary = agent_run.request.boundaries[-1]
        for path in (self._settings.folder / "blobs").glob("[0-9a-f]*"):
            if int(read(path, trainer.schema)["step"]) == boundary and agent_run.request.start_step < boundary:
                agent_run.committed(boundary, path.name)
                return
        train(self, agent_run, trainer)

    return copy


def claiming(
    train: Callable[[Worker, AgentRun, Trainer], None], *, given: bool
) -> Callable[[Worker, AgentRun, Trainer], None]:
    """Training that is saved by committing to a checkpoint that the client has: what it gave, or the first result."""
    first: list[str] = []

    def claim(self: Worker, agent_run: AgentRun, trainer: Trainer) -> None:
        if given or first:
            for boundary in agent_run.request.boundaries:
                agent_run.committed(boundary, (agent_run.request.start or "") if given else first[0])
            return
        train(self, agent_run, trainer)
        first.append(str(agent_run.commitment(agent_run.request.boundaries[-1])))

    return claim


def is_blob(scope: Scope) -> bool:
    return scope["method"] == "GET" and "/blobs/" in scope["path"]


def is_status(scope: Scope) -> bool:
    return scope["method"] == "GET" and "/runs/" in scope["path"]


async def reply(send: Send, body: bytes, length: int | None = None) -> None:
    headers = [(b"content-length", str(len(body) if length is None else length).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def signing_wrongly(app: ASGIApp, trick: str) -> ASGIApp:
    """The application with the signatures of its commitments spoilt, or its signing key gone once it trains."""
    begun = False

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal begun

        async def spoilt(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [pair for pair in message["headers"] if pair[0] != b"content-length"]}
            else:
                said = json.loads(message["body"] or b"{}")
                for made in said.get("commitments", []):
                    made["signature"] = "0" * 128 if trick == "forges" else None
                if trick == "rekeyed" and begun:
                    said = {key: value for key, value in said.items() if key != "signing_key"}
                message = {**message, "body": json.dumps(said).encode()}
            await send(message)

        begun = begun or is_status(scope)
        asked = is_status(scope) or scope["path"].endswith("/identity")
        await app(scope, receive, spoilt if asked else send)

    return serve


def cheating(app: ASGIApp, trick: str) -> ASGIApp:
    """The application with its answers tampered with."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
        elif trick == "truncates" and is_blob(scope):
            await reply(send, b"x" * 1000)
        elif trick == "swaps" and is_blob(scope):
            await reply(send, b"x" * 633056)
        elif trick == "floods" and is_blob(scope):
            await reply(send, b"x" * 2_000_000)
        elif trick == "silent" and is_status(scope):
            await asyncio.sleep(3600)
        elif trick == "babbles" and is_status(scope):
            await reply(send, b"\xff\xfe<html>" + b"\x1b[2J")
        elif trick == "huge" and is_status(scope):
            await reply(send, b'{"id": "' + b"x" * 3_000_000 + b'"}')
        elif trick == "boasts" and is_status(scope):
            name = scope["path"].rpartition("/")[2]
            status = f'{{"id": "{name}", "state": "finished", "version": 9, "step": 10, "loss": null, '
            await reply(send, (status + '"commitments": [], "error": null}').encode())
        elif trick == "fails" and is_status(scope):
            name = scope["path"].rpartition("/")[2]
            status = f'{{"id": "{name}", "state": "failed", "version": 9, "step": 10, "loss": null, '
            await reply(send, (status + f'"commitments": [], "error": "{EVIL}"}}').encode())
        elif trick == "dies_midway" and is_blob(scope):
            headers = [(b"content-length", b"633056")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            await asyncio.sleep(0.5)  # what was sent is on its way
            os._exit(1)
        elif trick.startswith("hangs_up") and is_status(scope):
            os._exit(1)
        else:
            await app(scope, receive, send)

    return serve


async def hiccups(folder: Path, honest: Path) -> None:
    """Pass an honest agent's bytes on, but close every other connection as soon as something is asked."""
    count = 0

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        asked = await reader.read(1 << 16)
        if count % 2 == 0:
            beyond, within = await asyncio.open_unix_connection(honest)
            within.write(asked)
            with suppress(OSError):
                await asyncio.wait(
                    [asyncio.create_task(copy(reader, within)), asyncio.create_task(copy(beyond, writer))],
                    return_when=asyncio.FIRST_COMPLETED,
                )
            within.close()
        writer.close()

    await (await asyncio.start_unix_server(converse, folder / "hiccups.sock")).serve_forever()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


def agent(folder: Path, trick: str) -> uvicorn.Server:
    # Honest ones may share a seed by mistake, as two that were set up from one image do.
    seed = 5 if trick.startswith("twin") else None
    settings = AgentSettings(trick, "cpu", 1, folder / trick, folder / "datasets", seed=seed)
    honest = make_app(settings)
    app = signing_wrongly(honest, trick) if trick in ("forges", "unsigned", "rekeyed") else cheating(honest, trick)
    config = uvicorn.Config(app, uds=str(folder / f"{trick}.sock"), log_level="error", lifespan="off")
    return uvicorn.Server(config)


def serve(folder: Path, tricks: Sequence[str]) -> None:
    """Serve these tricks in this process; some of them change all of it."""
    torch.set_num_threads(1)
    if "misshapes" in tricks:
        worker.encode = misshapen  # type: ignore[attr-defined, assignment]
    if "nan" in tricks:
        Trainer.checkpoint = scaled(Trainer.checkpoint, float("nan"))  # type: ignore[method-assign, assignment]
    if "enormous" in tricks:
        Trainer.checkpoint = scaled(Trainer.checkpoint, 1e30)  # type: ignore[method-assign, assignment]
    if "miscounts" in tricks:
        Trainer.checkpoint = miscounted(Trainer.checkpoint)  # type: ignore[method-assign, assignment]
    if "copies" in tricks:
        Worker._train = copying(Worker._train)  # type: ignore[method-assign, assignment]
        BlobFolder.remove = lambda *_: None  # type: ignore[method-assign]
    if tricks[0] in ("gives_back", "repeats"):
        Worker._train = claiming(Worker._train, given="gives_back" in tricks)  # type: ignore[method-assign, assignment]
        BlobFolder.remove = lambda *_: None  # type: ignore[method-assign]
    if "idles" in tricks:
        Trainer.execute_step = idle  # type: ignore[method-assign, assignment]

    async def together() -> None:
        served = [agent(folder, "honest" if trick == "hiccups" else trick).serve() for trick in tricks]
        if "hiccups" in tricks:
            served.append(hiccups(folder, folder / "honest.sock"))
        await asyncio.gather(*served)

    asyncio.run(together())


def main() -> None:
    """Fork a process for each group; what it needs is imported once."""
    children = []
    for group in sys.argv[2:]:
        child = os.fork()
        if child == 0:
            try:
                serve(Path(sys.argv[1]), group.split(","))
            finally:
                os._exit(0)
        children.append(child)
    sys.stdin.read()
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
    os._exit(0)


if __name__ == "__main__":
    main()
