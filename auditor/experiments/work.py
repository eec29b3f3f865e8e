"""What worker processes do: train a start, train returned models, measure distances. No two write the same file."""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from auditor.audit.measurement import Noise, measure, measure_noise
from auditor.audit.record.packed_sketches import packed
from auditor.audit.rehearsals import Rehearsals
from auditor.audit.sketch import sketch
from auditor.base.atomic_file import write_file
from auditor.base.hostile_text import cleaned
from auditor.job.task import Task
from auditor.job.training import Training
from auditor.plugins.catalogue import Catalogue
from auditor.plugins.inspector import Inspector
from auditor.plugins.metric import MetricContext
from auditor.tasks.checkpoint import encode, read
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program, load_program
from auditor.tasks.trainer import Trainer


@dataclass(frozen=True)
class Workbench:
    """What all work of a benchmark shares.

    Attributes:
        task: what is learned.
        training: how.
        downloads: the folder for datasets.
        measurement_seed: what metrics draw their samples with.
        plugins: where attacks and metrics are found.
        device: where to compute.
    """

    task: Task
    training: Training
    downloads: Path
    measurement_seed: int
    plugins: Catalogue
    device: str


@dataclass(frozen=True)
class Arithmetic:
    """How a model is computed. Each gives the same but for rounding, as different machines do.

    Attributes:
        threads: CPU threads.
        channels_last: memory layout of images.
        accelerated: whether oneDNN computes convolutions, or PyTorch's own code.
    """

    threads: int = 1
    channels_last: bool = True
    accelerated: bool = True


REHEARSAL_SECONDS = math.inf
"""A benchmark takes the time that it takes."""

ARITHMETICS = tuple(
    Arithmetic(threads, last, fast) for fast in (True, False) for last in (True, False) for threads in (1, 2)
)
"""All of them; the first is how a local provider computes."""


@dataclass(frozen=True)
class TrainingOrder:
    """Train from a checkpoint and keep what there is at some steps.

    Attributes:
        workbench: see `Workbench`.
        attack: the table of the adversary; None for an honest execution.
        seed: of every draw.
        arithmetic: how to compute.
        start: the checkpoint to begin with; None for the initial weights.
        sub_run_steps: k, which attacks may want to know.
        results: the file of each step, counted from step 0 of the job, in ascending order.
        evaluate: whether to write down what each result can do.
    """

    workbench: Workbench
    attack: Mapping[str, Any] | None
    seed: int
    arithmetic: Arithmetic
    start: Path | None
    sub_run_steps: int
    results: tuple[tuple[int, Path], ...]
    evaluate: bool


@dataclass(frozen=True)
class MeasuringOrder:
    """Compare all models that were returned for one sub-run, under one metric.

    Attributes:
        workbench: see `Workbench`.
        metric: the table of the metric.
        start: the checkpoint that the sub-run began with.
        seed: that all members had, with the client's seeds; None where each drew its own.
        steps: the length of the sub-run.
        returned: the file of each member.
        result: where the distances go.
    """

    workbench: Workbench
    metric: Mapping[str, Any]
    start: Path
    seed: int | None
    steps: int
    returned: tuple[tuple[str, Path], ...]
    result: Path


@dataclass(frozen=True)
class SketchingOrder:
    """Sketch all models that were returned for one sub-run.

    Attributes:
        workbench: see `Workbench`.
        start: the checkpoint that the sub-run began with.
        returned: the file of each member.
        result: where the sketches go.
    """

    workbench: Workbench
    start: Path
    returned: tuple[tuple[str, Path], ...]
    result: Path


@dataclass(frozen=True)
class InspectionOrder:
    """Show one returned model to an inspector.

    Attributes:
        workbench: see `Workbench`.
        inspector: its table.
        start: the checkpoint that the sub-run began with.
        returned: the model.
        result: where what it found goes.
    """

    workbench: Workbench
    inspector: Mapping[str, Any]
    start: Path
    returned: Path
    result: Path


def train(order: TrainingOrder) -> float:
    """Carry out a training order; returns the seconds that it took."""
    begun = time.monotonic()
    workbench = order.workbench
    torch.set_num_threads(order.arithmetic.threads)
    # The switch for oneDNN also sets what only other hardware has, and warns of it.
    warnings.filterwarnings("ignore", message="TF32")
    with torch.backends.mkldnn.flags(enabled=order.arithmetic.accelerated):
        learner, program = _learner(order), _program(workbench)
        if isinstance(learner, Trainer) and not order.arithmetic.channels_last:
            learner.network.model.to(memory_format=torch.contiguous_format)
        if order.start is not None:
            learner.load(read(order.start, learner.schema))
        for step, path in order.results:
            while learner.step < step:
                learner.execute_step()
            # Only what ends a sub-run is committed to; sub-runs of several lengths are tried on the way.
            write_file(path, b"".join(bytes(piece) for piece in encode(learner.checkpoint(), learner.schema)))
            if order.evaluate:
                facts = {
                    "accuracy": program.accuracy(learner.evaluator),
                    "success": program.attack_success(learner.evaluator, learner.attack),
                }
                write_file(path.with_suffix(".json"), json.dumps(facts).encode())
    return time.monotonic() - begun


