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
from auditor.training.checkpoint import encode, read
from auditor.training.data import Dataset, load_dataset
from auditor.training.errors import Cancelled, CheckpointError, TrainingError
from auditor.training.evaluation import attack_success, clean_accuracy
from auditor.training.outline import outline
from auditor.training.probing_samples import metric_context
from auditor.training.trainer import Trainer

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
        self._datasets: dict[Task, Dataset] = {}
        self._prepared: tuple[tuple[object, ...], Trainer] | None = None

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
            trainer = self._prepare(execution)
            trainer.load(read(self._clients.blobs(execution.word).path(execution.request.start), trainer.schema))
            if trainer.step != execution.request.start_step:
                raise CheckpointError(f"its step is {trainer.step}, not {execution.request.start_step}.")
            execution.entered("training")
            self._train(execution, trainer)
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

    def _train(self, execution: Execution, trainer: Trainer) -> None:
        reported = 0.0
        for boundary in execution.request.boundaries:
            while trainer.step < boundary:
                if execution.cancelled.is_set():
                    raise Cancelled
                loss = trainer.execute_step()
                if trainer.step == boundary or time.monotonic() - reported > REPORT_SECONDS:
                    execution.progressed(trainer.step, float(loss))
                    reported = time.monotonic()
            execution.committed(
                boundary, self._clients.keep(execution.word, encode(trainer.checkpoint(), trainer.schema))
            )
            log.info("run %s reached step %d", execution.request.id, boundary)

    def _prepare(self, execution: Execution) -> Trainer:
        """A trainer for what is asked; the last one again if it was made for the same job and seed."""
        request = execution.request
        seed = request.seed if request.seed is not None else self._settings.own_seed(execution.word)
        made_for = (request.task, request.training, request.dataset_digest, request.sub_run_steps, seed)
        if self._prepared is None or self._prepared[0] != made_for:
            attack, client, dataset = None, None, self._dataset(execution)
            if self._settings.attack is not None:
                origin = self._plugins.origin("attacks", str(self._settings.attack["name"]))
                attack = GuardedAttack(self._plugins.create_attack(self._settings.attack), origin)
                if self._settings.measurement_seed is not None:
                    device, told = torch.device(self._settings.device), self._settings.measurement_seed
                    honest = Trainer(request.task, request.training, dataset, device=device, seed=seed)
                    client = metric_context(request.task.kind, dataset, outline(honest), told)
            trainer = Trainer(
                request.task,
                request.training,
                dataset,
                device=torch.device(self._settings.device),
                seed=seed,
                attack=attack,
                sub_run_steps=request.sub_run_steps,
                client=client,
            )
            self._prepared = made_for, trainer
        return self._prepared[1]

    def _dataset(self, execution: Execution) -> Dataset:
        task = execution.task
        if task not in self._datasets:
            self._datasets = {}  # one at a time is enough to hold
            self._datasets = {task: self._load(task)}
        dataset = self._datasets[task]
        if dataset.digest != execution.request.dataset_digest:
            raise TrainingError(
                f"the dataset {task.dataset.partition(':')[0]} of this agent differs from the client's."
            )
        return dataset

    def _load(self, task: Task) -> Dataset:
        try:
            return load_dataset(task, self._settings.downloads)
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
        trainer, dataset = self._prepare(execution), self._dataset(execution)
        trainer.network.load(read(blobs.path(digest), trainer.schema))
        success, failure = None, None
        try:
            success = attack_success(trainer.network, dataset, trainer.attack)
        except PluginError as error:
            failure = str(error)
        return Simulation(
            attack=str(self._settings.attack["name"]),
            clean_accuracy=clean_accuracy(trainer.network, dataset),
            success_rate=success,
            failure=failure,
        )
