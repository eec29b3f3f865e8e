"""The job's program on the client's own machine: the initial checkpoint, the checks on others, honest training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from auditor.base.seeds import initial_seed, shared_training_seed
from auditor.job.model import Job
from auditor.plugins.attack import AttackContext
from auditor.plugins.catalogue import Catalogue
from auditor.store.blobs import BlobFolder
from auditor.tasks.checkpoint import CheckpointFile, all_finite, digest_of, encode, read
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.first_step import try_first_step
from auditor.tasks.initial_state import initial_state
from auditor.tasks.known_values import KnownValues, distance
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program, load_program


class Workspace:
    """Everything that needs the dataset and a model; made once a run.

    Seeds follow from the job's until they are drawn otherwise.

    Args:
        job: what is audited.
        downloads: the folder for datasets.
        accept: sees the data before anything is made of it, and may refuse it.
        initial: the file that training starts from, instead of fresh weights.

    Attributes:
        program: the job's task.
        schema: what every checkpoint of the job looks like.
        initial: the state at step 0, as the seed of the initial state gives it, or the file.
        training_seed: the seed of providers that share one.
        outline: of the model, for metrics.
        parameters: the names of the parameters in a checkpoint.

    Raises:
        TrainingError: the dataset or the model cannot be had, or no step can be trained.
    """

    def __init__(
        self, job: Job, downloads: Path, accept: Callable[[Program], None] | None = None, initial: Path | None = None
    ) -> None:
        self.program = load_program(job.task, downloads, Catalogue(job.plugins)).shaped_as(initial)
        if accept is not None:
            accept(self.program)
        self._job = job
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._file = initial
        self.training_seed = shared_training_seed(job.seed)
        self._initial_seed = initial_seed(job.seed)
        learner = self._learner(self._initial_seed)
        self.schema = learner.schema
        self.initial, self._known = self._begin(learner)
        if job.primary_draws_start:
            other = self._learner(self._initial_seed + 1).checkpoint()
            self._known = self._known.for_any_seed(self.initial, other)
        self.outline = learner.outline()
        self.parameters = learner.evaluator.parameters

    def draw_from(self, root: int) -> None:
        """Have all seeds follow from what was drawn for the whole job; the initial state is then the client's again."""
        self._take(shared_training_seed(root), initial_seed(root))

    def draw_with(self, seed: int) -> None:
        """Train, and draw the initial state, with one seed, as a provider does with that of its own."""
        self._take(seed, seed)

    def _take(self, training_seed: int, start_seed: int) -> None:
        self.training_seed, self._initial_seed = training_seed, start_seed
        self.initial, self._known = self._begin(self._learner(start_seed))

    def _begin(self, learner: Learner) -> tuple[dict[str, Tensor], KnownValues]:
        """The initial state of a learner, or that of the file, and what a step from it shows."""
        start = learner.checkpoint() if self._file is None else initial_state(self._file, learner)
        devices = [provider.where.device or "" for provider in self._job.providers]
        known = try_first_step(
            self.program,
            self._job.training,
            device=self._device,
            seed=self._initial_seed,
            whole_batch=any(name.startswith(self._device.type) for name in devices),
            start=start,
        )
        return start, known

    def store_initial(self, blobs: BlobFolder) -> str:
        """Put the checkpoint of step 0 into `blobs`; returns its digest."""
        return blobs.add(encode(self.initial, self.schema))

    def initial_digest(self) -> str:
        """The digest of the checkpoint of step 0."""
        return digest_of(self.initial, self.schema)

    def off_initial(self, path: Path) -> float:
        """How far a checkpoint that was checked lies from that of step 0 (see `known_values.distance`)."""
        return distance(CheckpointFile(path, self.schema), self.initial)

    def check(self, path: Path, step: int) -> bool:
        """Whether a checkpoint holds finite numbers only.

        Raises:
            CheckpointError: it is none of this job at this step.
        """
        tensors = CheckpointFile(path, self.schema)
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
