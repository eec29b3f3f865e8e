"""The parameters that no step of a training changes: every provider has them, and no checkpoint holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from auditor.tasks.checkpoint import MODEL
from auditor.tasks.errors import TrainingError

FROZEN_BASE = "frozen base"
"""What it is called among the parts of a program."""

_WHOLE = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Whole numbers by the bytes that each has."""


@dataclass(frozen=True)
class FrozenBase:
    """Parameters of a job's model that training leaves as they are.

    Attributes:
        tensors: those that are the same whatever the seed, by their names with `model.` before them, on the CPU.
        drawn: the names, likewise, of those that the seed draws. They belong to the initial state, and travel with it.
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    drawn: tuple[str, ...] = ()

    @classmethod
    def of(cls, model: nn.Module, other: nn.Module, names: Iterable[str]) -> FrozenBase:
        """Tell parameters that depend on the seed from those that do not.

        Args:
            model: with the weights of one seed; its tensors are kept, not copied.
            other: with those of another one.
            names: what `untrained` found.
        """
        first, second = model.state_dict(), other.state_dict()
        known = {name: first[name] for name in names if name in second and equal(first[name], second[name])}
        return cls(
            {f"{MODEL}{name}": tensor for name, tensor in known.items()},
            tuple(f"{MODEL}{name}" for name in names if name not in known),
        )

    @cached_property
    def definition(self) -> bytes:
        """The names, forms and digests of all that it holds; equal for equal bases."""
        lines = [
            f"{name} {tensor.dtype} {tuple(tensor.shape)} {hashlib.sha256(_bytes(tensor)).hexdigest()}\n"
            for name, tensor in sorted(self.tensors.items())
        ]
        return "".join(lines).encode()

    def check(self, model: nn.Module) -> None:
        """Make sure that a model which was just made has it.

        Args:
            model: on the CPU.

        Raises:
            TrainingError: the model has something else in its place.
        """
        for name, tensor in self.within(model):
            if not equal(tensor, self.tensors[name]):
                raise TrainingError(
                    f"the model's {_own(name)}, which is not trained, is another each time the model is made, so that "
                    "no provider could have it beforehand. Make it from the seed or from a file, or set the workload's "
                    "travels_whole = True."
                )

    def within(self, model: nn.Module) -> Iterator[tuple[str, Tensor]]:
        """The tensors of a model that are in its place, live."""
        if self.tensors:
            state = model.state_dict()
            for name in self.tensors:
                yield name, state[_own(name)]


class LaidBase:
    """What is not trained in a model that computes, on whatever device.

    Args:
        base: says what that is; the model has it.
        model: not trained yet.
    """

    def __init__(self, base: FrozenBase, model: nn.Module) -> None:
        self._base = base
        self._model = model
        self._begin()

    def share(self) -> None:
        """Have the model compute with the tensors of the base themselves, where it is on the CPU, not with copies.

        For a model that leaves them as they are. Many of these then take little more memory than one.
        """
        for name, tensor in self._base.within(self._model):
            known = self._base.tensors[name]
            if tensor.device == known.device and tensor.stride() == known.stride():
                self._model.get_parameter(_own(name)).data = known
        self._begin()

    def take_drawn(self) -> None:
        """Take note of what the seed draws, which came with a checkpoint."""
        if self._base.drawn:
            self._sums |= self._summed(self._base.drawn)

    def check(self) -> None:
        """Refuse a training that changed what it does not train: the next sub-run would start without the change.

        Raises:
            TrainingError: says what was changed.
        """
        if (changed := self._changed((*self._base.tensors, *self._base.drawn))) is not None:
            raise TrainingError(
                f"training changed {_own(changed)}, which has no gradient or is not in the optimizer, so that it is "
                "taken to stay as it is. If your code changes it itself, as that of a teacher which follows its pupil, "
                "set the workload's travels_whole = True."
            )

    def restore(self) -> None:
        """Put it back where somebody changed it, as an adversary may in a model of its own."""
        if self._changed(self._base.tensors) is None:
            return
        with torch.no_grad():
            for name, tensor in self._base.within(self._model):
                tensor.copy_(self._base.tensors[name])

    def _begin(self) -> None:
        """Take note of what it is now."""
        names = (*self._base.tensors, *self._base.drawn)
        state = self._model.state_dict() if names else {}
        self._wide = {name for name in names if _is_wide(state[_own(name)])}
        self._sums = self._summed(names)

    def _changed(self, names: Iterable[str]) -> str | None:
        """The first of some names whose numbers are no longer what they were."""
        return next((name for name, total in self._summed(names).items() if total != self._sums[name]), None)

    def _summed(self, names: Iterable[str]) -> dict[str, int]:
        """The sum of each tensor's bits, read as whole numbers: one pass on the device, and no copy.

        Read eight bytes at a time they are added up as fast as memory is read, and some thirty times faster than when
        PyTorch makes shorter numbers longer first.
        """
        if not (listed := list(names)):
            return {}
        state = self._model.state_dict()
        sums = [
            state[_own(name)].reshape(-1).view(torch.int64).sum()
            if name in self._wide
            else _whole(state[_own(name)]).sum(dtype=torch.int64)
            for name in listed
        ]
        return dict(zip(listed, torch.stack(sums).tolist(), strict=True))


def untrained(model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> tuple[str, ...]:
    """The names of the parameters that no step changes: they have no gradient, or the optimizer does not have them.

    One that lies in the same memory as something that is trained, or as a buffer, is not among them: it changes with
    that. Buffers are never among them, because a forward pass may change any.

    Args:
        model: on the CPU, just made.
        optimizer: what changes parameters; None for one that has all that have a gradient.
    """
    given = None if optimizer is None else {id(one) for group in optimizer.param_groups for one in group["params"]}
    named = dict(model.named_parameters(remove_duplicate=False))
    still = {
        name: parameter
        for name, parameter in named.items()
        if not parameter.requires_grad or (given is not None and id(parameter) not in given)
    }
    moving = [_place(parameter) for name, parameter in named.items() if name not in still]
    moving += [_place(buffer) for buffer in model.buffers()]
    state = model.state_dict()
    return tuple(
        name
        for name, parameter in still.items()
        if name in state
        and state[name].data_ptr() == parameter.data_ptr()
        and not any(start < place[1] and place[0] < end for place in (_place(parameter),) for start, end in moving)
    )


def equal(first: Tensor, second: Tensor) -> bool:
    """Whether two tensors on the CPU have the same form and the same bits."""
    if (first.dtype, first.shape) != (second.dtype, second.shape):
        return False
    return torch.equal(_whole(first), _whole(second))


def _is_wide(tensor: Tensor) -> bool:
    """Whether a tensor is eight bytes after eight bytes, and stays so when images are laid out otherwise."""
    offset = tensor.storage_offset() * tensor.element_size()
    whole = tensor.nbytes % 8 == 0 and int(offset) % 8 == 0
    return whole and tensor.ndim <= 2 and tensor.is_contiguous()


def _place(tensor: Tensor) -> tuple[int, int]:
    """Where in memory a tensor begins and ends."""
    if not tensor.numel():
        return 0, 0
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.data_ptr(), tensor.data_ptr() + (last + 1) * tensor.element_size()


def _whole(tensor: Tensor) -> Tensor:
    return tensor.detach().view(_WHOLE[tensor.element_size()])


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().data


def _own(name: str) -> str:
    return name.removeprefix(MODEL)
