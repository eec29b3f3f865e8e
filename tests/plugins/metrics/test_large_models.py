"""Metrics that read files: what they find in many pieces, and how much memory that takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor

from auditor.audit.copies import Copies
from auditor.audit.sketch import sketch
from auditor.plugins import ModelOutline, ReturnedModel
from auditor.plugins.metric import PIECE
from auditor.tasks.checkpoint import OPTIMIZER, CheckpointFile, Schema, all_finite, encode, read
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.command.state_file import write_state
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.known_values import KnownValues
from tests.memory import Memory
from tests.plugins.metrics.begun import begun
from tests.plugins.models import CONTEXT

NUMBERS = 3 * PIECE + 7
"""More than one piece, and no whole number of them."""
BUFFERS = ("model.norm.running_mean", "model.norm.running_var")
PARAMETERS = ("model.one.weight", "model.two.weight", "model.none")


class Tensors(Evaluator):
    """Knows the names in a checkpoint, and computes nothing."""

    @property
    def parameters(self) -> tuple[str, ...]:
        return PARAMETERS

    @property
    def buffers(self) -> tuple[str, ...]:
        return BUFFERS

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        raise NotImplementedError


def state(seed: int, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    draws = torch.Generator().manual_seed(seed)
    return {
        "model.one.weight": torch.randn(NUMBERS, generator=draws).to(dtype),
        "model.two.weight": torch.randn(5, 3, generator=draws),
        "model.none": torch.empty(0, 3),
        BUFFERS[0]: torch.randn(NUMBERS, generator=draws),
        BUFFERS[1]: torch.rand(NUMBERS, generator=draws) + 0.1,
        "optimizer.one.weight.momentum_buffer": torch.randn(NUMBERS, generator=draws).to(dtype),
        "step": torch.tensor(3),
    }


def saved(path: Path, tensors: Mapping[str, Tensor]) -> Path:
    path.write_bytes(b"".join(bytes(piece) for piece in encode(tensors, Schema.of(tensors))))
    return path


def returned(folder: Path, states: list[dict[str, Tensor]]) -> list[ReturnedModel]:
    """The first is what the others started from."""
    paths = [saved(folder / str(number), tensors) for number, tensors in enumerate(states)]
    return [CheckpointModel(path, paths[0], Schema.of(states[0]), Tensors()) for path in paths[1:]]


def outline(states: list[dict[str, Tensor]]) -> ModelOutline:
    own = {name: name.partition(".")[2] for name in states[0]}
    optimizer = tuple(own[name] for name in own if name.startswith(OPTIMIZER))
    return ModelOutline((), tuple(map(own.__getitem__, PARAMETERS)), tuple(map(own.__getitem__, BUFFERS)), optimizer)


def distances(metric: str, folder: Path, states: list[dict[str, Tensor]]) -> list[list[float]]:
    plugin = begun(metric, replace(CONTEXT, model=outline(states)))
    return [list(row) for row in plugin.compare([plugin.represent(one) for one in returned(folder, states)]).distances]


def apart(first: Tensor, second: Tensor) -> float:
    return float((first.double() - second.double()).norm())


def expected(metric: str, start: dict[str, Tensor], one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """The definitions, over whole tensors in float64."""

    def flat(tensors: dict[str, Tensor], names: tuple[str, ...]) -> Tensor:
        return torch.cat([tensors[name].double().flatten() for name in names])

    def share(names: tuple[str, ...], origin: Tensor) -> float:
        lengths = [apart(flat(tensors, names), origin) for tensors in (one, other)]
        return apart(flat(one, names), flat(other, names)) / math.sqrt(lengths[0] * lengths[1])

    if metric == "update":
        lengths = [apart(flat(tensors, PARAMETERS), flat(start, PARAMETERS)) for tensors in (one, other)]
        return apart(flat(one, PARAMETERS), flat(other, PARAMETERS)) / (sum(lengths) / 2)
    if metric == "per_layer":
        return max(share((name,), flat(start, (name,))) for name in PARAMETERS[:2])
    if metric == "optimizer":
        return share(("optimizer.one.weight.momentum_buffer",), torch.zeros(NUMBERS))
    means, variances = ([tensors[name].double() for tensors in (one, other)] for name in BUFFERS)
    centres = (means[0] - means[1]).square() / ((variances[0] + variances[1]) / 2)
    scales = (variances[0].log() - variances[1].log()).square() / 2
    return float((centres + scales).mean().sqrt())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64], ids=str)
@pytest.mark.parametrize("metric", ["update", "per_layer", "optimizer", "buffers"])
def test_what_is_found_in_pieces_is_what_the_definition_gives(tmp_path: Path, metric: str, dtype: torch.dtype) -> None:
    states = [state(seed, dtype) for seed in range(4)]
    found = distances(metric, tmp_path, states)
    for row in range(3):
        for column in range(3):
            wanted = 0.0 if row == column else expected(metric, states[0], states[1 + row], states[1 + column])
            assert found[row][column] == pytest.approx(wanted, rel=1e-5)


def test_pieces_are_the_tensors_one_after_another(tmp_path: Path) -> None:
    (model,) = returned(tmp_path, [state(0), state(1)])
    for part, whole in (
        ("parameters", model.parameters),
        ("start_parameters", model.start_parameters),
        ("buffers", model.buffers),
        ("optimizer_state", model.optimizer_state),
    ):
        found: dict[str, list[Tensor]] = {}
        for name, piece in model.pieces(part, 1000):  # type: ignore[arg-type]
            assert len(piece) <= 1000
            found.setdefault(name, []).append(piece)
        assert list(found) == [name for name, _ in whole()]
        assert all(torch.equal(torch.cat(found[name]), tensor.flatten()) for name, tensor in whole())
    assert {name for name, _ in model.pieces("parameters", only=["two.weight"])} == {"two.weight"}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four checkpoints of 256 MB, nearly all of it in one tensor: zeros, for which the disk needs no room."""
    folder = tmp_path_factory.mktemp("large")
    paths = [folder / str(number) for number in range(4)]
    for number, path in enumerate(paths):
        with path.open("wb") as file:
            file.write(LARGE.header)
            file.seek(7 + 1_000_000 * number, 1)
            file.write(b"\1")
            file.truncate(LARGE.size)
    return paths


