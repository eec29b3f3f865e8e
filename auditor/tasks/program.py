"""What every kind of task can do: the contract between a kind and everything that audits it.

A kind of task has two halves. Its keys in a job file are a subclass of `auditor.job.task.Task`. That names a subclass
of `Program`, which reads the data and makes a `Learner`; the learner executes steps, and its `Evaluator` computes with
models that came back. `auditor.tasks.contract_tests` has the tests that every kind passes.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from auditor.base.randomness import generator
from auditor.job.errors import readable
from auditor.job.task import Task
from auditor.plugins.catalogue import INSTALLED, Catalogue
from auditor.plugins.metric import MetricContext, ModelOutline
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import Inventory

if TYPE_CHECKING:
    from auditor.job.training import Training
    from auditor.plugins.attack import Attack
    from auditor.tasks.evaluator import Evaluator
    from auditor.tasks.learner import Learner

REFERENCE_SAMPLES = 1024
"""Training samples that metrics may use as references; the paper's Zest takes 128."""


class Program(ABC):
    """A task with its data, ready to be executed on this machine.

    A subclass reads the data in its constructor.

    Args:
        task: what is trained, with keys of this kind.
        downloads: the folder that downloaded data is kept in.

    Attributes:
        task: likewise.

    Raises:
        TrainingError: the data is not there, or not what it should be; says what to do.
    """

    def __init__(self, task: Task, downloads: Path) -> None:
        self.task = task

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, tuple[Tensor, ...] | bytes]:
        """All data that training or comparing makes use of, by a name for people, such as `training part`.

        A part that others are made with comes first, so that it is named first when data changed.
        """

    @property
    @abstractmethod
    def samples(self) -> Tensor:
        """What is trained on, [N, …]."""

    @property
    @abstractmethod
    def held_out_samples(self) -> Tensor:
        """What models are compared and evaluated on, [M, …]."""

    @property
    @abstractmethod
    def classes(self) -> int:
        """How many outputs a model has for a sample."""

    @property
    def inventory(self) -> Inventory:
        """What was read, for people; a kind that knows classes, or what it left out, says so here."""
        return Inventory(len(self.samples), len(self.held_out_samples), "samples")

    @abstractmethod
    def learner(
        self,
        training: Training,
        *,
        device: torch.device,
        seed: int,
        attack: Attack | None = None,
        sub_run_steps: int = 1,
        client: MetricContext | None = None,
    ) -> Learner:
        """What executes steps of the task, honestly or not.

        Args:
            training: how it is trained.
            device: where.
            seed: of every random draw, the initial state among them.
            attack: the adversary to simulate, if any.
            sub_run_steps: k, which attacks may want to know.
            client: the context of the client's metrics, for attacks that are assumed to know it.

        Raises:
            TrainingError: the model cannot be made, or does not fit the data.
        """

    def shaped_as(self, path: Path | None) -> Program:
        """The program of states that have the form of a file, for a kind whose initial state nothing makes.

        Args:
            path: a state of the job; None where there is none yet.

        Raises:
            TrainingError: it holds no state.
        """
        return self

    def let_drift(self, plugins: Catalogue) -> None:  # noqa: B027 - the data of most kinds does not drift
        """Let the data drift if the task says so; `load_program` calls it before anything else is asked of a program.

        Args:
            plugins: where the drift is found.

        Raises:
            TrainingError: the drift is not there, or does not fit the data; says why.
        """

    def accuracy(self, evaluator: Evaluator) -> float | None:
        """How well the model does on held-out samples, from 0 to 1; None where that means nothing."""
        return None

    def attack_success(self, evaluator: Evaluator, attack: Attack) -> float | None:
        """The share of triggered held-out samples that get the attack's target; None where it has none.

        What the attack's provider serves counts (`Attack.served`).
        """
        return None

    def delivered_success(self, evaluator: Evaluator, attack: Attack) -> float | None:
        """The same share for the delivered model, where the attack's provider serves something else; None elsewhere."""
        return None

    @cached_property
    def part_digests(self) -> dict[str, str]:
        """SHA-256 of each part."""
        return {name: _digest(part) for name, part in self.parts.items()}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all data, to make sure that all providers train on the same."""
        return hashlib.sha256(
            "".join(f"{name} {digest}\n" for name, digest in self.part_digests.items()).encode()
        ).hexdigest()

    def metric_context(self, outline: ModelOutline, seed: int) -> MetricContext:
        """What a run's metrics are given: samples in an order that nobody knows who does not know the seed.

        Args:
            outline: of the models.
            seed: of the draws; the client's secret.
        """
        held_out, samples = self.held_out_samples, self.samples
        probe = torch.from_numpy(generator(seed, "probe").permutation(len(held_out)))
        reference = torch.from_numpy(generator(seed, "reference").permutation(len(samples)))
        return MetricContext(
            task=self.task.kind,
            classes=self.classes,
            probe=held_out[probe],
            reference=samples[reference[:REFERENCE_SAMPLES]],
            seed=seed,
            model=outline,
            akin=self.task.akin,
        )


def load_program(task: Task, downloads: Path, plugins: Catalogue = INSTALLED) -> Program:
    """Import what executes a task, and read its data.

    Args:
        task: what is trained.
        downloads: the folder that downloaded data is kept in.
        plugins: where a drift of the data is found.

    Raises:
        TrainingError: the data is not there or not what it should be, or the kind cannot be executed here; says what
            to do.
    """
    module, _, name = type(task).program.partition(":")
    try:
        found: type[Program] = getattr(import_module(module), name)
    except Exception as error:  # another package may raise anything while it is imported
        raise TrainingError(
            readable(f"{task.kind} tasks cannot be executed here: {type(error).__name__}: {error}")
        ) from error
    try:
        program = found(task, downloads)
        program.let_drift(plugins)
        return program
    except TrainingError as error:
        raise TrainingError(readable(str(error))) from None
    except OSError as error:  # a folder that may not be entered, a path that none can be
        raise TrainingError(readable(f"{_source(task)}: cannot be read: {error.strerror or error}.")) from None
    except MemoryError:
        raise TrainingError(
            readable(f"{_source(task)}: does not fit into the memory of this machine; use less data.")
        ) from None


def _source(task: Task) -> str:
    return task.source_of("training part").partition(" = ")[2].strip("'\"") or task.kind


def _digest(part: tuple[Tensor, ...] | bytes) -> str:
    if isinstance(part, bytes):
        return hashlib.sha256(part).hexdigest()
    sha = hashlib.sha256()
    for tensor in part:
        sha.update(str((str(tensor.dtype), tuple(tensor.shape))).encode())
        sha.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()
