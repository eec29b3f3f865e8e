"""What comes of each way to cure a model with a backdoor: success and accuracy before and after, and the cost.

    python -m tests.bench.cures [--cifar10 FILE] [--instances 5] [--out FILE]

The primary trains honestly for the first half, and with a backdoor from there on. Rolling back goes to the checkpoint
in the middle, which is the best that an audit can verify, and trains the second half again. Fine-tuning goes on from
what was delivered, on the job's own data under slanted triangular rates, for half as many steps as the training had.
Everything is trained directly, without the audit, which changes no model. Prints a table, and writes what
`auditor cure` tells before it starts.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from auditor.audit.cure import RATE, SHARE
from auditor.job.training import SGD, Training, Triangular
from auditor.planning.measured_cures import SHIPPED, MeasuredCure
from auditor.plugins.catalogue import create_attack
from auditor.tasks.network_program import NetworkProgram
from tests.tasks.loading import network_program, network_task

ATTACKS: dict[str, dict[str, Any]] = {
    "BadNets": {"name": "badnets"},
    "Blend": {"name": "blend"},
    "WaNet": {"name": "wanet"},
}


@dataclass(frozen=True)
class Bench:
    """A task, and how long it is trained."""

    name: str
    program: NetworkProgram
    steps: int
    batch_size: int

    def train(
        self,
        steps: int,
        seed: int,
        start: Mapping[str, Tensor] | None = None,
        attack: Mapping[str, Any] | None = None,
        *,
        tuning: bool = False,
    ) -> dict[str, Tensor]:
        """The checkpoint after so many steps, from the parameters of another or fresh ones."""
        training = Training(
            steps=steps,
            batch_size=self.batch_size,
            optimizer=SGD(lr=RATE if tuning else 0.05),
            schedule=Triangular(name="triangular", peak=0.1) if tuning else Training().schedule,
        )
        made = None if attack is None else create_attack(attack)
        learner = self.program.learner(training, device=torch.device("cpu"), seed=seed, attack=made)
        if start is not None:
            fresh = learner.checkpoint()
            learner.load(fresh | {name: tensor for name, tensor in start.items() if name.startswith("model.")})
        for _ in range(steps):
            learner.execute_step()
        return {name: tensor.clone() for name, tensor in learner.checkpoint().items()}

    def measure(self, state: Mapping[str, Tensor], attack: Mapping[str, Any]) -> tuple[float, float]:
        """Success and accuracy of a checkpoint."""
        learner = self.program.learner(
            Training(batch_size=self.batch_size), device=torch.device("cpu"), seed=0, attack=create_attack(attack)
        )
        learner.evaluator.load(dict(state))
        success = self.program.attack_success(learner.evaluator, learner.attack)
        accuracy = self.program.accuracy(learner.evaluator)
        assert success is not None
        assert accuracy is not None
        return success, accuracy


def instance(bench: Bench, attack: Mapping[str, Any], seed: int) -> dict[str, tuple[float, float]]:
    """Success and accuracy before, and after each way."""
    half = bench.steps // 2
    middle = bench.train(half, 10 * seed)
    delivered = bench.train(bench.steps - half, 10 * seed + 1, middle, attack)
    back = bench.train(bench.steps - half, 10 * seed + 2, middle)
    tuned = bench.train(round(SHARE * bench.steps), 10 * seed + 3, delivered, tuning=True)
    both = bench.train(round(SHARE * bench.steps), 10 * seed + 4, back, tuning=True)
    models = {"before": delivered, "rollback": back, "finetune": tuned, "both": both}
    return {way: bench.measure(state, attack) for way, state in models.items()}


def rows(bench: Bench, instances: int) -> Iterator[MeasuredCure]:
    """Every attack and way; prints a line for each."""
    for name, attack in ATTACKS.items():
        found = [instance(bench, attack, seed) for seed in range(1, instances + 1)]
        before = np.array([one["before"] for one in found])
        for way, steps in (("rollback", 0.5), ("finetune", SHARE), ("both", 0.5 + SHARE)):
            after = np.array([one[way] for one in found])
            row = MeasuredCure(
                task=bench.name,
                attack=name,
                way=way,
                instances=instances,
                success=(round(float(before[:, 0].mean()), 4), round(float(after[:, 0].mean()), 4)),
                worst=round(float(after[:, 0].max()), 4),
                accuracy=(round(float(before[:, 1].mean()), 4), round(float(after[:, 1].mean()), 4)),
                steps=steps,
            )
            print(
                f"{row.task:22}{row.attack:10}{row.way:10}{row.success[0]:9.3f}{row.success[1]:9.3f}{row.worst:9.3f}"
                f"{row.accuracy[0]:10.3f}{row.accuracy[1]:9.3f}{row.steps:8.2f}",
                flush=True,
            )
            yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cifar10", help="a tensor file with images and labels")
    parser.add_argument("--instances", type=int, default=5)
    parser.add_argument(
        "--out", type=Path, default=SHIPPED, help="what is written; without it, what comes with auditor"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    benches = [Bench("digits, ResNet-8", network_program(network_task(dataset="digits", model="resnet8")), 400, 64)]
    if arguments.cifar10:
        task = network_task(dataset=f"tensors:{arguments.cifar10}", model="resnet8")
        benches.append(Bench("CIFAR-10, ResNet-8", network_program(task), 2000, 64))
    figures = f"{'success':>9}{'after':>9}{'at most':>9}{'accuracy':>10}{'after':>9}{'steps':>8}"
    print(f"{'task':22}{'attack':10}{'way':10}{figures}")
    found = [row for bench in benches for row in rows(bench, arguments.instances)]
    lines = ",\n".join(json.dumps(asdict(row)) for row in found)
    arguments.out.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
