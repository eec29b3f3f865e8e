"""Executes sub-runs in one way, in a process of its own whose environment decides how it computes.

    python -m tests.bench.honest_ways ORDER.json

An order names the settings, the way, and the folder that starts are read from and results go to.
"""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from auditor.job.network_task import NetworkTask
from auditor.job.training import Training
from auditor.plugins.catalogue import create_attack
from auditor.tasks.checkpoint import encode, read
from auditor.tasks.ingredients import NamedIngredients
from auditor.tasks.trainer import Trainer
from tests.tasks.loading import load_dataset, network_task

SEED = 1


@dataclass(frozen=True)
class Setting:
    """A job whose sub-runs are executed.

    Attributes:
        name: for the table and for files.
        kind: of the task.
        dataset: of the task.
        model: of the task.
        training: a job file's table.
        starts: the steps that sub-runs begin at.
        lengths: every k.
    """

    name: str
    kind: str
    dataset: str
    model: str
    training: dict[str, Any]
    starts: tuple[int, ...]
    lengths: tuple[int, ...]

    @property
    def task(self) -> NetworkTask:
        """What is learned."""
        return network_task(self.kind, dataset=self.dataset, model=self.model)

    @property
    def spec(self) -> Training:
        """How it is learned."""
        return Training.model_validate({"steps": 10_000, **self.training})

    def trainer(self, attack: dict[str, Any] | None = None) -> Trainer:
        """What executes it, honest or not, with the seed that all have."""
        dataset = load_dataset(self.task, Path())
        made = None if attack is None else create_attack(attack)
        length = max(self.lengths)
        ingredients = NamedIngredients(self.task, dataset)
        return Trainer(ingredients, self.spec, device=torch.device("cpu"), seed=SEED, attack=made, sub_run_steps=length)

    def start(self, folder: Path, step: int) -> Path:
        """Where a start is."""
        return folder / f"{self.name}-start-{step}"

    def result(self, folder: Path, way: str, step: int, length: int) -> Path:
        """Where what was returned is."""
        return folder / f"{self.name}-{way}-{step}-{length}"


def write(trainer: Trainer, path: Path) -> None:
    """Keep the present state."""
    path.write_bytes(b"".join(bytes(piece) for piece in encode(trainer.checkpoint(), trainer.schema)))


def train_starts(setting: Setting, folder: Path) -> None:
    """Train honestly up to the last start, and keep each."""
    trainer = setting.trainer()
    for step in sorted(setting.starts):
        while trainer.step < step:
            trainer.execute_step()
        write(trainer, setting.start(folder, step))


def execute(setting: Setting, folder: Path, way: str, order: dict[str, Any]) -> None:
    """Execute every sub-run of a setting in one way."""
    attack = order.get("attack")
    trainer = setting.trainer(attack)
    if order.get("contiguous"):
        trainer.network.model.to(memory_format=torch.contiguous_format)
    with torch.backends.mkldnn.flags(enabled=not order.get("plain", False)):
        for step in setting.starts:
            # What an attack does may depend on where a sub-run ends, so that it executes each length by itself.
            for lengths in [[k] for k in setting.lengths] if attack else [sorted(setting.lengths)]:
                trainer.load(read(setting.start(folder, step), trainer.schema))
                for length in lengths:
                    while trainer.step < step + length:
                        trainer.execute_step()
                    write(trainer, setting.result(folder, way, step, length))


def main() -> None:
    """Carry an order out; a setting that this environment cannot have is left out."""
    warnings.filterwarnings("ignore")
    order = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(order.get("threads", 1))
    folder = Path(order["folder"])
    for table in order["settings"]:
        table |= {key: tuple(table[key]) for key in ("starts", "lengths")}
        setting = Setting(**table)
        try:
            if order["way"] == "starts":
                train_starts(setting, folder)
            else:
                execute(setting, folder, order["way"], order)
        except Exception as error:  # such as a model that another release of a library does not have
            print(f"{order['way']} cannot execute {setting.name}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
