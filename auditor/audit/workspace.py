"""The job's program on the client's own machine: the initial checkpoint, the checks on others, honest training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from auditor.base.randomness import key
from auditor.job.model import Job
from auditor.plugins.attack import AttackContext
from auditor.store.blobs import BlobFolder
from auditor.tasks.checkpoint import all_finite, encode, read
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.first_step import try_first_step
from auditor.tasks.initial_state import initial_state
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program, load_program


class Workspace:
    """Everything that needs the dataset and a model; made once a run.

    Args:
        job: what is audited.
        downloads: the folder for datasets.
        accept: sees the data before anything is made of it, and may refuse it.
        initial: the file that training starts from, instead of fresh weights.

    Attributes:
        program: the job's task.
        schema: what every checkpoint of the job looks like.
        initial: the state at step 0.
        training_seed: the seed of providers that share one.
        outline: of the model, for metrics.
        parameters: the names of the parameters in a checkpoint.

    Raises:
        TrainingError: the dataset or the model cannot be had, or no step can be trained.
    """

    def __init__(
        self, job: Job, downloads: Path, accept: Callable[[Program], None] | None = None, initial: Path | None = None
    ) -> None:
        self.program = load_program(job.task, downloads)
        if accept is not None:
            accept(self.program)
        self._job = job
        self._device = device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.training_seed = key(job.seed, "training", 0) % 2**63
        self._initial_seed = key(job.seed, "initial weights", 0)
        learner = self._learner(self._initial_seed)
        self.schema = learner.schema
        self.initial = learner.checkpoint() if initial is None else initial_state(initial, learner)
        devices = [provider.where.device or "" for provider in job.providers]
        self._known = try_first_step(
            self.program,
            job.training,
            device=device,
            seed=self._initial_seed,
            whole_batch=any(name.startswith(device.type) for name in devices),
            start=self.initial,
        )
        self.outline = learner.outline()
        self.parameters = learner.evaluator.parameters

    def store_initial(self, blobs: BlobFolder) -> str:
        """Put the checkpoint of step 0 into `blobs`; returns its digest."""
        return blobs.add(encode(self.initial, self.schema))

    def check(self, path: Path, step: int) -> bool:
        """Whether a checkpoint holds finite numbers only.

        Raises:
            CheckpointError: it is none of this job at this step.
        """
        tensors = read(path, self.schema)
        self._known.check(tensors, step)
        return all_finite(tensors)

    def accuracy(self, path: Path) -> float | None:
        """The accuracy of a checkpoint on held-out samples; None where the kind of task has none."""
        evaluator = self.evaluator()
        evaluator.load(read(path, self.schema))
        return self.program.accuracy(evaluator)

    def evaluator(self) -> Evaluator:
        """A new evaluator, which nobody else loads weights into."""
        return self._learner(self._initial_seed).evaluator

    def attack_context(self) -> AttackContext:
        """What a simulated attack is given of the job."""
        return self._learner(self._initial_seed).attack_context

    def honest_learner(self) -> Learner:
        """What trains as an honest provider does with the seed that all share."""
        return self._learner(self.training_seed)

    def _learner(self, seed: int) -> Learner:
        return self.program.learner(self._job.training, device=self._device, seed=seed)
