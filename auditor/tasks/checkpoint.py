"""Checkpoints: safetensors in one canonical byte order, so that equal state has equal digest.

A safetensors file is the length of its header (8 bytes, little-endian), the header (JSON, padded with spaces to
a multiple of 8 bytes) and the tensors. The format leaves the order of entries and tensors open. Here both are
sorted by falling item size, then by name, and the JSON has no white space, so that a job's schema determines
every byte but the values. A file is therefore checked, before anything in it is mapped, by comparing its size
and its first bytes with those that the schema demands.

Files may be larger than the memory. What looks at every number takes tensors in pieces (`pieces`), which are read, not
mapped, so that memory does not grow with the model, nor with its largest tensor.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from safetensors.torch import load as load_bytes
from torch import Tensor

from auditor.tasks.errors import CheckpointError
from auditor.tasks.tensor_file import TYPES, MappedState, TensorFile, as_array, count, pieces, places_in, raw

STEP = "step"
"""The name of the step count in a checkpoint, int64 []."""

MODEL = "model."
"""What the names of parameters and buffers in a checkpoint begin with."""

OPTIMIZER = "optimizer."
"""What the names of the optimizer's state in a checkpoint begin with."""

LARGE_PIECE = 1 << 20
"""Numbers of a tensor that are copied or hashed together."""


@dataclass(frozen=True)
class Schema:
    """Names, types and shapes of a job's checkpoints, in canonical order.

    Attributes:
        entries: (name, dtype, shape) of each tensor.
    """

    entries: tuple[tuple[str, torch.dtype, tuple[int, ...]], ...]

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> Schema:
        """The schema that `tensors` follow."""
        entries = [(name, tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()]
        return cls(tuple(sorted(entries, key=lambda entry: (-entry[1].itemsize, entry[0]))))

    @classmethod
    def of_file(cls, path: Path) -> Schema:
        """The schema of a checkpoint file that was checked before.

        Raises:
            OSError: it cannot be read.
        """
        return cls(tuple((name, dtype, shape) for name, (dtype, shape, _) in places_in(path).items()))

    @cached_property
    def offsets(self) -> dict[str, tuple[int, int]]:
        """Where each tensor begins and ends, in bytes after the header."""
        found, offset = {}, 0
        for name, dtype, shape in self.entries:
            found[name] = offset, offset + dtype.itemsize * count(shape)
            offset = found[name][1]
        return found

    @cached_property
    def header(self) -> bytes:
        """The bytes that every file of this schema starts with."""
        table = {
            name: {"dtype": TYPES[dtype], "shape": list(shape), "data_offsets": list(self.offsets[name])}
            for name, dtype, shape in self.entries
        }
        text = json.dumps(table, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return len(text).to_bytes(8, "little") + text

    @cached_property
    def size(self) -> int:
        """The size in bytes of every file of this schema."""
        return len(self.header) + sum(dtype.itemsize * count(shape) for _, dtype, shape in self.entries)


class CheckpointFile(TensorFile):
    """The tensors of a checkpoint file.

    Args:
        path: of the file.
        schema: that it must follow.

    Raises:
        CheckpointError: the file is not a checkpoint of this schema.
        OSError: it cannot be read; any use may raise this.
    """

    def __init__(self, path: Path, schema: Schema) -> None:
        check_file(path, schema)
        self.schema = schema
        begin = len(schema.header)
        places = {name: (dtype, shape, begin + schema.offsets[name][0]) for name, dtype, shape in schema.entries}
        super().__init__(path, places)


def encode(tensors: Mapping[str, Tensor], schema: Schema) -> Iterator[bytes | memoryview]:
    """The file of a checkpoint, piece by piece.

    Raises:
        CheckpointError: `tensors` do not follow the schema.
        OSError: their file cannot be read.
    """
    if (tensors.schema if isinstance(tensors, CheckpointFile) else Schema.of(tensors)) != schema:
        raise CheckpointError("the tensors do not follow the job's schema.")
    yield schema.header
    for _, piece in pieces(tensors, [name for name, _, _ in schema.entries], LARGE_PIECE):
        if piece.numel():
            yield raw(piece)


def digest_of(tensors: Mapping[str, Tensor], schema: Schema) -> str:
    """The digest of the file of a checkpoint, without making the file.

    Raises:
        CheckpointError: `tensors` do not follow the schema.
    """
    sha = hashlib.sha256()
    for piece in encode(tensors, schema):
        sha.update(piece)
    return sha.hexdigest()


def decode(data: bytes, schema: Schema) -> dict[str, Tensor]:
    """The tensors in the bytes of a checkpoint.

    Raises:
        CheckpointError: the bytes are not a checkpoint of this schema.
    """
    _check_frame(len(data), data[: len(schema.header)], schema)
    return load_bytes(data)


def read(path: Path, schema: Schema) -> MappedState:
    """The tensors of a checkpoint file, mapped.

    Raises:
        CheckpointError: the file is not a checkpoint of this schema.
        OSError: it cannot be read.
    """
    file = CheckpointFile(path, schema)
    return MappedState(file, {name: name for name in file})


def digest_of_parts(path: Path, names: Iterable[str]) -> str:
    """SHA-256 over the bytes of some tensors of a checkpoint file that was checked before.

    Raises:
        OSError: it cannot be read.
    """
    sha = hashlib.sha256()
    for _, piece in CheckpointFile(path, Schema.of_file(path)).pieces(names, LARGE_PIECE):
        if piece.numel():
            sha.update(raw(piece))
    return sha.hexdigest()


def check_file(path: Path, schema: Schema) -> None:
    """Refuse a file that is not exactly of this schema, without mapping it.

    Raises:
        CheckpointError: says what differs.
    """
    with path.open("rb") as file:
        _check_frame(path.stat().st_size, _first(file, schema), schema)


def all_finite(tensors: Mapping[str, Tensor]) -> bool:
    """Whether no tensor holds NaN or infinity."""
    return all(
        bool(np.isfinite(as_array(piece)).all()) for _, piece in pieces(tensors) if piece.dtype.is_floating_point
    )


def _first(file: BinaryIO, schema: Schema) -> bytes:
    return file.read(len(schema.header))


def _check_frame(size: int, start: bytes, schema: Schema) -> None:
    if size != schema.size:
        raise CheckpointError(f"it has {size:,} bytes; a checkpoint of this job has {schema.size:,}.")
    if start != schema.header:
        raise CheckpointError("its names, shapes or types are not those of this job.")
