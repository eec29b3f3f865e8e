"""Checkpoints: safetensors in one canonical byte order, so that equal state has equal digest.

A safetensors file is the length of its header (8 bytes, little-endian), the header (JSON, padded with spaces to
a multiple of 8 bytes) and the tensors. The format leaves the order of entries and tensors open. Here both are
sorted by falling item size, then by name, and the JSON has no white space, so that a job's schema determines
every byte but the values. A file is therefore checked, before anything in it is mapped, by comparing its size
and its first bytes with those that the schema demands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import safe_open
from safetensors.torch import load as load_bytes
from torch import Tensor

from auditor.tasks.errors import CheckpointError

STEP = "step"
"""The name of the step count in a checkpoint, int64 []."""

MODEL = "model."
"""What the names of parameters and buffers in a checkpoint begin with."""

OPTIMIZER = "optimizer."
"""What the names of the optimizer's state in a checkpoint begin with."""

_DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


STORED = frozenset(_DTYPES)
"""The types of numbers that checkpoints have a form for."""


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

    @cached_property
    def header(self) -> bytes:
        """The bytes that every file of this schema starts with."""
        table, offset = {}, 0
        for name, dtype, shape in self.entries:
            end = offset + dtype.itemsize * _count(shape)
            table[name] = {"dtype": _DTYPES[dtype], "shape": list(shape), "data_offsets": [offset, end]}
            offset = end
        text = json.dumps(table, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return len(text).to_bytes(8, "little") + text

    @cached_property
    def size(self) -> int:
        """The size in bytes of every file of this schema."""
        return len(self.header) + sum(dtype.itemsize * _count(shape) for _, dtype, shape in self.entries)


def encode(tensors: Mapping[str, Tensor], schema: Schema) -> Iterator[bytes | memoryview]:
    """The file of a checkpoint, piece by piece.

    Raises:
        CheckpointError: `tensors` do not follow the schema.
    """
    if Schema.of(tensors) != schema:
        raise CheckpointError("the tensors do not follow the job's schema.")
    yield schema.header
    for name, _, _ in schema.entries:
        tensor = tensors[name].detach().cpu().contiguous()
        if tensor.numel():
            yield tensor.reshape(-1).view(torch.uint8).numpy().data


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


def read(path: Path, schema: Schema) -> dict[str, Tensor]:
    """The tensors of a checkpoint file, mapped.

    Raises:
        CheckpointError: the file is not a checkpoint of this schema.
        OSError: it cannot be read.
    """
    check_file(path, schema)
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name, _, _ in schema.entries}


def parts(path: Path, names: Iterable[str]) -> Iterator[Tensor]:
    """Some tensors of a checkpoint file that was checked before, one after another, mapped.

    Raises:
        OSError: it cannot be read.
    """
    with safe_open(path, framework="pt") as file:
        for name in names:
            yield file.get_tensor(name)


def digest_of_parts(path: Path, names: Iterable[str]) -> str:
    """SHA-256 over the bytes of some tensors of a checkpoint file that was checked before.

    Raises:
        OSError: it cannot be read.
    """
    sha = hashlib.sha256()
    for tensor in parts(path, names):
        if tensor.numel():
            sha.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
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
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values() if tensor.dtype.is_floating_point)


def _first(file: BinaryIO, schema: Schema) -> bytes:
    return file.read(len(schema.header))


def _check_frame(size: int, start: bytes, schema: Schema) -> None:
    if size != schema.size:
        raise CheckpointError(f"it has {size:,} bytes; a checkpoint of this job has {schema.size:,}.")
    if start != schema.header:
        raise CheckpointError("its names, shapes or types are not those of this job.")


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
