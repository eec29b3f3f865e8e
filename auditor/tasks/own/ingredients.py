"""What a trainer of a client's own network is made of."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from auditor.job.python_task import PythonTask
from auditor.job.training import Training
from auditor.tasks.checkpoint import MODEL
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.descent import Descent, NamedDescent
from auditor.tasks.errors import TrainingError
from auditor.tasks.frozen_base import FrozenBase, untrained
from auditor.tasks.ingredients import Ingredients
from auditor.tasks.network import Network
from auditor.tasks.own.client_code import ClientCode, drawn_with, seed_all
from auditor.tasks.own.descent import OwnDescent
from auditor.tasks.own.workload import Workload
from auditor.tasks.tensor_file import STORED


class OwnIngredients(Ingredients):
    """Those of a workload.

    Args:
        task: what is trained.
        workload: what the client's code returned.
        dataset: its data, in memory.
        code: what calls into it.
        base: the parameters that are not trained; none until they are known.
    """

    counts_evenly = False

    def __init__(
        self, task: PythonTask, workload: Workload, dataset: Dataset, code: ClientCode, base: FrozenBase | None = None
    ) -> None:
        self.dataset = dataset
        self.kind, self.akin = task.kind, task.akin
        self._workload = workload
        self._code = code
        self._base = base

    def network(self, device: torch.device, seed: int) -> Network:
        """See `Ingredients`; the weights stay in the layout that the client's code expects."""
        return Network(self.model(seed), device, self.prepared, torch.preserve_format, self._base)

    def model(self, seed: int) -> nn.Module:
        """What the client's code makes of a seed, on the CPU."""
        with drawn_with(seed, "initialisation"):
            model = self._code.called(self._workload.model, "the workload's model")
        _check(model)
        return model

    def frozen(self, model: nn.Module) -> FrozenBase:
        """The parameters of a model that was just made from seed 0 which no training changes."""
        workload = self._workload
        if workload.travels_whole:
            return FrozenBase()
        make = workload.optimizer
        optimizer = None if make is None else self._code.called(lambda: make(model), "the workload's optimizer")
        names = untrained(model, optimizer if isinstance(optimizer, torch.optim.Optimizer) else None)
        return FrozenBase.of(model, self.model(1), names) if names else FrozenBase()

    def descent(self, model: nn.Module, training: Training) -> Descent:
        """See `Ingredients`."""
        workload = self._workload
        if workload.optimizer is None:
            return NamedDescent(model, training)
        make = workload.optimizer
        held = self._base.tensors if self._base is not None else {}
        frozen = [
            parameter for name, parameter in model.named_parameters(remove_duplicate=False) if f"{MODEL}{name}" in held
        ]
        return self._code.called(lambda: OwnDescent(model, make, workload.schedule, frozen), "the workload's optimizer")

    def augmented(self, inputs: Tensor, names: Sequence[str], draws: np.random.Generator) -> Tensor:
        """See `Ingredients`."""
        if self._workload.augment is None:
            return inputs
        augment = self._workload.augment
        seed_all(int(draws.integers(2**63)))
        return self._code.called(lambda: torch.stack([augment(sample) for sample in inputs]), "the workload's augment")

    def outputs(self, model: nn.Module, inputs: Tensor) -> Any:
        """See `Ingredients`."""
        return self._code.called(lambda: model(inputs), "the workload's model")

    def losses(self, outputs: Any, labels: Tensor) -> Tensor:
        """See `Ingredients`; a loss of the whole batch counts as that of each sample."""
        losses = self._code.called(lambda: self._workload.loss(outputs, labels), "the workload's loss")
        if not isinstance(losses, Tensor) or losses.shape not in ((), labels.shape[:1]):
            what = list(losses.shape) if isinstance(losses, Tensor) else type(losses).__name__
            raise TrainingError(
                f"the workload's loss gives {what} for {len(labels)} samples; give one number, or one each."
            )
        return losses.expand(len(labels))

    def seed_model(self, key: int) -> None:
        """See `Ingredients`; clients' code may draw from NumPy and Python, too."""
        seed_all(key)

    def where_not_finite(self, execute: Callable[[], object]) -> str:
        """See `Ingredients`."""
        watch = _Watch(self._code)
        with watch:
            execute()
        return watch.found

    def prepared(self, inputs: Tensor) -> Tensor:
        """A batch of inputs as the model takes them."""
        prepare = self._workload.prepare
        if prepare is not None:
            return self._code.called(lambda: prepare(inputs), "the workload's prepare")
        images = inputs.dtype == torch.uint8 or (inputs.ndim == 4 and "vision" in self.akin)
        return inputs.to(torch.float32) / 255 if images else inputs


def _check(model: object) -> None:
    """Refuse what cannot be trained, or what a checkpoint could not hold."""
    if not isinstance(model, nn.Module):
        raise TrainingError(f"the workload's model makes a {type(model).__name__}, not a torch.nn.Module.")
    if lazy := [name for name, tensor in model.named_parameters() if is_lazy(tensor)]:
        raise TrainingError(
            f"the workload's model does not know the shape of {lazy[0]} before its first batch; give the layer its "
            "size rather than a lazy one."
        )
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise TrainingError("the workload's model has no parameter that is trained.")
    for name, tensor in model.state_dict().items():
        if not isinstance(tensor, Tensor) or tensor.dtype not in STORED:
            kind = str(tensor.dtype).removeprefix("torch.") if isinstance(tensor, Tensor) else type(tensor).__name__
            raise TrainingError(
                f"the workload's model keeps {name} as {kind}, which checkpoints have no form for; keep it as real "
                "or whole numbers."
            )


class _Watch(TorchFunctionMode):
    """Looks at what each function of PyTorch gives, until one makes a number that is not finite."""

    def __init__(self, code: ClientCode) -> None:
        super().__init__()
        self._code = code
        self.found = ""

    def __torch_function__(
        self, function: Any, types: Any, arguments: Sequence[Any] = (), named: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*arguments, **(named or {}))
        if not self.found and isinstance(result, Tensor) and result.is_floating_point():
            self._look(result, getattr(function, "__name__", "a function").strip("_"))
        return result

    def _look(self, result: Tensor, name: str) -> None:
        if not bool(torch.isfinite(result).all()):
            line = self._code.last_line(traceback.extract_stack())
            self.found = f"{name} makes it in {line}" if line else f"{name} makes it"