LARGE = Schema.of(
    {
        "model.one.weight": torch.empty(1 << 25, device="meta"),
        "model.two.weight": torch.empty(3, device="meta"),
        "model.none": torch.empty(0, device="meta"),
        BUFFERS[0]: torch.empty(1 << 23, device="meta"),
        BUFFERS[1]: torch.empty(1 << 23, device="meta"),
        "optimizer.one.weight.exp_avg_sq": torch.empty(1 << 24, device="meta"),
        "step": torch.empty((), dtype=torch.int64, device="meta"),
    }
)
MOST = 64 << 20
"""Bytes: half of the largest tensor; what is read in pieces takes a few times 16 MiB at most."""


@pytest.mark.parametrize("metric", ["update", "per_layer", "optimizer", "buffers"])
def test_memory_does_not_grow_with_the_model(large: list[Path], metric: str) -> None:
    names = ModelOutline((), ("one.weight",), ("norm.running_mean", "norm.running_var"), ("one.weight.exp_avg_sq",))
    plugin = begun(metric, replace(CONTEXT, model=names))
    models = [CheckpointModel(path, large[0], LARGE, Tensors()) for path in large[1:]]
    with Memory(mapped=True) as memory:
        plugin.compare([plugin.represent(model) for model in models])
    assert memory.grown < MOST


def test_memory_does_not_grow_where_a_checkpoint_is_checked_copied_written_and_sketched(
    large: list[Path], tmp_path: Path
) -> None:
    known = KnownValues.of({}, {})
    start, path = (CheckpointFile(one, LARGE) for one in large[:2])
    models = {"one": CheckpointModel(large[1], large[0], LARGE, Tensors())}
    with Memory(mapped=True) as memory:
        known.check(path, int(path["step"]))
        assert all_finite(path)
        assert not Copies(PARAMETERS).is_copy(start.path, path.path, start.path)
        for size in map(len, encode(path, LARGE)):
            assert size <= MOST
        sketch(models, 1)
        again = read(large[1], LARGE)
        assert sum(map(len, encode(again, LARGE))) == LARGE.size
        write_state(tmp_path / "written", again.among(name for name in again if name != "step"))
    (tmp_path / "written").unlink()
    assert memory.grown < MOST
    assert [len(piece) for _, piece in path.pieces(["model.none"])] == [0]
    assert all(first <= second for first, second in pairwise(sorted(LARGE.offsets.values())))
