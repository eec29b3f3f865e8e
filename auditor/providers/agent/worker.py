"""The training thread of an agent: executes one run after another."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import torch

from auditor.job.task import Task
from auditor.plugins.discovery import Catalogue, PluginError
from auditor.plugins.guard import GuardedAttack
from auditor.providers.agent.clients import Clients
from auditor.providers.agent.execution import Execution
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


class Worker:
    """Executes runs in the order in which they were asked for, in a thread of its own."""

    def __init__(self, settings: AgentSettings, clients: Clients) -> None:
        self._settings = settings
        self._clients = clients
        self._plugins = Catalogue(settings.plugins)
        self._thread = ThreadPoolExecutor(
            1, "training", initializer=torch.set_num_threads, initargs=(settings.threads,)
        )
        self._programs: dict[Task, Program] = {}
        self._prepared: tuple[tuple[object, ...], Learner] | None = None

    def submit(self, execution: Execution) -> None:
        """Execute a run when those before it are over."""
        self._thread.submit(self._execute, execution)

    async def simulation(self, execution: Execution) -> Simulation | None:
        """What the simulated attack achieved in a finished run; None without an attack or a result."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._measure, execution)

    def _execute(self, execution: Execution) -> None:
        try:
            if execution.cancelled.is_set():
                raise Cancelled
            execution.entered("preparing")
            learner = self._prepare(execution)
            learner.load(read(self._clients.blobs(execution.word).path(execution.request.start), learner.schema))
            if learner.step != execution.request.start_step:
                raise CheckpointError(f"its step is {learner.step}, not {execution.request.start_step}.")
            execution.entered("training")
            self._train(execution, learner)
            execution.entered("finished")
        except Cancelled:
            execution.entered("cancelled")
        except (TrainingError, CheckpointError, PluginError, Full) as error:
            # Whoever wrote a plugin wants to see where it failed.
            log.error("run %s failed: %s", execution.request.id, error, exc_info=error.__cause__)
            execution.entered("failed", str(error))
        except Exception as error:  # whatever a model, a plugin or the machine raises ends this run only
            log.exception("run %s failed", execution.request.id)
            said = f": {error}" if self._settings.confiding else ""
            execution.entered("failed", f"{type(error).__name__}{said}")

    def _train(self, execution: Execution, learner: Learner) -> None:
        reported = 0.0
        for boundary in execution.request.boundaries:
            while learner.step < boundary:
                if execution.cancelled.is_set():
                    raise Cancelled
                loss = learner.execute_step()
                if learner.step == boundary or time.monotonic() - reported > REPORT_SECONDS:
                    execution.progressed(learner.step, float(loss))
                    reported = time.monotonic()
            execution.committed(
                boundary, self._clients.keep(execution.word, encode(learner.checkpoint(), learner.schema))
            )
            log.info("run %s reached step %d", execution.request.id, boundary)

    def _prepare(self, execution: Execution) -> Learner:
        """A learner for what is asked; the last one again if it was made for the same job and seed."""
        request = execution.request
        seed = request.seed if request.seed is not None else self._settings.own_seed(execution.word)
        made_for = (request.task, request.training, request.dataset_digest, request.sub_run_steps, seed)
        if self._prepared is None or self._prepared[0] != made_for:
            attack, client, program = None, None, self._program(execution)
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

    def _program(self, execution: Execution) -> Program:
        task = execution.task
        if task not in self._programs:
            self._programs = {}  # one at a time is enough to hold
            self._programs = {task: self._load(task)}
        program = self._programs[task]
        if program.digest != execution.request.dataset_digest:
            raise TrainingError("the data of this agent differs from the client's.")
        return program

    def _load(self, task: Task) -> Program:
        try:
            return load_program(task, self._settings.downloads)
        except TrainingError as error:
            if self._settings.confiding:
                raise
            # The reason may tell what is in a file, or where it is.
            raise TrainingError(
                "the data cannot be used as a dataset for this task; the log of the agent says why."
            ) from error

    def _measure(self, execution: Execution) -> Simulation | None:
        digest = execution.commitment(execution.request.boundaries[-1])
        blobs = self._clients.blobs(execution.word)
        if self._settings.attack is None or digest is None or not blobs.has(digest):
            return None
        learner, program = self._prepare(execution), self._program(execution)
        learner.evaluator.load(read(blobs.path(digest), learner.schema))
        success, failure = None, None
        try:
            success = program.attack_success(learner.evaluator, learner.attack)
        except PluginError as error:
            failure = str(error)
        return Simulation(
            attack=str(self._settings.attack["name"]),
            clean_accuracy=program.accuracy(learner.evaluator),
            success_rate=success,
            failure=failure,
        )
