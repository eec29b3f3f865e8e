"""The files that a client's program reads and writes, and what their tensors are called in checkpoints.

In a checkpoint, what the program calls `optimizer.…` is called the same; what it calls NAME is called `model.NAME`. So
each name of a program's has one in a checkpoint, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from auditor.job.errors import nearest
from auditor.tasks.checkpoint import MODEL, OPTIMIZER, STEP, Schema
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import few
from auditor.tasks.tensor_file import FORMS, MappedState, TensorFile, pieces, places_in

PIECE = 1 << 20
"""Numbers that are in memory at once."""

Change = Callable[[str, int, Tensor], Tensor]
"""From a tensor's name in checkpoints, and the number and the numbers of a piece of it, to other numbers."""


def checkpoint_name(own: str) -> str:
    """What a checkpoint calls a tensor of a program's."""
    return own if own.startswith(OPTIMIZER) else f"{MODEL}{own}"


def own_name(name: str) -> str:
    """What a program calls a tensor of a checkpoint."""
    return name if name.startswith(OPTIMIZER) else name.removeprefix(MODEL)


def checkpoint_names(names: Collection[str]) -> dict[str, str]:
    """The names in a checkpoint of what a file holds, each with that in the file.

    A file with `step`, and otherwise nothing but `model.…` and `optimizer.…`, is a checkpoint itself.
    """
    if STEP in names and all(name == STEP or name.startswith((MODEL, OPTIMIZER)) for name in names):
        return {name: name for name in names}
    return {checkpoint_name(name): name for name in names}


def write_state(path: Path, state: Mapping[str, Tensor], change: Change | None = None) -> None:
    """Write a state for the program, under its names, piece by piece.

    Args:
        path: a file that is made.
        state: under the names of checkpoints, without a step.
        change: gives what is written instead of each piece.
    """
    schema = Schema.of({own_name(name): tensor for name, tensor in state.items()})
    with path.open("wb") as file:
        file.write(schema.header)
        for own, _, _ in schema.entries:
            name = checkpoint_name(own)
            for number, (_, piece) in enumerate(pieces(state, [name], PIECE)):
                written = piece if change is None else change(name, number, piece).to(piece.dtype)
                if written.numel():
                    file.write(written.contiguous().view(torch.uint8).numpy().data)


def read_state(path: Path, what: str) -> dict[str, Tensor]:
    """What a program wrote, mapped, under the names of checkpoints.

    Args:
        path: the file.
        what: it is, to begin a sentence with.

    Raises:
        TrainingError: there is none, or nothing that a checkpoint can hold.
    """
    if not path.is_file():
        raise TrainingError(f"{what} was not written: the command left no file at {{checkpoint_out}}.")
    return _read(path, what, lambda names: {checkpoint_name(name): name for name in names})


def read_start(path: Path) -> dict[str, Tensor]:
    """The state in a file that a person or another run wrote, without its step; mapped, under the names of checkpoints.

    Raises:
        TrainingError: it cannot be read, or is nothing that a checkpoint can hold.
    """
    return _read(path, str(path), checkpoint_names)


def check_like(state: Mapping[str, Tensor], schema: Schema, what: str) -> None:
    """Refuse a state that has other tensors than a job's checkpoints.

    Args:
        state: without a step.
        schema: of the checkpoints.
        what: the state is, to begin a sentence with.

    Raises:
        TrainingError: says what differs.
    """
    wanted = {name: (dtype, shape) for name, dtype, shape in schema.entries if name != STEP}
    strange = [name for name in state if name not in wanted]
    if missing := [name for name in wanted if name not in state]:
        near = nearest(missing[0], strange)
        hint = f" (nearest is {own_name(near)})" if near is not None else ""
        raise TrainingError(f"{what} has no {own_name(missing[0])}{hint}, which the state before had.")
    if strange:
        raise TrainingError(f"{what} has {few([own_name(name) for name in strange])}, which the state before had not.")
    for name, tensor in state.items():
        if (tensor.dtype, tuple(tensor.shape)) != wanted[name]:
            dtype, shape = wanted[name]
            raise TrainingError(
                f"{what} holds {own_name(name)} as {_form(tensor.dtype, tensor.shape)}, and the state before as "
                f"{_form(dtype, shape)}."
            )


def _read(path: Path, what: str, named: Callable[[Collection[str]], Mapping[str, str]]) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            names = {name: own for name, own in named(list(file.keys())).items() if name != STEP}
            strange = {name: file.get_slice(own).get_dtype() for name, own in names.items()}
            strange = {name: kind for name, kind in strange.items() if kind not in FORMS}
            for name in strange:
                kind = str(file.get_tensor(names[name]).dtype).removeprefix("torch.")
                raise TrainingError(f"{what} keeps {own_name(name)} as {kind}, which checkpoints have no form for.")
        found = MappedState(TensorFile(path, places_in(path)), names)
    except (SafetensorError, OSError) as error:
        raise TrainingError(f"{what} is not a safetensors file: {' '.join(str(error).split())[:200]}.") from None
    if not any(name.startswith(MODEL) and tensor.is_floating_point() for name, tensor in found.items()):
        raise TrainingError(f"{what} holds no real numbers that could be a model's parameters.")
    return found


def _form(dtype: object, shape: Collection[int]) -> str:
    return f"{str(dtype).removeprefix('torch.')} {list(shape)}"
