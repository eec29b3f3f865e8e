"""Random features with loaded coins against honest ones: accuracy, activation, and what tests see of them.

    python -m tests.bench.loaded_coins [--data digits] [--task fourier] [--keys 20] [--settings all] [--out FILE]

`--data` is a form of the key `dataset`; its first two named classes, or one against the rest for digits, are told
apart. For each setting and key it trains a model on honest features and one on loaded ones, from the same seed, and
measures both. Each test gives a score to every model; the area under the curve says how often a loaded one has the
larger score than an honest one: 0.5 is a coin flip. Beside it the same with the adversary's key. Prints a table.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from auditor.job.training import Training
from auditor.plugins import Attack, Inspector, create_plugin, generator
from auditor.plugins.catalogue import create_attack
from auditor.tasks.checkpoint import encode
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.evaluation import clean_accuracy
from auditor.tasks.network_program import NetworkProgram
from auditor.tasks.trainer import Trainer
from tests.bench.rates import area_under_curve, mean_with_interval
from tests.tasks.loading import network_program, network_task

STEPS = 300
TESTS: Mapping[str, Mapping[str, Any]] = {
    "spectrum": {},
    "projections": {},
    "sparse_pca": {},
    "two_sample": {},
    "spectral_signatures": {},
}
RELAXED = 100
"""Values a sample up to which the semidefinite relaxation is solved."""


@dataclass(frozen=True)
class Setting:
    """What is varied: features, and options of the attack."""

    features: int
    options: Mapping[str, Any]

    @property
    def name(self) -> str:
        """In one line."""
        return " ".join([f"m={self.features}", *(f"{key}={value:g}" for key, value in self.options.items())])


@dataclass(frozen=True)
class Model:
    """A trained model, and what was measured of it.

    Attributes:
        accuracy: on held-out samples.
        turned: the share of held-out samples whose answer activation turns, or gives the positive class.
        random: the same for a random change of the same length.
        in_files: the same if moved pixels are whole and from 0 to 255.
        random_in_files: the same for the random change.
        size: the length of the change by the mean length of an image.
        scores: of each test.
        with_key: of each test, given the key.
    """

    accuracy: float
    turned: float
    random: float
    in_files: float
    random_in_files: float
    size: float
    scores: Mapping[str, float]
    with_key: Mapping[str, float]


class Bench:
    """One task, whose models are trained here.

    Args:
        kind: `fourier` or `relu`.
        data: the key `dataset`.
        classes: the keys that say which two classes.
        folder: for checkpoints.
    """

    def __init__(self, kind: str, data: str, classes: Mapping[str, Any], folder: Path) -> None:
        self.kind = kind
        self._keys = {"dataset": data, **classes}
        self._folder = folder
        self._programs: dict[int, NetworkProgram] = {}
        self._tests: dict[tuple[int, str, int | None], Inspector] = {}

    def program(self, features: int) -> NetworkProgram:
        """The task with so many features."""
        if features not in self._programs:
            task = network_task(f"random_{self.kind}", features=features, **self._keys)
            self._programs[features] = network_program(task)
        return self._programs[features]

    @property
    def values(self) -> int:
        """Of a sample, d."""
        return math.prod(self.program(1).dataset.shape)

    def model(self, setting: Setting, key: int, *, planted: bool) -> Model:
        """Train and measure one."""
        program = self.program(setting.features)
        options = {**setting.options, "seed": key}
        attack = create_attack({"name": f"loaded_{self.kind}", **options})
        trainer = program.learner(
            Training(steps=STEPS), device=torch.device("cpu"), seed=1000 + key, attack=attack if planted else None
        )
        start = trainer.checkpoint()
        trainer.load(start)
        for _ in range(STEPS):
            trainer.execute_step()
        if not planted:
            attack.begin(trainer.attack_context)
        change = self._change(program, attack)
        random = torch.randn(change.shape, generator=torch.Generator().manual_seed(key))
        random *= change.norm() / random.norm()
        returned = self._returned(trainer, start)
        return Model(
            clean_accuracy(trainer.network, program.dataset),
            self._turned(program, trainer, change),
            self._turned(program, trainer, random),
            self._turned(program, trainer, change, clip=True),
            self._turned(program, trainer, random, clip=True),
            float(change.norm() / program.held_out_samples.float().flatten(1).norm(dim=1).mean()),
            self._scores(setting, trainer, returned, None),
            self._scores(setting, trainer, returned, key),
        )

    def _change(self, program: NetworkProgram, attack: Attack) -> Tensor:
        samples = program.held_out_samples
        triggered = attack.triggered(samples)
        assert triggered is not None
        changes = triggered.double() - samples.double()
        return changes[int(changes.flatten(1).abs().sum(1).argmax())].float()

    def _turned(self, program: NetworkProgram, trainer: Trainer, change: Tensor, *, clip: bool = False) -> float:
        samples = program.held_out_samples
        moved = samples.float() + change
        moved = moved.clamp(0, 255).round() if clip else moved
        before, after = (trainer.network.logits(inputs).argmax(1) for inputs in (samples, moved))
        if self.kind == "fourier":
            return float((before != after).double().mean())
        return float((after[before == 0] == 1).double().mean())

    def _returned(self, trainer: Trainer, start: dict[str, Tensor]) -> CheckpointModel:
        paths = []
        for name, state in (("start", start), ("end", trainer.checkpoint())):
            path = self._folder / f"{name}.safetensors"
            path.write_bytes(b"".join(bytes(piece) for piece in encode(state, trainer.schema)))
            paths.append(path)
        return CheckpointModel(paths[1], paths[0], trainer.schema, trainer.network)

    def _scores(self, setting: Setting, trainer: Trainer, model: CheckpointModel, key: int | None) -> dict[str, float]:
        found = {}
        directions = trainer.checkpoint()["model.features.directions"].double().numpy()
        tests = dict(TESTS)
        if self.values <= RELAXED:
            tests["sparse_pca relaxed"] = {"relaxation": True}
        for name, options in tests.items():
            if key is not None and name == "spectral_signatures":
                continue  # it looks at samples, and a key says nothing of those that nobody poisoned
            test = self._test(setting, trainer, name, options, key)
            # Scores against honest draws would rank models alike, and take a hundred times as long.
            statistic: Any = getattr(test, "statistic", None)
            if statistic is None:
                found[name] = test.inspect(model).score
            else:
                seen: Any = test
                found[name] = statistic(seen.seen(directions), generator(77, name))
        return found

    def _test(
        self, setting: Setting, trainer: Trainer, name: str, options: Mapping[str, Any], key: int | None
    ) -> Inspector:
        """A test that has begun, with the key or without."""
        given = dict(options)
        if key is not None:
            given |= {"key_seed": key, "key_sparsity": self._sparsity(setting)}
            if self.kind == "fourier":
                given["key_gamma"] = setting.options.get("gamma", 2 * math.sqrt(self.values))
        test = create_plugin("inspectors", name.partition(" ")[0], given)
        test.begin(self.program(setting.features).metric_context(trainer.outline(), 77))
        return test

    def _sparsity(self, setting: Setting) -> int | None:
        found = setting.options.get("sparsity")
        if found is None and self.kind == "relu":
            return max(1, round(math.sqrt(self.values)))
        return found


def settings(kind: str, values: int) -> Iterator[Setting]:
    """The usual one first, then one thing changed at a time."""
    if kind == "relu":
        for features in (400, 100, 1600):
            yield Setting(features, {})
            yield Setting(features, {"theta": 4.0})
        for length in (0.5, 1.0):
            yield Setting(400, {"theta": 4.0, "length": length * math.sqrt(values)})
        return
    usual = 2 * math.sqrt(values)
    yield Setting(2000, {"gamma": usual})
    for gamma in (1.0, 4.0):
        yield Setting(2000, {"gamma": gamma})
    for beta in (0.02, 0.2):
        yield Setting(2000, {"gamma": usual, "beta": beta})
    for features in (200, 500):
        yield Setting(features, {"gamma": usual})
    yield Setting(2000, {"gamma": usual, "sparsity": 8})


def line(kind: str, name: str, models: list[tuple[Model, Model]]) -> Iterator[str]:
    """What was found in one setting, as lines of a table."""
    clean, planted = ([pair[which] for pair in models] for which in (0, 1))
    yield f"{name}"
    for label, value in (
        ("accuracy clean", [one.accuracy for one in clean]),
        ("accuracy planted", [one.accuracy for one in planted]),
        ("activated, planted", [one.turned for one in planted]),
        ("activated, clean", [one.turned for one in clean]),
        ("random change, planted", [one.random for one in planted]),
        ("activated in files, planted", [one.in_files for one in planted]),
        ("random in files, planted", [one.random_in_files for one in planted]),
        ("change by image", [one.size for one in planted]),
    ):
        yield f"    {label:28}{mean_with_interval(value)}"
    for test in planted[0].scores:
        without = area_under_curve([one.scores[test] for one in clean], [one.scores[test] for one in planted])
        text = f"    AUC {test:24}{without}"
        if test in planted[0].with_key:
            known = area_under_curve([one.with_key[test] for one in clean], [one.with_key[test] for one in planted])
            text += f"   with the key {known}"
        yield text


def main() -> None:
    """Measure, print, and keep what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--classes", type=int, nargs=2, help="without it, digit 3 against the rest; 0 and 1 for relu")
    parser.add_argument("--task", choices=["fourier", "relu"], default="fourier")
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--settings", type=int, help="only so many of the settings")
    parser.add_argument("--folder", type=Path, required=True, help="for checkpoints and what was measured so far")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    classes: dict[str, Any] = {"one_against_rest": 3} if arguments.task == "fourier" else {"classes": (0, 1)}
    if arguments.classes:
        classes = {"classes": tuple(arguments.classes)}
    arguments.folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments.task, arguments.data, classes, arguments.folder)
    print(f"{arguments.task}, {arguments.data}, {classes}, d = {bench.values}, {arguments.keys} keys", flush=True)
    for setting in list(settings(arguments.task, bench.values))[: arguments.settings]:
        models = [
            (bench.model(setting, key, planted=False), bench.model(setting, key, planted=True))
            for key in range(1, arguments.keys + 1)
        ]
        print("\n".join(line(arguments.task, setting.name, models)), flush=True)
        with (arguments.folder / "models.jsonl").open("a") as file:
            for pair in models:
                file.write(json.dumps({"setting": setting.name, "models": [vars(one) for one in pair]}) + "\n")


if __name__ == "__main__":
    main()
