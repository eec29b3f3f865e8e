"""What worker processes do: train a start, train returned models, measure distances. Each writes files of its own."""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from auditor.audit.measurement import Noise, measure, measure_noise
from auditor.audit.packed_sketches import packed
from auditor.audit.rehearsals import Rehearsals
from auditor.audit.sketch import sketch
from auditor.base.hostile_text import cleaned
from auditor.job.task import Task
from auditor.job.training import Training
from auditor.plugins.discovery import Catalogue
from auditor.plugins.inspector import Inspector
from auditor.plugins.metric import MetricContext
from auditor.tasks.checkpoint import encode, read
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program, load_program
from auditor.tasks.returned import CheckpointModel
from auditor.tasks.trainer import Trainer


@dataclass(frozen=True)
class Place:
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
class Way:
    """A way to compute the same thing that differs in rounding, as differing machines do.

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

WAYS = tuple(Way(threads, last, fast) for fast in (True, False) for last in (True, False) for threads in (1, 2))
"""All ways; the first is how a local provider computes."""


@dataclass(frozen=True)
class TrainingOrder:
    """Train from a checkpoint and keep what there is at some steps.

    Attributes:
        place: see `Place`.
        attack: the table of the adversary; None for an honest execution.
        seed: of every draw.
        way: how to compute.
        start: the checkpoint to begin with; None for the initial weights.
        sub_run_steps: k, which attacks may want to know.
        results: the file of each step, counted from step 0 of the job, in ascending order.
        evaluate: whether to write down what each result can do.
    """

    place: Place
    attack: Mapping[str, Any] | None
    seed: int
    way: Way
    start: Path | None
    sub_run_steps: int
    results: tuple[tuple[int, Path], ...]
    evaluate: bool


@dataclass(frozen=True)
class MeasuringOrder:
    """Compare all models that were returned for one sub-run, under one metric.

    Attributes:
        place: see `Place`.
        metric: the table of the metric.
        start: the checkpoint that the sub-run began with.
        seed: that all members had, with the client's seeds; None where each drew its own.
        steps: the length of the sub-run.
        returned: the file of each member.
        result: where the distances go.
    """

    place: Place
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
        place: see `Place`.
        start: the checkpoint that the sub-run began with.
        returned: the file of each member.
        result: where the sketches go.
    """

    place: Place
    start: Path
    returned: tuple[tuple[str, Path], ...]
    result: Path


@dataclass(frozen=True)
class InspectionOrder:
    """Show one returned model to an inspector.

    Attributes:
        place: see `Place`.
        inspector: its table.
        start: the checkpoint that the sub-run began with.
        returned: the model.
        result: where what it found goes.
    """

    place: Place
    inspector: Mapping[str, Any]
    start: Path
    returned: Path
    result: Path


def train(order: TrainingOrder) -> float:
    """Carry out a training order; returns the seconds that it took."""
    begun = time.monotonic()
    place = order.place
    torch.set_num_threads(order.way.threads)
    # The switch for oneDNN also sets what only other hardware has, and warns of it.
    warnings.filterwarnings("ignore", message="TF32")
    with torch.backends.mkldnn.flags(enabled=order.way.accelerated):
        learner, program = _learner(order), _program(place)
        if isinstance(learner, Trainer) and not order.way.channels_last:
            learner.network.model.to(memory_format=torch.contiguous_format)
        if order.start is not None:
            learner.load(read(order.start, learner.schema))
        for step, path in order.results:
            while learner.step < step:
                learner.execute_step()
            # Only what ends a sub-run is committed to; sub-runs of several lengths are tried on the way.
            _write(path, b"".join(bytes(piece) for piece in encode(learner.checkpoint(), learner.schema)))
            if order.evaluate:
                facts = {
                    "accuracy": program.accuracy(learner.evaluator),
                    "success": program.attack_success(learner.evaluator, learner.attack),
                }
                _write(path.with_suffix(".json"), json.dumps(facts).encode())
    return time.monotonic() - begun


def compare(order: MeasuringOrder) -> float:
    """Carry out a measuring order; returns the seconds that it took."""
    begun = time.monotonic()
    torch.set_num_threads(1)
    place = order.place
    metric = _metric(place, json.dumps(dict(order.metric), sort_keys=True))
    judge = _judge(place)
    models = {name: CheckpointModel(path, order.start, judge.schema, judge.evaluator) for name, path in order.returned}
    noise = Noise()
    if order.seed is not None:
        noise = measure_noise(metric, _rehearsals(place, order.seed).of(order.start, order.steps, judge.evaluator))
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
    _write(order.result, json.dumps(content).encode())
    return time.monotonic() - begun


def draw_sketches(order: SketchingOrder) -> float:
    """Carry out a sketching order; returns the seconds that it took."""
    begun = time.monotonic()
    torch.set_num_threads(1)
    judge = _judge(order.place)
    models = {name: CheckpointModel(path, order.start, judge.schema, judge.evaluator) for name, path in order.returned}
    drawn = sketch(models, order.place.measurement_seed)
    content = {"members": list(drawn), "sketches": packed(list(drawn.values()))}
    _write(order.result, json.dumps(content).encode())
    return time.monotonic() - begun


def inspect(order: InspectionOrder) -> float:
    """Carry out an inspection order; returns the seconds that it took."""
    begun = time.monotonic()
    torch.set_num_threads(1)
    inspector = _inspector(order.place, json.dumps(dict(order.inspector), sort_keys=True))
    judge = _judge(order.place)
    content: dict[str, Any]
    try:
        found = inspector.inspect(CheckpointModel(order.returned, order.start, judge.schema, judge.evaluator))
        content = {**asdict(found), "suspicious": found.suspicious}
    except ValueError as error:
        content = {"failure": cleaned(error)}
    _write(order.result, json.dumps(content).encode())
    return time.monotonic() - begun


def _learner(order: TrainingOrder) -> Learner:
    place = order.place
    attack = None if order.attack is None else place.plugins.create_attack(order.attack)
    return _program(place).learner(
        place.training,
        device=torch.device(place.device),
        seed=order.seed,
        attack=attack,
        sub_run_steps=order.sub_run_steps,
        client=None if attack is None else _client(place),
    )


@lru_cache(maxsize=1)
def _program(place: Place) -> Program:
    return load_program(place.task, place.downloads)


@lru_cache(maxsize=1)
def _client(place: Place) -> MetricContext:
    return _program(place).metric_context(_judge(place).outline(), place.measurement_seed)


@lru_cache(maxsize=1)
def _judge(place: Place) -> Learner:
    return _honest(place, 0)


@lru_cache(maxsize=1)
def _rehearsals(place: Place, seed: int) -> Rehearsals:
    schema, precision = _judge(place).schema, place.training.precision
    return Rehearsals(lambda: _honest(place, seed), schema, precision, REHEARSAL_SECONDS)


def _honest(place: Place, seed: int) -> Learner:
    return _program(place).learner(place.training, device=torch.device(place.device), seed=seed)


@lru_cache(maxsize=16)
def _metric(place: Place, table: str) -> Any:
    options = json.loads(table)
    metric = place.plugins.create("metrics", options.pop("name"), options)
    metric.begin(_client(place))
    return metric


@lru_cache(maxsize=4)
def _inspector(place: Place, table: str) -> Inspector:
    options = json.loads(table)
    inspector = place.plugins.create("inspectors", options.pop("name"), options)
    inspector.begin(_client(place))
    return inspector


def _write(path: Path, content: bytes) -> None:
    """Write a file that is there entirely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".incoming-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).rename(path)
    finally:
        Path(name).unlink(missing_ok=True)
