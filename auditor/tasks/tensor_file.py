"""Files of tensors, read in pieces or mapped: what looks at every number of a large one holds none of its tensors."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from numpy.typing import NDArray
from torch import Tensor

from auditor.plugins.metric import PIECE

TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""What files call the types of numbers that they may hold."""

FORMS = {word: dtype for dtype, word in TYPES.items()}
"""The types of numbers by what files call them."""

STORED = frozenset(TYPES)
"""The types of numbers that checkpoints have a form for."""


class TensorFile(Mapping[str, Tensor]):
    """The tensors of a safetensors file by name; each is mapped when it is asked for, no longer than it is used.

    The file is open as long as this is there, so that it can be read when its name is gone.

    Args:
        path: of the file.
        places: of each tensor the type, the shape, and where its bytes begin.

    Raises:
        OSError: it cannot be read; any use may raise this.
    """

    def __init__(self, path: Path, places: Mapping[str, tuple[torch.dtype, tuple[int, ...], int]]) -> None:
        self.path = path
        self._places = dict(places)
        self._file = path.open("rb", buffering=0)

    def __getitem__(self, name: str) -> Tensor:
        """A tensor, mapped; what is written into it stays with this process."""
        dtype, shape, begin = self._places[name]
        if not count(shape):
            return torch.empty(shape, dtype=dtype)
        # A mapping of its own for each goes with the tensor, and unlike Python's it keeps no file open.
        end = begin + dtype.itemsize * count(shape)
        try:
            mapped = torch.UntypedStorage.from_file(f"/dev/fd/{self._file.fileno()}", shared=False, nbytes=end)
        except RuntimeError as error:
            raise OSError(None, f"the file cannot be mapped: {error}", str(self.path)) from None
        flat = torch.empty(0, dtype=dtype)
        if begin % dtype.itemsize:  # only other programs write such files
            octets = torch.empty(0, dtype=torch.uint8).set_(cast(torch.UntypedStorage, mapped))
            return octets[begin:end].clone().view(dtype).reshape(shape)
        flat.set_(cast(torch.UntypedStorage, mapped), begin // dtype.itemsize, (count(shape),), (1,))
        return flat.reshape(shape)

    def __iter__(self) -> Iterator[str]:
        """The names, in the order of the file."""
        return iter(self._places)

    def __len__(self) -> int:
        """How many tensors there are."""
        return len(self._places)

    def piece(self, name: str, number: int, numbers: int) -> Tensor:
        """One piece of a tensor, by its number from 0."""
        dtype, shape, begin = self._places[name]
        first = number * numbers
        found = torch.empty(max(0, min(numbers, count(shape) - first)), dtype=dtype)
        _fill(self._file.fileno(), found, begin + first * dtype.itemsize)
        return found

    def pieces(self, names: Iterable[str], numbers: int = PIECE) -> Iterator[tuple[str, Tensor]]:
        """Some tensors, one after another, each as pieces [up to `numbers`] that are read as they are asked for.

        A tensor without numbers is one empty piece.
        """
        for name in names:
            dtype, shape, offset = self._places[name]
            end = offset + dtype.itemsize * count(shape)
            while True:
                piece = torch.empty(min(numbers, (end - offset) // dtype.itemsize), dtype=dtype)
                offset += _fill(self._file.fileno(), piece, offset)
                yield name, piece
                if offset == end:
                    break


def places_in(path: Path) -> dict[str, tuple[torch.dtype, tuple[int, ...], int]]:
    """What a safetensors file that was checked before holds: types, shapes, and where the bytes of each begin.

    Types that checkpoints have no form for are left out.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        begin = 8 + (size := int.from_bytes(file.read(8), "little"))
        table = json.loads(file.read(size))
    return {
        name: (FORMS[entry["dtype"]], tuple(entry["shape"]), begin + entry["data_offsets"][0])
        for name, entry in table.items()
        if name != "__metadata__" and entry["dtype"] in FORMS
    }


class MappedState(dict[str, Tensor]):
    """Tensors by name that are mapped from a file, and remember it: `pieces` reads what nobody has changed from there.

    Pages of a mapping that were looked at count as memory of this process; what is read in pieces does not stay.

    Args:
        file: has the tensors.
        names: what they are called in it, by what they are called here.
    """

    def __init__(self, file: TensorFile, names: Mapping[str, str]) -> None:
        super().__init__({name: file[own] for name, own in names.items()})
        self._file = file
        self._names = names
        self._mapped = {name: (tensor, tensor._version) for name, tensor in self.items()}

    def among(self, names: Iterable[str], others: Mapping[str, Tensor] | None = None) -> MappedState:
        """Some of these tensors, and others that are in no file."""
        found = MappedState(self._file, {name: self._names[name] for name in names if self.origin(name) is not None})
        found.update({name: self[name] for name in names if name not in found})
        found.update(others or {})
        return found

    def origin(self, name: str) -> tuple[TensorFile, str] | None:
        """Where a tensor lies, and what it is called there; None where it is another one now, or was changed."""
        tensor, version = self._mapped.get(name, (None, 0))
        if tensor is None or self.get(name) is not tensor or tensor._version != version:
            return None
        return self._file, self._names[name]


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
    if isinstance(tensors, TensorFile):
        yield from tensors.pieces(wanted, numbers)
        return
    for name in wanted:
        if isinstance(tensors, MappedState) and (origin := tensors.origin(name)) is not None:
            file, own = origin
            yield from ((name, piece) for _, piece in file.pieces([own], numbers))
            continue
        flat = tensors[name].detach().cpu().reshape(-1)
        for first in range(0, max(1, len(flat)), numbers):
            yield name, flat[first : first + numbers]


def piece_of(tensors: Mapping[str, Tensor], name: str, number: int, numbers: int) -> Tensor:
    """One of `pieces`, by its number from 0.

    Raises:
        OSError: their file cannot be read.
    """
    if isinstance(tensors, MappedState) and (origin := tensors.origin(name)) is not None:
        file, own = origin
        return file.piece(own, number, numbers)
    return tensors[name].detach().cpu().reshape(-1)[number * numbers : (number + 1) * numbers]


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
    room, filled = raw(piece), 0
    while filled < len(room):
        came = os.preadv(file, [room[filled:]], offset + filled)
        if not came:
            raise OSError(None, "the checkpoint became shorter while it was read")
        filled += came
    return filled


def raw(tensor: Tensor) -> memoryview:
    """The bytes of a tensor that is in memory."""
    return tensor.contiguous().view(torch.uint8).numpy().data


def count(shape: tuple[int, ...]) -> int:
    """How many numbers a tensor of this shape has."""
    count = 1
    for side in shape:
        count *= side
    return count
