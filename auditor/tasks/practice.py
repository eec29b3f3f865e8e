"""Small jobs for the contract tests of plugins: real data, a real model, a few real steps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from auditor.job.task import Task
from auditor.job.training import AdamW, Training
from auditor.plugins.attack import Attack, AttackContext, Batch
from auditor.plugins.metric import MetricContext
from auditor.tasks.checkpoint import encode
from auditor.tasks.data import load_dataset
from auditor.tasks.evaluation import attack_success, clean_accuracy
from auditor.tasks.outline import outline
from auditor.tasks.probing_samples import metric_context
from auditor.tasks.returned import CheckpointModel
from auditor.tasks.trainer import Trainer

SUB_RUN_STEPS = 4
MEASUREMENT_SEED = 11


class PracticeJob:
    """Implements `auditor.plugins.contract.Practice` for a task.

    Args:
        task: what is trained.
        spec: how.
    """

    def __init__(self, task: Task, spec: Training) -> None:
        torch.set_num_threads(1)  # such small models only wait for one another's threads
        self._task = task
        self._spec = spec
        self._dataset = load_dataset(task, Path())
        self._judge = Trainer(task, spec, self._dataset, device=torch.device("cpu"), seed=0)
        self._client = metric_context(task.kind, self._dataset, outline(self._judge), MEASUREMENT_SEED)
        self._folder = tempfile.TemporaryDirectory(prefix="auditor-practice-")
        self._written = 0
        self._start = self._write(self._judge.checkpoint())

    def attack_context(self) -> AttackContext:
        """See `Practice`."""
        return self._trainer(None, 0).attack_context

    def batches(self) -> Iterator[Batch]:
        """See `Practice`."""
        trainer = self._trainer(None, 0)
        for step in range(trainer.epoch_steps):
            yield trainer.batch(step)

    def train(
        self,
        attack: Attack | None = None,
        *,
        steps: int = 8,
        seed: int = 0,
        start: Mapping[str, Tensor] | None = None,
    ) -> list[dict[str, Tensor]]:
        """See `Practice`."""
        trainer = self._trainer(attack, seed)
        trainer.load(self._judge.checkpoint() if start is None else start)
        checkpoints = []
        for step in range(1, steps + 1):
            trainer.execute_step()
            if trainer.step % SUB_RUN_STEPS == 0 or step == steps:
                checkpoints.append(trainer.checkpoint())
        return checkpoints

    def metric_context(self) -> MetricContext:
        """See `Practice`."""
        return self._client

    def returned(self, checkpoint: Mapping[str, Tensor]) -> CheckpointModel:
        """See `Practice`."""
        network = self._trainer(None, 0).network
        return CheckpointModel(self._write(checkpoint), self._start, self._judge.schema, network)

    def evaluate(self, checkpoint: Mapping[str, Tensor], attack: Attack) -> tuple[float, float | None]:
        """See `Practice`."""
        trainer = self._trainer(attack, 0)
        trainer.network.load(checkpoint)
        return clean_accuracy(trainer.network, self._dataset), attack_success(trainer.network, self._dataset, attack)

    def _trainer(self, attack: Attack | None, seed: int) -> Trainer:
        return Trainer(
            self._task,
            self._spec,
            self._dataset,
            device=torch.device("cpu"),
            seed=seed,
            attack=attack,
            sub_run_steps=SUB_RUN_STEPS,
            client=self._client,
        )

    def _write(self, checkpoint: Mapping[str, Tensor]) -> Path:
        self._written += 1
        path = Path(self._folder.name) / f"{self._written}.safetensors"
        path.write_bytes(b"".join(bytes(piece) for piece in encode(checkpoint, self._judge.schema)))
        return path


def vision() -> PracticeJob:
    """Handwritten digits and a small residual network."""
    return PracticeJob(Task(dataset="digits", model="resnet8"), Training(steps=400, batch_size=32))


def text() -> PracticeJob:
    """Short reviews and a small transformer."""
    spec = Training(steps=400, batch_size=32, optimizer=AdamW(name="adamw", lr=3e-3))
    return PracticeJob(Task(kind="text", dataset="reviews", model="transformer", max_length=32), spec)
