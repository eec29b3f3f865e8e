"""Small real models, trained a few steps on digits, as metrics see them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from auditor.job.training import Training
from auditor.plugins import Attack, MetricContext
from auditor.tasks.checkpoint import encode, read
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.ingredients import NamedIngredients
from auditor.tasks.trainer import Trainer
from tests.tasks.loading import load_dataset, network_task

TASK = network_task(dataset="digits", model="resnet8")
DIGITS = load_dataset(TASK, Path())


def trainer(seed: int = 1, attack: Attack | None = None, sub_run_steps: int = 4) -> Trainer:
    spec = Training(steps=100, batch_size=32)
    device = torch.device("cpu")
    ingredients = NamedIngredients(TASK, DIGITS)
    return Trainer(ingredients, spec, device=device, seed=seed, attack=attack, sub_run_steps=sub_run_steps)


CONTEXT = MetricContext("vision", 10, DIGITS.held_out_samples[:64], DIGITS.samples[:6], 5, trainer().outline())


class Models:
    """Models returned for one sub-run, by name, each derived from the same start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._honest = trainer()
        for _ in range(4):
            self._honest.execute_step()
        self._write("start", self._honest.checkpoint())
        self.train("one", seed=1)
        self.train("other", seed=2)

    def __getitem__(self, name: str) -> CheckpointModel:
        schema, network = self._honest.schema, self._honest.network
        return CheckpointModel(self._folder / name, self._folder / "start", schema, network)

    def train(self, name: str, seed: int) -> CheckpointModel:
        """Four steps from the start."""
        training = trainer(seed)
        training.load(read(self._folder / "start", training.schema))
        for _ in range(4):
            training.execute_step()
        self._write(name, training.checkpoint())
        return self[name]

    def change(
        self, name: str, source: str, change: Callable[[str, Tensor], Tensor], *, every: bool = False
    ) -> CheckpointModel:
        """A model whose parameters and buffers are another's, changed; and every other tensor if asked for."""
        tensors = read(self._folder / source, self._honest.schema)
        self._write(
            name,
            {key: change(key, value) if every or key.startswith("model.") else value for key, value in tensors.items()},
        )
        return self[name]

    def keep(self, name: str, checkpoint: dict[str, Tensor]) -> CheckpointModel:
        """A model from elsewhere, as if it had been returned for the sub-run."""
        self._write(name, checkpoint)
        return self[name]

    def weights(self, name: str) -> dict[str, Tensor]:
        """The tensors of a file."""
        return read(self._folder / name, self._honest.schema)

    def _write(self, name: str, tensors: dict[str, Tensor]) -> None:
        content = b"".join(bytes(piece) for piece in encode(tensors, self._honest.schema))
        (self._folder / name).write_bytes(content)
