"""Small jobs for the contract tests of plugins: real data, a real model, a few real steps."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from auditor.job.command_task import CommandTask
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
from auditor.tasks.learner import Learner
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
        self._program = load_program(task, Path())
        self._judge = self._program.learner(spec, device=torch.device("cpu"), seed=0)
        self._client = self._program.metric_context(self._judge.outline(), MEASUREMENT_SEED)
        self._folder = tempfile.TemporaryDirectory(prefix="auditor-practice-")
        self._written = 0
        self._start = self._write(self._judge.checkpoint())

    def attack_context(self) -> AttackContext:
        """See `Practice`."""
        return self._learner(None, 0).attack_context

    def batches(self) -> Iterator[Batch]:
        """See `Practice`; none where the kind of task makes them by itself."""
        learner = self._learner(None, 0)
        if isinstance(learner, Trainer):
            for step in range(learner.epoch_steps):
                yield learner.batch(step)

    def train(
        self,
        attack: Attack | None = None,
        *,
        steps: int = 8,
        seed: int = 0,
        start: Mapping[str, Tensor] | None = None,
    ) -> list[dict[str, Tensor]]:
        """See `Practice`."""
        learner = self._learner(attack, seed)
        learner.load(self._judge.checkpoint() if start is None else start)
        checkpoints, end = [], learner.step + steps
        while learner.step < end:
            for _ in learner.execute(min(learner.step + SUB_RUN_STEPS - learner.step % SUB_RUN_STEPS, end)):
                pass
            checkpoints.append(learner.checkpoint())
        return checkpoints

    def metric_context(self) -> MetricContext:
        """See `Practice`."""
        return self._client

    def returned(self, checkpoint: Mapping[str, Tensor]) -> CheckpointModel:
        """See `Practice`."""
        evaluator = self._learner(None, 0).evaluator
        return CheckpointModel(self._write(checkpoint), self._start, self._judge.schema, evaluator)

    def evaluate(self, checkpoint: Mapping[str, Tensor], attack: Attack) -> tuple[float, float | None]:
        """See `Practice`."""
        program, evaluator = self._program, self._learner(attack, 0).evaluator
        evaluator.load(checkpoint)
        return program.accuracy(evaluator) or 0.0, program.attack_success(evaluator, attack)

    def _learner(self, attack: Attack | None, seed: int) -> Learner:
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


def command() -> PracticeJob:
    """A small program in NumPy."""
    program = Path(__file__).with_name("command") / "practice.py"
    numbers = ("{start_step}", "{steps}", "{seed}")
    task = CommandTask(
        command=("{python}", "practice.py", "{checkpoint_in}", "{checkpoint_out}", *numbers),
        begin=("{python}", "practice.py", "{checkpoint_out}", "{seed}"),
        needs=(f"practice.py={program}",),
    )
    return PracticeJob(task, Training())


def text() -> PracticeJob:
    """Short reviews and a small transformer."""
    spec = Training(steps=400, batch_size=32, optimizer=AdamW(name="adamw", lr=3e-3))
    return PracticeJob(TextTask(dataset="reviews", model="transformer", max_length=32), spec)
