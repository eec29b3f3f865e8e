"""The HTTP face of an agent: the protocol as a Starlette application."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auditor import __version__
from auditor.job.task import Task
from auditor.providers.agent.agent_run import AgentRun
from auditor.providers.agent.bodies import TooLong, paced, short_body
from auditor.providers.agent.clients import Clients
from auditor.providers.agent.executor import Executor
from auditor.providers.agent.gate import Gate
from auditor.providers.agent.limits import Full
from auditor.providers.agent.runs import Runs
from auditor.providers.agent.settings import AgentSettings
from auditor.providers.agent.signing_key import SigningKey
from auditor.providers.agent.tosses import NotRevealed, Tosses, UnknownToss
from auditor.providers.agent.transfers import NoSuchPart, begun_bytes, checkpoint_answer, first_byte
from auditor.providers.file_names import NotOffered, found_task
from auditor.providers.json_reader import Nonsense, read_message
from auditor.providers.operations import OPERATIONS
from auditor.providers.protocol import (
    CLIENT_HEADER,
    CLIENT_WORD,
    OFFSET_HEADER,
    PREFIX,
    RUN_ID,
    VERSION,
    Identity,
    RunRequest,
    TossCommitted,
    TossList,
    TossRequest,
    TossReveal,
)
from auditor.store.blobs import BlobError

MAX_WAIT = 30.0
"""Seconds that an answer to a question about progress is held back at most."""

Handler = Callable[[Request], Awaitable[Response]]
MakeExecutor = Callable[[AgentSettings, Clients], Executor]


def make_app(settings: AgentSettings, make_executor: MakeExecutor | None = None) -> Starlette:
    """The application of an agent.

    Args:
        settings: of the agent.
        make_executor: makes what executes its runs; without it they are trained, in a thread that lives as long as the
            process.
    """
    if make_executor is None:
        from auditor.providers.agent.worker import Worker  # imports PyTorch, which not all need

        return _Agent(settings, Worker).app
    return _Agent(settings, make_executor).app


class _Refusal(Exception):  # noqa: N818
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Agent:
    def __init__(self, settings: AgentSettings, make_executor: MakeExecutor) -> None:
        self._settings = settings
        self._clients = Clients(settings.folder, settings.limits)
        self._signing_key = SigningKey(settings.folder)
        self._executor = make_executor(settings, self._clients)
        self._runs = Runs(settings.limits)
        self._tosses = Tosses(settings.own_secret, self._clients, settings.limits)
        handlers: dict[str, Handler] = {
            "identity": self._identity,
            "fetch": self._get_blob,
            "upload": self._put_blob,
            "release": self._release,
            "start": self._start,
            "status": self._status,
            "cancel": self._cancel,
            "simulation": self._simulation,
            "commit": self._commit,
            "reveal": self._reveal,
        }
        limits = settings.limits
        self.app = Starlette(
            routes=[Route(PREFIX + one.path, handlers[one.name], methods=[one.method]) for one in OPERATIONS],
            middleware=[Middleware(Gate, settings.token_digest, limits.requests_per_minute)],
            exception_handlers={
                _Refusal: lambda _, error: _error(error.status, str(error)),
                BlobError: lambda _, error: _error(400, str(error)),
                NotOffered: lambda _, error: _error(403, str(error)),
                UnknownToss: lambda _, error: _error(404, str(error)),
                NotRevealed: lambda _, error: _error(409, str(error)),
                NoSuchPart: lambda _, error: _error(416, str(error), {"content-range": f"bytes */{error.size}"}),
                Full: lambda _, error: _error(507, str(error)),
                TooLong: lambda _, error: _error(413, str(error)),
                TimeoutError: lambda _, __: _error(408, "the request arrives too slowly"),
                OSError: lambda _, error: _error(507, f"cannot store it: {getattr(error, 'strerror', None)}"),
                ClientDisconnect: lambda _, __: Response(status_code=499),
            },
        )

    async def _identity(self, _: Request) -> Response:
        return _answer(
            Identity(
                protocol=VERSION,
                name=self._settings.name,
                device=self._settings.device,
                threads=self._settings.threads,
                software=f"auditor {__version__}",
                signing_key=self._signing_key.public,
            )
        )

    async def _get_blob(self, request: Request) -> Response:
        digest = request.path_params["digest"]
        blobs = self._clients.blobs(_word(request))
        if not await asyncio.to_thread(blobs.has, digest):
            refusal = _error(404, "this agent does not have this blob")
            if request.method == "HEAD":
                refusal.headers[OFFSET_HEADER] = str(await begun_bytes(blobs, digest))
            return refusal
        return checkpoint_answer(blobs.path(digest), request)

    async def _put_blob(self, request: Request) -> Response:
        digest, word = request.path_params["digest"], _word(request)
        if await asyncio.to_thread(self._clients.blobs(word).has, digest):
            return Response(status_code=204)
        try:
            offset = first_byte(request.headers.get("content-range"))
        except Nonsense as error:
            raise _Refusal(422, str(error)) from None
        self._forget(word)
        with self._clients.receive(word, digest) as room:
            if not await asyncio.to_thread(room.take_up, offset):
                raise _Refusal(409, f"this agent does not have the first {offset:,} bytes of this blob")
            room.expect(_declared(request))
            async for piece in paced(request.stream()):
                room.write(piece)
            await asyncio.to_thread(room.incoming.keep, digest)
        return Response(status_code=201)

    async def _start(self, request: Request) -> Response:
        word = _word(request)
        try:
            wanted = read_message(await short_body(request.stream()), RunRequest)
        except Nonsense as error:
            raise _Refusal(422, f"not a run request: {error}") from None
        steps = wanted.steps
        if len(steps) < 2 or list(steps) != sorted(set(steps)) or steps[-1] > wanted.training.steps:
            raise _Refusal(422, "boundaries must increase from the start step and end within the training")
        if wanted.start is None and (wanted.start_step, wanted.boundaries[0]) != (0, 0):
            raise _Refusal(422, "without a checkpoint to start from, the run and its boundaries begin at step 0")
        if wanted.start is None and wanted.training.initial is not None:
            raise _Refusal(422, "a training with an initial checkpoint starts from one that was uploaded")
        known = self._runs.find(word, wanted.id)
        if known is not None and known.request != wanted:
            raise _Refusal(409, "another run already has this id")
        if known is None:
            task = self._found(wanted.task, word)
            if wanted.start is not None and not await asyncio.to_thread(self._clients.blobs(word).has, wanted.start):
                raise _Refusal(404, "the checkpoint to start from was not uploaded")
            self._forget(word)
            known = AgentRun(wanted, task, word, asyncio.get_running_loop(), self._signing_key)
            self._runs.add(word, known)
            self._executor.submit(known)
        return _answer(known.status(0))

    def _found(self, task: Task, word: str) -> Task:
        """A client's task with the paths of what it names: what the owner offers, and what the client sent."""
        code = task.code
        if not self._settings.executes(code):
            raise NotOffered(
                "this agent does not execute clients' code; its owner can allow any with --allow-code, or this alone "
                f"with --allow-digest {code}"
            )
        blobs = self._clients.blobs(word)

        def find(name: str) -> Path | None:
            digest = name.partition("-")[2]
            if name not in self._settings.data and task.ships and blobs.has(digest):
                return blobs.path(digest)
            return self._settings.data.get(name)

        return found_task(task, find, downloads=self._settings.downloading)

    async def _status(self, request: Request) -> Response:
        agent_run = self._run(request)
        try:
            version = int(request.query_params.get("version", -1))
            first = max(0, int(request.query_params.get("from", 0)))
            wait = min(MAX_WAIT, float(request.query_params.get("wait", 0)))
        except ValueError:
            raise _Refusal(422, "version, from and wait are numbers") from None
        await agent_run.wait_for_news(version, wait)
        return _answer(agent_run.status(first))

    async def _cancel(self, request: Request) -> Response:
        self._run(request).cancelled.set()
        return Response(status_code=202)

    async def _release(self, request: Request) -> Response:
        self._clients.blobs(_word(request)).remove(request.path_params["digest"])
        return Response(status_code=204)

    async def _simulation(self, request: Request) -> Response:
        simulation = await self._executor.simulation(self._run(request))
        if simulation is None:
            raise _Refusal(404, "this agent simulates no attacks")
        return _answer(simulation)

    async def _commit(self, request: Request) -> Response:
        word, toss = _word(request), _toss(request)
        try:
            wanted = read_message(await short_body(request.stream()), TossRequest)
        except Nonsense as error:
            raise _Refusal(422, f"not a toss: {error}") from None
        self._forget(word)
        return _answer(TossCommitted(commitment=self._tosses.commit(word, toss, wanted)))

    async def _reveal(self, request: Request) -> Response:
        word, toss = _word(request), _toss(request)
        try:
            listed = read_message(await short_body(request.stream()), TossList)
        except Nonsense as error:
            raise _Refusal(422, f"not a list of commitments: {error}") from None
        opening = self._tosses.reveal(word, toss, listed)
        return _answer(TossReveal(value=opening.value, salt=opening.salt))

    def _run(self, request: Request) -> AgentRun:
        word = _word(request)
        self._clients.blobs(word)  # who asks for news is still there
        found = self._runs.find(word, request.path_params["id"])
        if found is None:
            raise _Refusal(404, "no run has this id")
        return found

    def _forget(self, word: str) -> None:
        """Forget what nobody has asked for in long; done when something new comes, from the client `word`."""
        self._runs.forget()
        self._clients.forget(self._runs.busy | {word})


def _declared(request: Request) -> int:
    """How many bytes a request says that it brings; 0 where it does not say."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 20 else 0


def _word(request: Request) -> str:
    word = request.headers.get(CLIENT_HEADER, "")
    if not re.fullmatch(CLIENT_WORD, word):
        raise _Refusal(401, f"the header {CLIENT_HEADER} must identify the client by 16 to 128 letters, digits, - or _")
    return word


def _toss(request: Request) -> str:
    toss = str(request.path_params["id"])
    if not re.fullmatch(RUN_ID, toss):
        raise _Refusal(422, "a toss is named by up to 128 letters, digits and any of ._-")
    return toss


def _answer(message: BaseModel) -> Response:
    return Response(message.model_dump_json(), media_type="application/json")


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers=headers)
