"""How far apart honest executions with the same seeds come by numerics alone, under every metric.

The same k steps are executed from the same checkpoint with one thread and with two, on channels-last and on
contiguous memory, and once in bf16 and once under an attack for comparison. Texts know no memory layout; for them one
execution does without oneDNN's kernels. The metrics' noise floors are upper envelopes of the column `fp32`.

    python -m tests.bench.noise_floor [--dataset tensors:cifar10.safetensors] [--model resnet8] [--optimizer adamw]
                                      [--metrics update 'zest {"norm": "l2"}' 'buffers {"what": "optimizer"}']
    python -m tests.bench.noise_floor --kind text --dataset reviews --model transformer --metrics update output
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import combinations
from pathlib import Path

import torch

from auditor.job.model import Training
from auditor.job.task import Task
from auditor.plugins import Metric, create_plugin
from auditor.training.checkpoint import encode, read
from auditor.training.data import Dataset, load_dataset
from auditor.training.outline import outline
from auditor.training.probing_samples import metric_context
from auditor.training.returned import CheckpointModel
from auditor.training.trainer import Trainer

METRICS = ("update", "per_layer", "buffers", "output", "logits", "cka", "zest")
OPTIMIZERS = {"sgd": {"name": "sgd", "lr": 0.05, "momentum": 0.9}, "adamw": {"name": "adamw", "lr": 0.002}}
VARIANTS = ((1, True), (2, True), (1, False))
"""Threads, and whether it is the usual way: channels-last, with oneDNN."""

ATTACKS = {"vision": "badnets", "text": "text_trigger"}


def trainer(
    task: Task, dataset: Dataset, optimizer: str, precision: str = "fp32", rate: float | None = None
) -> Trainer:
    attack = None if rate is None else create_plugin("attacks", ATTACKS[task.kind], {"rate": rate})
    table = {"precision": precision, "steps": 10_000, "optimizer": OPTIMIZERS[optimizer]}
    spec = Training.model_validate(table)
    return Trainer(task, spec, dataset, device=torch.device("cpu"), seed=1, attack=attack)


def begun(text: str) -> Metric[object]:
    name, _, options = text.partition(" ")
    return create_plugin("metrics", name, json.loads(options or "{}"))


def returned(executing: Trainer, start: Path, steps: int, path: Path) -> Path:
    executing.load(read(start, executing.schema))
    for _ in range(steps):
        executing.execute_step()
    path.write_bytes(b"".join(bytes(piece) for piece in encode(executing.checkpoint(), executing.schema)))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", default="vision")
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--model", default="resnet8")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="sgd")
    parser.add_argument("--metrics", nargs="+", default=METRICS)
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 5, 20, 40, 100])
    parser.add_argument("--starts", type=int, nargs="+", default=[0, 100, 300])
    arguments = parser.parse_args()
    task = Task(kind=arguments.kind, dataset=arguments.dataset, model=arguments.model)
    dataset = load_dataset(task, Path())
    metrics: dict[str, Metric[object]] = {text: begun(text) for text in arguments.metrics}
    honest, low, poisoned = (
        trainer(task, dataset, arguments.optimizer),
        trainer(task, dataset, arguments.optimizer, "bf16"),
        trainer(task, dataset, arguments.optimizer, rate=0.1),
    )
    for metric in metrics.values():
        metric.begin(metric_context(task.kind, dataset, outline(honest), 0))
    width = max(map(len, metrics))
    print(f"{task.dataset.rpartition('/')[2]}, {task.model}, batch 64, {OPTIMIZERS[arguments.optimizer]}")
    print(f"{'metric':{width}}{'start':>6}{'k':>5}{'fp32':>11}{'bf16':>11}{ATTACKS[task.kind]:>13}{'floor':>11}")
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        initial = here / "initial"
        initial.write_bytes(b"".join(bytes(piece) for piece in encode(honest.checkpoint(), honest.schema)))
        for position in arguments.starts:
            torch.set_num_threads(1)
            start = returned(honest, initial, position, here / "start")
            for steps in arguments.steps:
                models = []
                for index, (threads, usual) in enumerate(VARIANTS):
                    torch.set_num_threads(threads)
                    layout = torch.channels_last if usual else torch.contiguous_format
                    honest.network.model.to(memory_format=layout)
                    with torch.backends.mkldnn.flags(enabled=usual or task.kind == "vision"):
                        models.append(returned(honest, start, steps, here / f"honest {index}"))
                torch.set_num_threads(1)
                models.append(returned(low, start, steps, here / "bf16"))
                models.append(returned(poisoned, start, steps, here / "poisoned"))
                seen = [CheckpointModel(path, start, honest.schema, poisoned.network) for path in models]
                for name, metric in metrics.items():
                    known = [metric.represent(model) for model in seen]
                    noise = max(metric.distance(a, b) for a, b in combinations(known[:3], 2))
                    others = [metric.distance(known[0], other) for other in known[3:]]
                    floor = "" if metric.noise is None else f"{metric.noise.at(position, steps):.2e}"
                    print(
                        f"{name:{width}}{position:6}{steps:5}{noise:11.2e}{others[0]:11.2e}{others[1]:13.2e}{floor:>11}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
