"""The training thread of an agent: executes one run after another."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from auditor.job.task import Task
from auditor.plugins.catalogue import Catalogue, PluginError
from auditor.plugins.guard import GuardedAttack
from auditor.providers.agent.agent_run import AgentRun
from auditor.providers.agent.clients import Clients
from auditor.providers.agent.executor import Executor
from auditor.providers.agent.limits import Full
from auditor.providers.agent.settings import AgentSettings
from auditor.providers.protocol import Simulation
from auditor.tasks.checkpoint import encode, read
from auditor.tasks.errors import Cancelled, CheckpointError, TrainingError
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program, load_program

REPORT_SECONDS = 0.2
"""How often the loss is fetched from the device, which must then finish what it has begun."""

log = logging.getLogger("auditor.agent")


class Worker(Executor):
    """Executes runs in a separate thread, in the order of the requests."""

    def __init__(self, settings: AgentSettings, clients: Clients) -> None:
        self._settings = settings
        self._clients = clients
        self._plugins = Catalogue(settings.plugins)
        self._thread = ThreadPoolExecutor(
            1, "training", initializer=torch.set_num_threads, initargs=(settings.threads,)
        )
        self._programs: dict[Task, Program] = {}
        self._prepared: tuple[tuple[object, ...], Learner] | None = None

    def submit(self, agent_run: AgentRun) -> None:
        """See `Executor`."""
        self._thread.submit(self._execute, agent_run)

    async def simulation(self, agent_run: AgentRun) -> Simulation | None:
        """See `Executor`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._measure, agent_run)

    def _execute(self, agent_run: AgentRun) -> None:
        try:
            if agent_run.cancelled.is_set():
                raise Cancelled
            agent_run.entered("preparing")
            learner = self._prepare(agent_run, anew=agent_run.request.start is None)
            if agent_run.request.disclose:
                agent_run.disclosed(self._seed(agent_run))
            begun = self._begin(agent_run, learner)
            agent_run.entered("training")
            if begun is not None:
                agent_run.committed(0, self._clients.keep(agent_run.word, encode(begun, learner.schema)))
            self._train(agent_run, learner)
            agent_run.entered("finished")
        except Cancelled:
            agent_run.entered("cancelled")
        except (TrainingError, CheckpointError, PluginError, Full) as error:
            # The author of a plugin wants to see where it failed.
            log.error("run %s failed: %s", agent_run.request.id, error, exc_info=error.__cause__)
            agent_run.entered("failed", str(error))
        except Exception as error:  # whatever a model, a plugin or the machine raises ends this run only
            log.exception("run %s failed", agent_run.request.id)
            said = f": {error}" if self._settings.confiding else ""
            agent_run.entered("failed", f"{type(error).__name__}{said}")

    def _begin(self, agent_run: AgentRun, learner: Learner) -> dict[str, Tensor] | None:
        """Load what the run starts from; returns the initial state where that is this provider's own."""
        start = agent_run.request.start
        if start is None:
            return learner.begin()
        learner.load(read(self._clients.blobs(agent_run.word).path(start), learner.schema))
        if learner.step != agent_run.request.start_step:
            raise CheckpointError(f"its step is {learner.step}, not {agent_run.request.start_step}.")
        return None

    def _train(self, agent_run: AgentRun, learner: Learner) -> None:
        reported = 0.0
        for boundary in agent_run.request.steps[1:]:
            if agent_run.cancelled.is_set():
                raise Cancelled
            for loss in learner.execute(boundary):
                if agent_run.cancelled.is_set():
                    raise Cancelled
                if loss is not None and (learner.step == boundary or time.monotonic() - reported > REPORT_SECONDS):
                    agent_run.progressed(learner.step, float(loss))
                    reported = time.monotonic()
            agent_run.committed(
                boundary, self._clients.keep(agent_run.word, encode(learner.checkpoint(), learner.schema))
            )
            log.info("run %s reached step %d", agent_run.request.id, boundary)

    def _seed(self, agent_run: AgentRun) -> int:
        """The seed of a run: the client's, or this agent's own."""
        given = agent_run.request.seed
        return given if given is not None else self._settings.own_seed(agent_run.word)

    def _prepare(self, agent_run: AgentRun, *, anew: bool = False) -> Learner:
        """A learner for what is asked; the last one again if it was made for the same job and seed, unless `anew`.

        Only one that was just made is in the initial state.
        """
        request, seed = agent_run.request, self._seed(agent_run)
        made_for = (request.task, request.training, request.dataset_digest, request.sub_run_steps, seed)
        if anew or self._prepared is None or self._prepared[0] != made_for:
            start = self._clients.blobs(agent_run.word).path(request.start) if request.start else None
            attack, client, program = None, None, self._program(agent_run).shaped_as(start)
            device = torch.device(self._settings.device)
            if self._settings.attack is not None:
                origin = self._plugins.origin("attacks", str(self._settings.attack["name"]))
                attack = GuardedAttack(self._plugins.create_attack(self._settings.attack), origin)
                if self._settings.measurement_seed is not None:
                    honest = program.learner(request.training, device=device, seed=seed)
                    client = program.metric_context(honest.outline(), self._settings.measurement_seed)
            learner = program.learner(
                request.training,
                device=device,
                seed=seed,
                attack=attack,
                sub_run_steps=request.sub_run_steps,
                client=client,
            )
            self._prepared = made_for, learner
        return self._prepared[1]

    def _program(self, agent_run: AgentRun) -> Program:
        task = agent_run.task
        if task not in self._programs:
            self._programs = {}  # one at a time is enough to hold
            self._programs = {task: self._load(task)}
        program = self._programs[task]
        if program.digest != agent_run.request.dataset_digest:
            theirs = agent_run.request.part_digests
            differ = [name for name, digest in program.part_digests.items() if theirs.get(name, digest) != digest]
            which = f": {' and '.join(f'the {name}' for name in differ)}" if differ else ""
            raise TrainingError(f"the data of this agent differs from the client's{which}.")
        return program

    def _load(self, task: Task) -> Program:
        try:
            return load_program(task, self._settings.downloads, self._plugins)
        except TrainingError as error:
            if self._settings.confiding:
                raise
            # The reason may tell what is in a file, or where it is.
            raise TrainingError(
                "the data cannot be used as a dataset for this task; the log of the agent says why."
            ) from error

    def _measure(self, agent_run: AgentRun) -> Simulation | None:
        digest = agent_run.commitment(agent_run.request.boundaries[-1])
        blobs = self._clients.blobs(agent_run.word)
        if self._settings.attack is None or digest is None or not blobs.has(digest):
            return None
        learner, program = self._prepare(agent_run), self._program(agent_run)
        learner.evaluator.load(read(blobs.path(digest), learner.schema))
        success, delivered, failure = None, None, None
        try:
            success = program.attack_success(learner.evaluator, learner.attack)
            delivered = program.delivered_success(learner.evaluator, learner.attack)
        except PluginError as error:
            failure = str(error)
        return Simulation(
            attack=str(self._settings.attack["name"]),
            clean_accuracy=program.accuracy(learner.evaluator),
            success_rate=success,
            delivered_rate=delivered,
            failure=failure,
        )
