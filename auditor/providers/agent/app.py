"""The HTTP face of an agent: the protocol as a Starlette application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from auditor import __version__
from auditor.providers.agent.execution import Execution
from auditor.providers.agent.settings import AgentSettings
from auditor.providers.agent.worker import Worker
from auditor.providers.protocol import PREFIX, VERSION, Identity, RunRequest
from auditor.providers.reading import MAX_JSON
from auditor.store.blobs import BlobError

MAX_WAIT = 30.0
"""Seconds that an answer to a question about progress is held back at most."""

Handler = Callable[[Request], Awaitable[Response]]


def make_app(settings: AgentSettings) -> Starlette:
    """The application of an agent; it trains in a thread that lives as long as the process."""
    return _Agent(settings).app


class _Refusal(Exception):  # noqa: N818
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Agent:
    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._worker = Worker(settings)
        self._runs: dict[str, Execution] = {}
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/identity", self._identity),
            ("GET", "/blobs/{digest}", self._get_blob),  # and HEAD
            ("PUT", "/blobs/{digest}", self._put_blob),
            ("DELETE", "/blobs/{digest}", self._release),
            ("POST", "/runs", self._start),
            ("GET", "/runs/{id}", self._status),
            ("DELETE", "/runs/{id}", self._cancel),
            ("GET", "/runs/{id}/simulation", self._simulation),
        ]
        self.app = Starlette(
            routes=[Route(PREFIX + path, endpoint, methods=[method]) for method, path, endpoint in routes],
            exception_handlers={
                _Refusal: lambda _, error: _error(error.status, str(error)),
                BlobError: lambda _, error: _error(400, str(error)),
                OSError: lambda _, error: _error(507, f"cannot store it: {error}"),
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
            )
        )

    async def _get_blob(self, request: Request) -> Response:
        digest = request.path_params["digest"]
        if not self._worker.blobs.has(digest):
            raise _Refusal(404, "this blob is not here")
        return FileResponse(self._worker.blobs.path(digest), media_type="application/octet-stream")

    async def _put_blob(self, request: Request) -> Response:
        digest = request.path_params["digest"]
        if self._worker.blobs.has(digest):
            return Response(status_code=204)
        with self._worker.blobs.receive() as incoming:
            async for piece in request.stream():
                incoming.write(piece)
            incoming.keep(expected=digest)
        return Response(status_code=201)

    async def _start(self, request: Request) -> Response:
        if int(request.headers.get("content-length", MAX_JSON + 1)) > MAX_JSON:
            raise _Refusal(413, "the request is too long")
        try:
            wanted = RunRequest.model_validate_json(await request.body())
        except ValidationError as error:
            raise _Refusal(422, f"not a run request: {error.errors()[0]['msg']}") from None
        steps = (wanted.start_step, *wanted.boundaries)
        if len(steps) < 2 or list(steps) != sorted(set(steps)) or steps[-1] > wanted.training.steps:
            raise _Refusal(422, "boundaries must rise from the start step and end within the training")
        known = self._runs.get(wanted.id)
        if known is not None and known.request != wanted:
            raise _Refusal(409, "another run has this id")
        if known is None:
            if not self._worker.blobs.has(wanted.start):
                raise _Refusal(404, "the checkpoint to start from was not uploaded")
            known = self._runs[wanted.id] = Execution(wanted, asyncio.get_running_loop())
            self._worker.submit(known)
        return _answer(known.status(0))

    async def _status(self, request: Request) -> Response:
        execution = self._run(request)
        try:
            version = int(request.query_params.get("version", -1))
            first = max(0, int(request.query_params.get("from", 0)))
            wait = min(MAX_WAIT, float(request.query_params.get("wait", 0)))
        except ValueError:
            raise _Refusal(422, "version, from and wait are numbers") from None
        await execution.wait_for_news(version, wait)
        return _answer(execution.status(first))

    async def _cancel(self, request: Request) -> Response:
        self._run(request).cancelled.set()
        return Response(status_code=202)

    async def _release(self, request: Request) -> Response:
        self._worker.blobs.remove(request.path_params["digest"])
        return Response(status_code=204)

    async def _simulation(self, request: Request) -> Response:
        simulation = await self._worker.simulation(self._run(request))
        if simulation is None:
            raise _Refusal(404, "nothing is simulated here")
        return _answer(simulation)

    def _run(self, request: Request) -> Execution:
        try:
            return self._runs[request.path_params["id"]]
        except KeyError:
            raise _Refusal(404, "no run has this id") from None


def _answer(message: BaseModel) -> Response:
    return Response(message.model_dump_json(), media_type="application/json")


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status)
