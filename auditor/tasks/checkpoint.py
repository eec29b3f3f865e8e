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
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_bytes
from torch import Tensor

from auditor.plugins.metric import PIECE
from auditor.tasks.errors import CheckpointError

STEP = "step"
"""The name of the step count in a checkpoint, int64 []."""

MODEL = "model."
"""What the names of parameters and buffers in a checkpoint begin with."""

OPTIMIZER = "optimizer."
"""What the names of the optimizer's state in a checkpoint begin with."""

LARGE_PIECE = 1 << 20
"""Numbers of a tensor that are copied or hashed together."""

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

    @classmethod
    def of_file(cls, path: Path) -> Schema:
        """The schema of a checkpoint file that was checked before.

        Raises:
            OSError: it cannot be read.
        """
        with path.open("rb") as file:
            table = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        types = {word: dtype for dtype, word in _DTYPES.items()}
        return cls(tuple((name, types[entry["dtype"]], tuple(entry["shape"])) for name, entry in table.items()))

    @cached_property
    def offsets(self) -> dict[str, tuple[int, int]]:
        """Where each tensor begins and ends, in bytes after the header."""
        found, offset = {}, 0
        for name, dtype, shape in self.entries:
            found[name] = offset, offset + dtype.itemsize * _count(shape)
            offset = found[name][1]
        return found

    @cached_property
    def header(self) -> bytes:
        """The bytes that every file of this schema starts with."""
        table = {
            name: {"dtype": _DTYPES[dtype], "shape": list(shape), "data_offsets": list(self.offsets[name])}
            for name, dtype, shape in self.entries
        }
        text = json.dumps(table, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return len(text).to_bytes(8, "little") + text

    @cached_property
    def size(self) -> int:
        """The size in bytes of every file of this schema."""
        return len(self.header) + sum(dtype.itemsize * _count(shape) for _, dtype, shape in self.entries)


class CheckpointFile(Mapping[str, Tensor]):
    """The tensors of a checkpoint file by name; each is mapped when it is asked for, no longer than it is used.

    Args:
        path: of the file.
        schema: that it must follow.

    Raises:
        CheckpointError: the file is not a checkpoint of this schema.
        OSError: it cannot be read; any use may raise this.
    """

    def __init__(self, path: Path, schema: Schema) -> None:
        check_file(path, schema)
        self.path = path
        self.schema = schema
        self._forms = {name: (dtype, shape) for name, dtype, shape in schema.entries}

    def __getitem__(self, name: str) -> Tensor:
        """A tensor, mapped; what is written into it stays with this process."""
        dtype, shape = self._forms[name]
        begin, end = self._place(name)
        if begin == end:
            return torch.empty(shape, dtype=dtype)
        # A mapping of its own for each goes with the tensor, and unlike Python's it keeps no file open.
        try:
            mapped = torch.UntypedStorage.from_file(str(self.path), shared=False, nbytes=end)
        except RuntimeError as error:
            raise OSError(None, f"the checkpoint cannot be mapped: {error}", str(self.path)) from None
        flat = torch.empty(0, dtype=dtype)
        flat.set_(cast(torch.UntypedStorage, mapped), begin // dtype.itemsize, (_count(shape),), (1,))
        return flat.reshape(shape)

    def __iter__(self) -> Iterator[str]:
        """The names, in canonical order."""
        return iter(self._forms)

    def __len__(self) -> int:
        """How many tensors there are."""
        return len(self._forms)

    def pieces(self, names: Iterable[str], numbers: int = PIECE) -> Iterator[tuple[str, Tensor]]:
        """Some tensors, one after another, each as pieces [up to `numbers`] that are read as they are asked for.

        A tensor without numbers is one empty piece.
        """
        with self.path.open("rb", buffering=0) as file:
            for name in names:
                dtype, _ = self._forms[name]
                offset, end = self._place(name)
                while True:
                    piece = torch.empty(min(numbers, (end - offset) // dtype.itemsize), dtype=dtype)
                    offset += _fill(file.fileno(), piece, offset)
                    yield name, piece
                    if offset == end:
                        break

    def _place(self, name: str) -> tuple[int, int]:
        begin, end = self.schema.offsets[name]
        return len(self.schema.header) + begin, len(self.schema.header) + end


def pieces(
    tensors: Mapping[str, Tensor], names: Iterable[str] | None = None, numbers: int = PIECE
) -> Iterator[tuple[str, Tensor]]:
    """Tensors as flat pieces, whether they lie in a file or in memory.

    Args:
        tensors: which.
        names: of those that are wanted; all of them by default.
        numbers: in a piece at most.

    Raises:
        OSError: their file cannot be read.
    """
    wanted = tensors.keys() if names is None else names
    if isinstance(tensors, CheckpointFile):
        yield from tensors.pieces(wanted, numbers)
        return
    for name in wanted:
        flat = tensors[name].detach().cpu().reshape(-1)
        for first in range(0, max(1, len(flat)), numbers):
            yield name, flat[first : first + numbers]


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
            yield _bytes(piece)


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
    return dict(CheckpointFile(path, schema))


def digest_of_parts(path: Path, names: Iterable[str]) -> str:
    """SHA-256 over the bytes of some tensors of a checkpoint file that was checked before.

    Raises:
        OSError: it cannot be read.
    """
    sha = hashlib.sha256()
    for _, piece in CheckpointFile(path, Schema.of_file(path)).pieces(names, LARGE_PIECE):
        if piece.numel():
            sha.update(_bytes(piece))
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


def as_array(piece: Tensor) -> NDArray[Any]:
    """A piece for NumPy.

    PyTorch divides even a piece among threads. Where the processor is shared these wait for one another, which takes
    far longer than to look at a piece.
    """
    return piece.float().numpy() if piece.dtype in (torch.bfloat16, torch.float16) else piece.numpy()


def _fill(file: int, piece: Tensor, offset: int) -> int:
    """Read the bytes of a piece from an open file; returns how many these are."""
    if not piece.numel():
        return 0
    room, filled = _bytes(piece), 0
    while filled < len(room):
        came = os.preadv(file, [room[filled:]], offset + filled)
        if not came:
            raise OSError(None, "the checkpoint became shorter while it was read")
        filled += came
    return filled


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.contiguous().view(torch.uint8).numpy().data


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
