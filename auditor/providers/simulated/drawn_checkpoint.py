"""A checkpoint that looks as if somebody had trained on from another one, and that nobody trained.

The model: every tensor that is trained gains a random update. Half of it follows from the checkpoint that the sub-run
starts from, and is common to all; the other half follows from the training seed. Honest providers that share their
seed so return the same update, but for rounding, and honest ones with own seeds return updates that lie apart by as
much as an update is long. A deviating provider adds a direction of its own, which is the same in every sub-run.

The bytes are those of the safetensors file that was started from, with other numbers in them, so that the form is
right whatever the job is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditor.base.randomness import generator

STEP = "step"
MODEL = "model."
OPTIMIZER = "optimizer."
UPDATES = ".step"
"""How Adam names its count of updates."""
SQUARES = ".exp_avg_sq"
"""How Adam names its mean of squares, which is never negative."""
BATCHES = ".num_batches_tracked"
"""How normalisation layers name their count of batches."""
EXACT = 2**24
"""Adam counts in float32, which adds 1 exactly up to here and then stays."""

LENGTH = 1e-3
"""The length of the update of one step, as a share of the weights' own."""
LEAST = 1e-2
"""Weights that are all zero grow as if they were as large as this."""
ROUNDING = 3e-9
"""The noise of an honest provider, as a share of a weight: a few in a hundred weights round to the next number."""

_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
_INTEGERS = {"I64": "<i8", "I32": "<i4"}
_BRAIN = "BF16"


class NotDrawable(Exception):  # noqa: N818 - the name reads as what it is
    """A checkpoint that the model does not cover; the message says why, as a sentence."""


@dataclass(frozen=True)
class Draw:
    """What the numbers of one sub-run are drawn with.

    Attributes:
        steps: of the sub-run.
        end: the step that it ends at.
        batches: that a normalisation layer sees in one step.
        seed: of the training.
        own: the provider's own.
        deviation: as `SimulatedEndpoint.deviation`.
    """

    steps: int
    end: int
    batches: int
    seed: int
    own: int
    deviation: float


def drawn_checkpoint(start: bytes, draw: Draw) -> bytes:
    """The checkpoint that a simulated provider returns.

    Args:
        start: the safetensors file that the sub-run starts from.
        draw: with what it is drawn.

    Raises:
        NotDrawable: the file has no optimizer's state to tell what is trained, or is no checkpoint.
    """
    table, begin = _table(start)
    trained = _trained(table)
    if not trained:
        raise NotDrawable(
            "a simulated provider tells by the optimizer's state what is trained, and this job's optimizer keeps none; "
            "give it momentum, or take adamw"
        )
    returned = bytearray(start)
    fields = {name: _Field(entry, begin) for name, entry in table.items()}
    count = sum(fields[name].count for name in trained)
    update = _update(hashlib.sha256(start).hexdigest(), count, draw)
    rounding = generator(draw.own, "simulated rounding", draw.end).standard_normal(count, np.float32)
    for name, place in _places(trained, fields):
        old = fields[name].read(start)
        size = max(float(np.sqrt(np.mean(old**2))), LEAST) * LENGTH * np.sqrt(draw.steps)
        if name.startswith(MODEL):
            new = old + size * update[place] + ROUNDING * np.abs(old) * rounding[place]
        else:
            new = LENGTH * (update[place] + ROUNDING * rounding[place])
        fields[name].write(returned, np.abs(new) if name.endswith(SQUARES) else new)
    for name, field in fields.items():
        if name == STEP:
            field.write(returned, np.array(float(draw.end)))
        elif name.startswith(OPTIMIZER) and name.endswith(UPDATES):
            field.write(returned, np.minimum(field.read(start) + draw.steps, EXACT))
        elif name.startswith(MODEL) and name.endswith(BATCHES):
            field.write(returned, field.read(start) + draw.steps * draw.batches)
    return bytes(returned)


def _update(start: str, count: int, draw: Draw) -> NDArray[Any]:
    """The update of all that is trained, each number with a variance of 1 where the provider is honest."""
    common = generator(int(start[:15], 16), "simulated update", draw.end).standard_normal(count, np.float32)
    own = generator(draw.seed, "simulated seed", draw.end).standard_normal(count, np.float32)
    update = (common + own) / np.float32(np.sqrt(2))
    if draw.deviation:
        direction = generator(draw.own, "simulated direction").standard_normal(count, np.float32)
        update += np.float32(draw.deviation) * direction
    return update


def _table(start: bytes) -> tuple[dict[str, Any], int]:
    """The entries of a safetensors file, and where its numbers begin."""
    length = int.from_bytes(start[:8], "little")
    try:
        table = json.loads(start[8 : 8 + length])
    except ValueError:
        table = None
    if not isinstance(table, dict):
        raise NotDrawable("the checkpoint to start from is no safetensors file")
    return table, 8 + length


def _trained(table: dict[str, Any]) -> list[str]:
    """The parameters that the optimizer keeps a state of, and that state, but for counts."""
    floats = [name for name, entry in table.items() if entry["dtype"] in (*_FLOATS, _BRAIN)]
    states = [name for name in floats if name.startswith(OPTIMIZER) and not name.endswith(UPDATES)]
    owners = {name.removeprefix(OPTIMIZER).rpartition(".")[0] for name in states}
    return [name for name in floats if name.startswith(MODEL) and name.removeprefix(MODEL) in owners] + states


def _places(names: list[str], fields: dict[str, _Field]) -> Iterator[tuple[str, slice]]:
    """Which of the drawn numbers belong to which tensor."""
    first = 0
    for name in names:
        yield name, slice(first, first + fields[name].count)
        first += fields[name].count


class _Field:
    """One tensor of a safetensors file, as numbers."""

    def __init__(self, entry: dict[str, Any], begin: int) -> None:
        self._dtype = str(entry["dtype"])
        first, last = entry["data_offsets"]
        self._place = slice(begin + first, begin + last)
        self.count = int(np.prod(entry["shape"], dtype=np.int64))

    def read(self, file: bytes) -> NDArray[Any]:
        """Its numbers, in double precision."""
        raw = file[self._place]
        if self._dtype == _BRAIN:  # the upper half of a float32
            return (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4").astype(np.float64)
        return np.frombuffer(raw, self._form).astype(np.float64)

    def write(self, file: bytearray, values: NDArray[Any]) -> None:
        """Put other numbers in its place, rounded to its type."""
        if self._dtype == _BRAIN:
            bits = np.atleast_1d(values).astype("<f4").view("<u4")
            raw = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
            file[self._place] = raw.tobytes()
            return
        file[self._place] = values.astype(self._form).tobytes()

    @property
    def _form(self) -> str:
        return (_FLOATS | _INTEGERS)[self._dtype]
