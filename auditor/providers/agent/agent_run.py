"""One run at an agent: what was asked for, how far it is, and who waits for it."""

from __future__ import annotations

import asyncio
import math
import threading

from auditor.job.task import Task
from auditor.providers.agent.signing_key import SigningKey
from auditor.providers.protocol import COMMITMENTS_A_PAGE, Commitment, RunRequest, RunStatus, State


class AgentRun:
    """The state of a run, written by the training thread and read by the server.

    Args:
        request: what was asked for.
        task: that of the request, with the paths of the files that it names.
        word: what the client is known by.
        loop: where those that wait for news wait.
        signing_key: signs what is committed to.
    """

    def __init__(
        self,
        request: RunRequest,
        task: Task,
        word: str,
        loop: asyncio.AbstractEventLoop,
        signing_key: SigningKey,
    ) -> None:
        self.request = request
        self.task = task
        self.word = word
        self.cancelled = threading.Event()
        self._loop = loop
        self._signing_key = signing_key
        self._news = asyncio.Event()
        self._lock = threading.Lock()
        self._state: State = "queued"
        self._version = 0
        self._step = request.start_step
        self._loss: float | None = None
        self._commitments: list[Commitment] = []
        self._error: str | None = None
        self._seed: int | None = None

    def disclosed(self, seed: int) -> None:
        """The provider drew this seed, and the client asked which."""
        with self._lock:
            self._seed = seed

    def progressed(self, step: int, loss: float) -> None:
        """A step was completed. Clients that wait are not woken for it."""
        with self._lock:
            self._step = step
            self._loss = loss if math.isfinite(loss) else None

    def committed(self, step: int, digest: str) -> None:
        """A boundary was reached and its checkpoint kept."""
        signature = self._signing_key.commitment(self.request.id, self.request.provider, step, digest)
        with self._lock:
            self._step = step
            self._commitments.append(Commitment(step=step, digest=digest, signature=signature))
        self._tell()

    def entered(self, state: State, error: str | None = None) -> None:
        """The run got into another state."""
        with self._lock:
            self._state = state
            self._error = error
        self._tell()

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self._state in ("finished", "failed", "cancelled")

    def commitment(self, step: int) -> str | None:
        """The digest committed to at `step`, if that boundary was reached."""
        with self._lock:
            return next((made.digest for made in self._commitments if made.step == step), None)

    def status(self, first: int) -> RunStatus:
        """The present state, with the commitments from index `first`."""
        with self._lock:
            return RunStatus(
                id=self.request.id,
                state=self._state,
                version=self._version,
                step=self._step,
                loss=self._loss,
                commitments=tuple(self._commitments[first : first + COMMITMENTS_A_PAGE]),
                error=self._error,
                seed=self._seed,
            )

    async def wait_for_news(self, version: int, seconds: float) -> None:
        """Return once the version is over `version`, or after `seconds`."""
        deadline = self._loop.time() + seconds
        while self._version <= version and not self.over and (left := deadline - self._loop.time()) > 0:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                return

    def _tell(self) -> None:
        with self._lock:
            self._version += 1
        self._loop.call_soon_threadsafe(self._news.set)
