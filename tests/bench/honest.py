"""How often honest providers of mixed software are flagged with shared seeds, and adversaries beside them caught.

    python -m tests.bench.honest [--cifar10 FILE] [--other-python PATH]… [--folder FOLDER] [--only NAME…]

For every setting, start and k, the sub-run is executed in several ways that round differently: one and two threads,
without oneDNN, with other instruction sets, on contiguous memory, and by other environments (`--other-python`, with
another release of PyTorch). Two providers that agree to the bit judge each of them as the third, which is where a lone
build is in most danger; three that all differ judge one another. Noise is measured as in an audit, in the usual way. In
the same settings every attack takes the place of the third. Asked is a false-alarm rate of 0.1 % in four sub-runs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from auditor.audit.measurement import measure, measure_noise
from auditor.audit.rehearsals import Rehearsals
from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, DistanceMatrix
from auditor.decisions.error_budget import Budget
from auditor.decisions.evidence import combined_p_value
from auditor.decisions.ratio import RatioDecision
from auditor.plugins import Metric, create_plugin, installed
from auditor.tasks.checkpoint_model import CheckpointModel
from tests.bench.honest_ways import Setting
from tests.tasks.loading import network_program

RATE, SUB_RUNS = 0.001, 4
DEFAULT = ("update", "zest", "buffers", "optimizer")
"""What an audit compares by if its job names no metrics."""

WAYS: dict[str, dict[str, Any]] = {
    "usual": {},
    "threads": {"threads": 2},
    "plain": {"plain": True},
    "contiguous": {"contiguous": True},
    "sse41": {"environment": {"ONEDNN_MAX_CPU_ISA": "SSE41"}},
    "scalar": {"environment": {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}},
}


def sgd(rate: float) -> dict[str, Any]:
    return {"name": "sgd", "lr": rate, "momentum": 0.9, "weight_decay": 5e-4}


def adamw(rate: float) -> dict[str, Any]:
    return {"name": "adamw", "lr": rate}


def settings(cifar10: str | None) -> Iterator[Setting]:
    """What is trained."""
    short: tuple[int, ...] = (1, 5, 20)
    long: tuple[int, ...] = (1, 5, 20, 100)
    for model, rate, starts, lengths in (
        ("resnet8", 0.02, (0, 100), short),
        ("resnet8", 0.05, (0, 40, 200), long),
        ("resnet8", 0.4, (0, 100), short),
        ("resnet20", 0.1, (0, 20, 100), short),
    ):
        yield Setting(f"digits-{model}-sgd{rate}", "vision", "digits", model, {"optimizer": sgd(rate)}, starts, lengths)
    for rate in (1e-4, 2e-3, 1e-2):
        yield Setting(
            f"digits-resnet8-adamw{rate:g}", "vision", "digits", "resnet8", {"optimizer": adamw(rate)}, (0, 100), short
        )
    for model, rates in (("transformer", (1e-4, 1e-3, 1e-2)), ("embeddings", (1e-3, 1e-2))):
        for rate in rates:
            given = {"optimizer": adamw(rate)}
            yield Setting(f"reviews-{model}-adamw{rate:g}", "text", "reviews", model, given, (0, 60), long)
    yield Setting("reviews-transformer-sgd0.1", "text", "reviews", "transformer", {"optimizer": sgd(0.1)}, (60,), short)
    if cifar10 is not None:
        data = f"tensors:{cifar10}"
        cuts: tuple[tuple[str, float, tuple[int, ...]], ...] = (
            ("resnet8", 0.05, short),
            ("resnet20", 0.1, short),
            ("torchvision:resnet18", 0.02, (1, 5)),
        )
        for model, rate, lengths in cuts:
            table: dict[str, Any] = {"optimizer": sgd(rate), "batch_size": 32, "augment": ["crop", "flip"]}
            name = f"cifar10-{model.rpartition(':')[2]}-sgd{rate}"
            yield Setting(name, "vision", data, model, table, (0, 40), lengths)


def attacks(kind: str) -> dict[str, dict[str, Any]]:
    """What the third provider may carry out, by name."""
    backdoor = "badnets" if kind == "vision" else "text_trigger"
    both: dict[str, dict[str, Any]] = {
        "backdoor 10 %": {"name": backdoor, "rate": 0.1},
        "backdoor 1 %": {"name": backdoor, "rate": 0.01},
        "low_rate": {"name": "low_rate", "ratio": 0.1, "attack": {"name": backdoor}},
        "lazy": {"name": "lazy", "skip": 0.5},
        "learning rate": {"name": "hyperparameter", "learning_rate": 1.2},
        "weight decay": {"name": "hyperparameter", "weight_decay": 0.0},
        "precision": {"name": "precision"},
        "optimizer state": {"name": "tamper", "part": "optimizer", "amount": 0.1},
    }
    images = {name: {"name": name} for name in ("blend", "wanet")}
    return both | images if kind == "vision" else both


def order_all(chosen: list[Setting], folder: Path, others: list[str]) -> None:
    """Have everything executed that is not there yet, one process after another."""
    _order(chosen, folder, "starts", {}, sys.executable)
    for way, order in WAYS.items():
        _order(chosen, folder, way, order, sys.executable)
    for number, python in enumerate(others):
        _order(chosen, folder, f"other{number}", {}, python)
    for kind in ("vision", "text"):
        of_kind = [setting for setting in chosen if setting.kind == kind]
        for name, attack in attacks(kind).items():
            _order(of_kind, folder, name, {"attack": attack}, sys.executable)


def _order(chosen: list[Setting], folder: Path, way: str, order: dict[str, Any], python: str) -> None:
    done = folder / f"done-{way}.json"
    known: list[str] = json.loads(done.read_text()) if done.exists() else []
    missing = [setting for setting in chosen if setting.name not in known]
    if not missing:
        return
    path = folder / "order.json"
    table = {**order, "way": way, "folder": str(folder), "settings": [asdict(setting) for setting in missing]}
    path.write_text(json.dumps(table))
    # Threads that spin while they wait take the processor from whatever else runs.
    threads = {"OMP_NUM_THREADS": str(order.get("threads", 1)), "OMP_WAIT_POLICY": "passive"}
    environment = os.environ | threads | order.get("environment", {})
    subprocess.run([python, "-m", "tests.bench.honest_ways", str(path)], env=environment, check=True)
    done.write_text(json.dumps([*known, *(setting.name for setting in missing)]))


class Judge:
    """The client: measures noise and distances in one setting, and judges committees of three."""

    def __init__(self, setting: Setting, folder: Path) -> None:
        self._setting = setting
        self._folder = folder
        self._trainer = setting.trainer()
        context = network_program(setting.task).metric_context(self._trainer.outline(), 77)
        self._metrics: dict[str, Metric[Any]] = {}
        for one in installed("metrics"):
            metric = create_plugin("metrics", one.name, {})
            try:
                metric.begin(context)
            except ValueError:
                continue  # the model has nothing of what it compares
            self._metrics[one.name] = metric
        self._rehearsals = Rehearsals(setting.trainer, self._trainer.schema, setting.spec.precision, math.inf)

    def matrices(self, start: int, length: int) -> dict[str, DistanceMatrix]:
        """The distances among all that were returned for a sub-run, by metric."""
        setting, folder = self._setting, self._folder
        names = [*WAYS, *(f"other{number}" for number in range(9)), *attacks(setting.kind)]
        paths = {name: setting.result(folder, name, start, length) for name in names}
        begin = setting.start(folder, start)
        models = {
            name: CheckpointModel(path, begin, self._trainer.schema, self._trainer.network)
            for name, path in paths.items()
            if path.exists()
        }
        rehearsed = self._rehearsals.of(begin, length, self._trainer.network)
        found = {}
        for name, metric in self._metrics.items():
            measured, noise = measure(name, metric, models, n := measure_noise(metric, rehearsed)), n
            values = np.array(measured.values)
            found[name] = DistanceMatrix(0, name, measured.providers, values, noise.floor, None, noise.size)
        return found


def p_value(matrices: dict[str, DistanceMatrix], metrics: list[str], committee: tuple[str, ...], judged: int) -> float:
    """The p-value of one of three; who appears twice agrees with itself to the bit."""
    cut = []
    for name in metrics:
        matrix = matrices[name]
        if any(member not in matrix.providers for member in committee):
            continue
        rows = [matrix.providers.index(member) for member in committee]
        seats = tuple(f"{seat} {member}" for seat, member in enumerate(committee))
        values = matrix.values[np.ix_(rows, rows)]
        cut.append(DistanceMatrix(0, name, seats, values, matrix.noise_floor, None, matrix.size))
    told = [
        one
        for one in RatioDecision().judge(cut, Assumptions(0.67, Seeds.SHARED, RATE))
        if one.provider.startswith(f"{judged} ")
    ]
    found = combined_p_value(told, Budget(SUB_RUNS, True, len(metrics), False))
    return 1.0 if found is None else found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cifar10", help="a tensor file with images and labels")
    parser.add_argument("--other-python", action="append", default=[], help="of an environment with other software")
    parser.add_argument("--folder", type=Path, help="keeps what was executed, so that it can go on later")
    parser.add_argument("--only", nargs="+", help="settings whose names contain one of these")
    arguments = parser.parse_args()
    chosen = [
        setting
        for setting in settings(arguments.cifar10)
        if arguments.only is None or any(part in setting.name for part in arguments.only)
    ]
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        order_all(chosen, folder.resolve(), arguments.other_python)
        torch.set_num_threads(1)
        report(chosen, folder.resolve())


def report(chosen: list[Setting], folder: Path) -> None:
    """A line a sub-run, then totals."""
    honest, caught, tried = Counter[str](), Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    print(f"{'setting':34}{'start':>6}{'k':>5}{'noise':>9}{'largest':>9}{'under':>11}{'flagged':>9}  missed")
    for setting in chosen:
        judge = Judge(setting, folder)
        for start in setting.starts:
            for length in setting.lengths:
                matrices = judge.matrices(start, length)
                ways = [one for one in next(iter(matrices.values())).providers if one in WAYS or "other" in one]
                committees = [("usual", "usual", way) for way in ways if way != "usual"]
                committees += [tuple(np.roll(ways, -index)[:3]) for index in range(len(ways))]
                flagged = [
                    p_value(matrices, list(matrices), committee, seat) <= RATE
                    for committee in committees
                    for seat in range(3)
                ]
                honest["judged"] += len(flagged)
                honest["flagged"] += sum(flagged)
                largest, under = max(
                    (matrix.values[np.ix_(rows, rows)].max() / matrix.noise_floor, name)
                    for name, matrix in matrices.items()
                    if matrix.noise_floor
                    for rows in [[matrix.providers.index(way) for way in ways]]
                )
                honest["over one floor"] += largest > 1
                missed = []
                default = [name for name in DEFAULT if name in matrices]
                for attack in attacks(setting.kind):
                    if setting.result(folder, attack, start, length).exists():
                        found = p_value(matrices, default, ("usual", "contiguous", attack), 2) <= RATE
                        tried[attack, length] += 1
                        caught[attack, length] += found
                        if not found:
                            missed.append(attack)
                update = matrices["update"]
                share = 2 * (update.noise_floor or math.nan) / math.sqrt(2)
                print(
                    f"{setting.name:34}{start:6}{length:5}{share:9.1e}{largest:9.2f}{under:>11}{sum(flagged):9}  "
                    f"{', '.join(missed)}",
                    flush=True,
                )
    print(
        f"\nhonest: {honest['flagged']} of {honest['judged']} judgements flagged; in {honest['over one floor']} "
        "sub-runs some honest distance was over one noise floor"
    )
    lengths = sorted({length for _, length in tried})
    print(f"\n{'caught in one sub-run':24}" + "".join(f"{f'k = {length}':>12}" for length in lengths))
    for attack in dict.fromkeys(name for name, _ in tried):
        cells = [f"{caught[attack, length]} of {tried[attack, length]}" for length in lengths]
        print(f"{attack:24}" + "".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main()
