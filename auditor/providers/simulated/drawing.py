"""What executes the runs of a simulated provider: it draws what a training would have returned."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

from auditor.providers.agent.agent_run import AgentRun
from auditor.providers.agent.clients import Clients
from auditor.providers.agent.executor import Executor
from auditor.providers.agent.settings import AgentSettings
from auditor.providers.protocol import Simulation
from auditor.providers.simulated.drawn_checkpoint import Draw, NotDrawable, drawn_checkpoint

log = logging.getLogger("auditor.simulated")


class Drawing(Executor):
    """Draws the checkpoints of one simulated provider.

    Args:
        settings: of the agent.
        clients: where checkpoints are kept.
        deviation: as `SimulatedEndpoint.deviation`.
        thread: where all simulated providers of a process draw, one run after another.
    """

    def __init__(self, settings: AgentSettings, clients: Clients, deviation: float, thread: ThreadPoolExecutor) -> None:
        self._settings = settings
        self._clients = clients
        self._deviation = deviation
        self._thread = thread

    def submit(self, agent_run: AgentRun) -> None:
        """See `Executor`."""
        self._thread.submit(self._execute, agent_run)

    async def simulation(self, agent_run: AgentRun) -> Simulation | None:
        """See `Executor`. What deviates here is no attack, and achieves nothing."""
        return None

    def _execute(self, agent_run: AgentRun) -> None:
        try:
            agent_run.entered("training")
            self._draw(agent_run)
            agent_run.entered("cancelled" if agent_run.cancelled.is_set() else "finished")
        except NotDrawable as error:
            agent_run.entered("failed", str(error))
        except Exception as error:  # a full disk, or a checkpoint of a form that is not known here, ends this run only
            log.exception("run %s failed", agent_run.request.id)
            agent_run.entered("failed", f"{type(error).__name__}: {error}")

    def _draw(self, agent_run: AgentRun) -> None:
        request, word = agent_run.request, agent_run.word
        if request.start is None:
            raise NotDrawable("a simulated provider draws no initial state")
        checkpoint = self._clients.blobs(word).path(request.start).read_bytes()
        seed = request.seed if request.seed is not None else self._settings.own_seed(word)
        for first, last in zip(request.steps, request.steps[1:], strict=False):
            if agent_run.cancelled.is_set():
                return
            draw = Draw(
                steps=last - first,
                end=last,
                batches=request.training.accumulate,
                seed=seed,
                own=self._settings.own_seed(word),
                deviation=self._deviation,
            )
            checkpoint = drawn_checkpoint(checkpoint, draw)
            agent_run.committed(last, self._clients.keep(word, [checkpoint]))
