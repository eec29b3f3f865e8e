"""An optimizer and a schedule that a client's code makes, executed from any step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from auditor.tasks.checkpoint import OPTIMIZER
from auditor.tasks.descent import Descent
from auditor.tasks.errors import TrainingError

Make = Callable[[nn.Module], torch.optim.Optimizer]
Schedule = Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler]


class OwnDescent(Descent):
    """Any optimizer of PyTorch's form whose state is tensors and numbers for each parameter.

    Most optimizers make their state with the first gradient that a parameter gets. A checkpoint holds zeros for state
    that is not there yet. So zeros in a checkpoint mean that the optimizer begins afresh with this parameter.

    Args:
        model: whose parameters.
        make: makes the optimizer.
        schedule: makes its schedule, if it has one.
        frozen: the parameters that it leaves as they are; there need not be two of them to see what it keeps.

    Raises:
        TrainingError: the optimizer or the schedule cannot be continued from a checkpoint; says why.
    """

    def __init__(
        self, model: nn.Module, make: Make, schedule: Schedule | None, frozen: Sequence[nn.Parameter] = ()
    ) -> None:
        self._optimizer = _checked(make(model), model)
        self._named = {parameter: name for name, parameter in reversed(list(model.named_parameters()))}
        self._parameters = [
            parameter
            for group in self._optimizer.param_groups
            for parameter in group["params"]
            if parameter.requires_grad
        ]
        self._eager = set(self._optimizer.state)
        self._forms = _forms(model, make, frozen)
        self._rates = _Rates(self._optimizer, schedule)

    def rates(self, step: int) -> tuple[float, float]:
        """See `Descent`; those of the first group of parameters."""
        first = self._rates.at(step)[0]
        return float(first["lr"]), float(first.get("weight_decay", 0.0))

    def take_step(self, step: int, learning_rate: float, weight_decay: float) -> None:
        """See `Descent`; other groups keep their proportion to the first."""
        planned = self._rates.at(step)
        usual_rate, usual_decay = self.rates(step)
        for group, values in zip(self._optimizer.param_groups, planned, strict=True):
            group.update(values)
            if learning_rate != usual_rate:
                group["lr"] = values["lr"] * learning_rate / usual_rate if usual_rate else learning_rate
            if weight_decay != usual_decay and "weight_decay" in group:
                group["weight_decay"] = values["weight_decay"] + weight_decay - usual_decay
        self._optimizer.step()

    def tensors(self) -> dict[str, Tensor]:
        """See `Descent`."""
        found = {}
        for parameter in self._parameters:
            name, state = self._named[parameter], self._optimizer.state.get(parameter, {})
            for key, form in self._forms.get(name, {}).items():
                value = state.get(key)
                found[f"{OPTIMIZER}{name}.{key}"] = torch.zeros_like(form.tensor) if value is None else _tensor(value)
        return found

    def take(self, state: Mapping[str, Tensor]) -> None:
        """See `Descent`."""
        for parameter in self._parameters:
            name = self._named[parameter]
            forms = self._forms.get(name, {})
            given = {key: state[f"{OPTIMIZER}{name}.{key}"] for key in forms}
            if parameter not in self._eager and not any(bool(tensor.any()) for tensor in given.values()):
                self._optimizer.state.pop(parameter, None)
                continue
            self._optimizer.state[parameter] = {key: form.value(given[key]) for key, form in forms.items()}


@dataclass(frozen=True)
class _Form:
    """What one value of an optimizer's state looks like."""

    tensor: Tensor
    number: bool

    def value(self, given: Tensor) -> Tensor | float:
        """A tensor of a checkpoint as the optimizer keeps it."""
        return given.item() if self.number else given.to(self.tensor.device, copy=True)


def _tensor(value: Tensor | float) -> Tensor:
    if isinstance(value, Tensor):
        return value
    return torch.tensor(value, dtype=torch.float64 if isinstance(value, float) else torch.int64)


def _checked(optimizer: object, model: nn.Module) -> torch.optim.Optimizer:
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TrainingError(
            f"the workload's optimizer makes a {type(optimizer).__name__}, not an optimizer of PyTorch."
        )
    own = set(model.parameters())
    if any(parameter not in own for group in optimizer.param_groups for parameter in group["params"]):
        raise TrainingError(
            "the workload's optimizer has parameters that are not the model's; give it the model's own."
        )
    return optimizer


def _forms(model: nn.Module, make: Make, frozen: Sequence[nn.Parameter]) -> dict[str, dict[str, _Form]]:
    """What the optimizer keeps for each parameter after a step, by the parameter's name and the key of the state."""
    twin = deepcopy(model, {id(parameter): parameter for parameter in frozen})
    optimizer = _checked(make(twin), twin)
    for parameter in twin.parameters():
        parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
    optimizer.step()
    for parameter in frozen:
        parameter.grad = None
    found: dict[str, dict[str, _Form]] = {}
    for name, parameter in twin.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            if value is None:
                continue
            if not isinstance(value, Tensor | int | float):
                raise TrainingError(
                    f"the workload's optimizer, {type(optimizer).__name__}, keeps a {type(value).__name__} as "
                    f"{key!r} for each parameter. Checkpoints hold tensors and numbers; use another optimizer."
                )
            form = _Form(torch.zeros_like(_tensor(value)), not isinstance(value, Tensor))
            found.setdefault(name, {})[str(key)] = form
    return found


class _Rates:
    """The values of an optimizer's groups at any step, as the schedule has them."""

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: Schedule | None) -> None:
        self._optimizer = optimizer
        self._schedule = schedule
        self._begun = [_values(group) for group in optimizer.param_groups]
        self._begin()

    def at(self, step: int) -> list[dict[str, Any]]:
        """The values of each group."""
        if self._running is None:
            return self._begun
        if step < self._step:
            self._begin()
        while self._step < step:
            self._advance()
        return [_values(group) for group in self._twin.param_groups]

    def _begin(self) -> None:
        self._step = 0
        self._twin = copy(self._optimizer)
        self._twin.state = defaultdict(dict)
        self._twin.param_groups = [{"params": [nn.Parameter(torch.zeros(1))], **values} for values in self._begun]
        self._running = None if self._schedule is None else self._schedule(self._twin)
        if self._running is not None and not isinstance(self._running, torch.optim.lr_scheduler.LRScheduler):
            raise TrainingError(
                f"the workload's schedule makes a {type(self._running).__name__}, not a schedule of PyTorch."
            )

    def _advance(self) -> None:
        assert self._running is not None
        self._twin.step()  # PyTorch warns of a schedule that steps before its optimizer does
        try:
            self._running.step()
        except TypeError:
            raise TrainingError(
                f"the workload's schedule, {type(self._running).__name__}, depends on more than the number of steps, "
                "so "
                "that no other provider could execute a part of the training; use one that depends on that alone."
            ) from None
        self._step += 1


def _values(group: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in group.items() if key != "params"}