def compare(order: MeasuringOrder) -> float:
    """Carry out a measuring order; returns the seconds that it took."""
    begun = time.monotonic()
    torch.set_num_threads(1)
    workbench = order.workbench
    metric = _metric(workbench, json.dumps(dict(order.metric), sort_keys=True))
    judge = _judge(workbench)
    models = {name: CheckpointModel(path, order.start, judge.schema, judge.evaluator) for name, path in order.returned}
    noise = Noise()
    if order.seed is not None:
        noise = measure_noise(metric, _rehearsals(workbench, order.seed).of(order.start, order.steps, judge.evaluator))
    measured = measure(str(order.metric["name"]), metric, models, noise)
    content = {
        "metric": dict(order.metric),
        "members": measured.providers,
        "values": measured.values,
        "noise_floor": measured.noise.floor,
        "size": measured.noise.size,
        "spread": measured.spread,
        "excluded": dict(measured.excluded),
        "failure": measured.failure,
        "returned": {name: path.name for name, path in order.returned},
    }
    write_file(order.result, json.dumps(content).encode())
    return time.monotonic() - begun


def draw_sketches(order: SketchingOrder) -> float:
    """Carry out a sketching order; returns the seconds that it took."""
    begun = time.monotonic()
    torch.set_num_threads(1)
    judge = _judge(order.workbench)
    models = {name: CheckpointModel(path, order.start, judge.schema, judge.evaluator) for name, path in order.returned}
    drawn = sketch(models, order.workbench.measurement_seed)
    content = {"members": list(drawn), "sketches": packed(list(drawn.values()))}
    write_file(order.result, json.dumps(content).encode())
    return time.monotonic() - begun


def inspect(order: InspectionOrder) -> float:
    """Carry out an inspection order; returns the seconds that it took."""
    begun = time.monotonic()
    torch.set_num_threads(1)
    inspector = _inspector(order.workbench, json.dumps(dict(order.inspector), sort_keys=True))
    judge = _judge(order.workbench)
    content: dict[str, Any]
    try:
        content = inspector.inspect(CheckpointModel(order.returned, order.start, judge.schema, judge.evaluator)).payload
    except ValueError as error:
        content = {"failure": cleaned(error)}
    write_file(order.result, json.dumps(content).encode())
    return time.monotonic() - begun


def _learner(order: TrainingOrder) -> Learner:
    workbench = order.workbench
    attack = None if order.attack is None else workbench.plugins.create_attack(order.attack)
    return _program(workbench).learner(
        workbench.training,
        device=torch.device(workbench.device),
        seed=order.seed,
        attack=attack,
        sub_run_steps=order.sub_run_steps,
        client=None if attack is None else _client(workbench),
    )


@lru_cache(maxsize=1)
def _program(workbench: Workbench) -> Program:
    return load_program(workbench.task, workbench.downloads)


@lru_cache(maxsize=1)
def _client(workbench: Workbench) -> MetricContext:
    return _program(workbench).metric_context(_judge(workbench).outline(), workbench.measurement_seed)


@lru_cache(maxsize=1)
def _judge(workbench: Workbench) -> Learner:
    return _honest(workbench, 0)


@lru_cache(maxsize=1)
def _rehearsals(workbench: Workbench, seed: int) -> Rehearsals:
    schema, precision = _judge(workbench).schema, workbench.training.precision
    return Rehearsals(lambda: _honest(workbench, seed), schema, precision, REHEARSAL_SECONDS)


def _honest(workbench: Workbench, seed: int) -> Learner:
    return _program(workbench).learner(workbench.training, device=torch.device(workbench.device), seed=seed)


@lru_cache(maxsize=16)
def _metric(workbench: Workbench, table: str) -> Any:
    options = json.loads(table)
    metric = workbench.plugins.create("metrics", options.pop("name"), options)
    metric.begin(_client(workbench))
    return metric


@lru_cache(maxsize=4)
def _inspector(workbench: Workbench, table: str) -> Inspector:
    options = json.loads(table)
    inspector = workbench.plugins.create("inspectors", options.pop("name"), options)
    inspector.begin(_client(workbench))
    return inspector
