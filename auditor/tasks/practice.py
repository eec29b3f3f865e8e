"""Small jobs for the contract tests of plugins: real data, a real model, a few real steps."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from auditor.job.python_task import PythonTask
from auditor.job.random_features import RandomFourierTask, RandomReluTask
from auditor.job.task import Task
from auditor.job.text import TextTask
from auditor.job.training import AdamW, Training
from auditor.job.vision import VisionTask
from auditor.plugins.attack import Attack, AttackContext, Batch
from auditor.plugins.metric import MetricContext
from auditor.tasks.checkpoint import encode
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.data.sources import load_image_dataset
from auditor.tasks.evaluation import clean_accuracy
from auditor.tasks.network_program import NetworkProgram
from auditor.tasks.program import load_program
from auditor.tasks.trainer import Trainer

SUB_RUN_STEPS = 4
MEASUREMENT_SEED = 11
ENLARGED = 320
"""Training images of a practice with larger ones; they are enough for every check."""


class PracticeJob:
    """Implements `auditor.plugins.contract.Practice` for a task.

    Args:
        task: what is trained.
        spec: how.
    """

    def __init__(self, task: Task, spec: Training) -> None:
        torch.set_num_threads(1)  # such small models only wait for one another's threads
        self._spec = spec
        program = load_program(task, Path())
        if not isinstance(program, NetworkProgram):
            raise TypeError("plugins practise on networks")
        self._program = program
        self._judge = program.learner(spec, device=torch.device("cpu"), seed=0)
        self._client = program.metric_context(self._judge.outline(), MEASUREMENT_SEED)
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
        return clean_accuracy(trainer.network, self._program.dataset), self._program.attack_success(
            trainer.network, attack
        )

    def _trainer(self, attack: Attack | None, seed: int) -> Trainer:
        return self._program.learner(
            self._spec,
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


def vision(least_values: int = 0) -> PracticeJob:
    """Handwritten digits and a small residual network.

    Args:
        least_values: pixels that an image should have; digits are enlarged by a whole factor where they have fewer.
    """
    spec = Training(steps=400, batch_size=32)
    task = VisionTask(dataset="digits", model="resnet8")
    if not least_values:
        return PracticeJob(task, spec)
    digits = load_image_dataset(task, Path())
    pixels = digits.samples[0].numel()
    factor = math.isqrt(-(-least_values // pixels) - 1) + 1
    with tempfile.TemporaryDirectory(prefix="auditor-practice-") as folder:
        path = Path(folder) / "enlarged.safetensors"
        tensors = {
            "images": _enlarged(digits.samples[:ENLARGED], factor),
            "labels": digits.labels[:ENLARGED],
            "test_images": _enlarged(digits.held_out_samples, factor),
            "test_labels": digits.held_out_labels,
        }
        save_file(tensors, path)
        return PracticeJob(VisionTask(dataset=f"tensors:{path}", model="resnet8"), spec)


def _enlarged(samples: Tensor, factor: int) -> Tensor:
    """Images [N, C, H, W] with each pixel as factor × factor pixels."""
    return samples.repeat_interleave(factor, 2).repeat_interleave(factor, 3).contiguous()


def random_fourier() -> PracticeJob:
    """Two handwritten digits and random Fourier features."""
    return PracticeJob(RandomFourierTask(dataset="digits", features=200, classes=(3, 8)), Training(batch_size=32))


def random_relu() -> PracticeJob:
    """Two handwritten digits and random rectified features."""
    return PracticeJob(RandomReluTask(dataset="digits", classes=(0, 1)), Training(batch_size=32))


def python() -> PracticeJob:
    """Handwritten digits as numbers, and a network that a client's code makes."""
    return PracticeJob(PythonTask(module="auditor.tasks.own.practice", factory="digits"), Training(batch_size=32))


def text() -> PracticeJob:
    """Short reviews and a small transformer."""
    spec = Training(steps=400, batch_size=32, optimizer=AdamW(name="adamw", lr=3e-3))
    return PracticeJob(TextTask(dataset="reviews", model="transformer", max_length=32), spec)
