"""The runs that an agent remembers: those under way, and those that ended and may still be asked for."""

from __future__ import annotations

import time
from collections.abc import Callable

from auditor.providers.agent.agent_run import AgentRun
from auditor.providers.agent.limits import Full, Limits

SPARED_SECONDS = 60.0
"""A run that ended is not forgotten for another within so long: who started it may be about to ask."""


class Runs:
    """By client and id; nobody sees another's."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._runs: dict[tuple[str, str], AgentRun] = {}
        self._asked: dict[tuple[str, str], float] = {}

    def find(self, word: str, run: str) -> AgentRun | None:
        """A run of a client, which is remembered as having asked for it now."""
        key = (word, run)
        found = self._runs.get(key)
        if found is not None:
            self._asked[key] = time.monotonic()
        return found

    def add(self, word: str, agent_run: AgentRun) -> None:
        """Remember a run; where there is no room, runs that ended are forgotten, the longest ago first.

        Raises:
            Full: all others are under way, or ended just now; or the client has as many as one may have.
        """
        self._forget_older(SPARED_SECONDS, enough=lambda: self._own(word) < self._limits.client_runs, of=word)
        if self._own(word) >= self._limits.client_runs:
            raise Full("this agent already has as many runs of this client as its owner allows; try again later")
        self._forget_older(SPARED_SECONDS, enough=lambda: self._has_room(agent_run))
        if not self._has_room(agent_run):
            raise Full("this agent already has as many runs as its owner allows; try again later")
        key = (word, agent_run.request.id)
        self._runs[key] = agent_run
        self._asked[key] = time.monotonic()

    def forget(self) -> None:
        """Forget runs that ended and that nobody has asked for in long."""
        self._forget_older(self._limits.forget_seconds, enough=lambda: False)

    @property
    def busy(self) -> set[str]:
        """The clients that have a run under way."""
        return {word for (word, _), agent_run in self._runs.items() if not agent_run.over}

    def _own(self, word: str) -> int:
        return sum(owner == word for owner, _ in self._runs)

    def _has_room(self, agent_run: AgentRun) -> bool:
        boundaries = sum(len(known.request.boundaries) for known in (*self._runs.values(), agent_run))
        return len(self._runs) < self._limits.runs and boundaries <= self._limits.boundaries

    def _forget_older(self, seconds: float, enough: Callable[[], bool], of: str | None = None) -> None:
        now = time.monotonic()
        for key in sorted(self._runs, key=lambda key: self._asked[key]):
            if enough():
                return
            if of is not None and key[0] != of:
                continue
            if self._runs[key].over and now - self._asked[key] > seconds:
                del self._runs[key], self._asked[key]
