"""Executing tasks that the client's own Python code defines."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from auditor.job.python_task import PythonTask
from auditor.job.task import Task
from auditor.plugins.attack import Attack
from auditor.tasks.client_files import named_by_content
from auditor.tasks.data.dataset import Dataset, set_aside
from auditor.tasks.data.tokenizer import TextTokenizer
from auditor.tasks.errors import TrainingError
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.frozen_base import FROZEN_BASE, FrozenBase
from auditor.tasks.inventory import SET_ASIDE, Inventory, Remark, class_counts, class_remarks
from auditor.tasks.network_program import NetworkProgram
from auditor.tasks.own.client_code import ClientCode, drawn_with, told_elsewhere
from auditor.tasks.own.data import tensors_of
from auditor.tasks.own.ingredients import OwnIngredients
from auditor.tasks.own.untrained_remarks import untrained_remarks
from auditor.tasks.own.workload import Workload

TRIED = 2
"""Samples that are enough to see what a model puts out."""


class OwnProgram(NetworkProgram):
    """A client's model and data.

    Attributes:
        base: the parameters of the model that no training changes.
    """

    task: PythonTask

    def __init__(self, task: Task, downloads: Path) -> None:
        super().__init__(task, downloads)
        self._code = ClientCode(self.task)
        self._workload = self._made()
        self._remarks: list[Remark] = []
        self.dataset = self._read()
        model = self._ingredients().model(0)
        self.base = self._ingredients().frozen(model)
        self._base_remarks = untrained_remarks(model, self.base)
        outputs = self._outputs(model)
        if outputs.ndim == 2 and len(outputs) == TRIED and self._has_classes:
            self.dataset = self._classified(outputs.shape[1])

    @cached_property
    def ingredients(self) -> OwnIngredients:
        """See `NetworkProgram`."""
        return self._ingredients(self.base)

    @property
    def parts(self) -> Mapping[str, tuple[Tensor, ...] | bytes]:
        """See `Program`; the client's code comes first, since the data is what it makes."""
        data = self.dataset
        parts: dict[str, tuple[Tensor, ...] | bytes] = {"code": self._code_bytes}
        if self.base.tensors:
            parts[FROZEN_BASE] = self.base.definition
        if data.tokenizer is not None:
            parts["tokenizer"] = data.tokenizer.definition.encode()
        parts["training part"] = (data.samples, data.labels)
        parts["held-out part"] = (data.held_out_samples, data.held_out_labels)
        return parts

    @property
    def inventory(self) -> Inventory:
        """See `Program`."""
        data = self.dataset
        counts = (
            class_counts(data.class_names, data.labels.tolist(), data.held_out_labels.tolist()) if data.classes else ()
        )
        shape = " × ".join(str(side) for side in data.shape) or "one"
        kind = str(data.samples.dtype).removeprefix("torch.")
        return Inventory(
            training=len(data.samples),
            held_out=len(data.held_out_samples),
            sample=f"{kind} inputs of {shape} {'value' if shape == 'one' else 'values'}",
            classes=counts,
            remarks=(self._code_remark, *self._base_remarks, *self._remarks, *class_remarks(counts)),
        )

    def accuracy(self, evaluator: Evaluator) -> float | None:
        """See `NetworkProgram`."""
        return super().accuracy(evaluator) if self.dataset.classes else None

    def attack_success(self, evaluator: Evaluator, attack: Attack) -> float | None:
        """See `Program`."""
        return super().attack_success(evaluator, attack) if self.dataset.classes else None

    def delivered_success(self, evaluator: Evaluator, attack: Attack) -> float | None:
        """See `Program`."""
        return super().delivered_success(evaluator, attack) if self.dataset.classes else None

    @cached_property
    def _named(self) -> dict[str, str]:
        """The files of the client's code by what is in them, as providers get their names."""
        return named_by_content(self.task.files())

    @property
    def _code_remark(self) -> Remark:
        digest = self.task.with_files(self._named).code
        return Remark(
            "note", f"the code is {digest}; an agent executes it if its owner allows that or any with --allow-code"
        )

    @property
    def _code_bytes(self) -> bytes:
        """What identifies all files of the client's code, or the source of an installed module."""
        if self.task.own_file:
            return "\n".join(sorted(self._named.values())).encode()
        return inspect.getsource(self._code.module).encode()

    @property
    def _has_classes(self) -> bool:
        labels = self.dataset.labels
        return labels.ndim == 1 and not labels.dtype.is_floating_point

    def _made(self) -> Workload:
        factory = getattr(self._code.module, self.task.factory, None)
        if not callable(factory):
            raise TrainingError(
                f"{self.task.module_name} has no function {self.task.factory!r}. Define it there, or name another with "
                "task.factory."
            )
        with told_elsewhere(), drawn_with(0, "workload"):
            made = self._code.called(lambda: factory(**self.task.options), f"{self.task.factory}()")
        if not isinstance(made, Workload):
            raise TrainingError(
                f"{self.task.module_name}: {self.task.factory}() returns a {type(made).__name__}; return a Workload "
                "(from auditor.tasks.own.workload import Workload)."
            )
        self._check(made)
        return made

    def _check(self, made: Workload) -> None:
        for name in ("model", "loss", "prepare", "augment", "optimizer", "schedule"):
            value = getattr(made, name)
            if value is not None and not callable(value):
                raise TrainingError(f"the workload's {name} is a {type(value).__name__}; give a function.")
        if isinstance(made.model, torch.nn.Module):
            raise TrainingError(
                "the workload's model is a model that is made already, so that its weights do not follow from the "
                "job's seed; give its class, or a function that makes it."
            )
        if made.schedule is not None and made.optimizer is None:
            raise TrainingError(
                "the workload has a schedule without an optimizer; give both, or set training.schedule."
            )

    def _read(self) -> Dataset:
        made = self._workload
        with drawn_with(0, "data"):
            inputs, labels = self._tensors(made.training, "the workload's training part")
            if made.held_out is None:
                self._remarks.append(SET_ASIDE)
                aside, kept = (torch.from_numpy(part) for part in set_aside(len(inputs)))
                held_out = inputs[aside], labels[aside]
                inputs, labels = inputs[kept], labels[kept]
            else:
                held_out = self._tensors(made.held_out, "the workload's held-out part")
        if made.optimizer is not None:
            self._remarks.append(Remark("note", f"{self.task.module_name} makes the optimizer; the job's is not used"))
        if made.tokenizer is not None and not isinstance(made.tokenizer, TextTokenizer):
            raise TrainingError(
                f"the workload's tokenizer is a {type(made.tokenizer).__name__}; give a TextTokenizer (from "
                "auditor.tasks.data.tokenizer import TextTokenizer)."
            )
        if self.task.samples == "texts":
            _check_texts((inputs, held_out[0]), made.tokenizer)
        if self.task.samples == "images" and (inputs.dtype != torch.uint8 or inputs.ndim != 4):
            raise TrainingError(
                "samples = 'images' wants uint8 inputs [N, C, H, W], and the workload's are "
                f"{str(inputs.dtype).removeprefix('torch.')} {list(inputs.shape)}. Keep pixels in steps of 256 and "
                "turn them into what the model takes with the workload's prepare, or remove the key samples."
            )
        if inputs.shape[1:] != held_out[0].shape[1:] or inputs.dtype != held_out[0].dtype:
            raise TrainingError("the workload's training and held-out inputs differ in shape or type; make them alike.")
        return Dataset(inputs, labels, *held_out, classes=0, tokenizer=made.tokenizer)

    def _tensors(self, data: Any, part: str) -> tuple[Tensor, Tensor]:
        return self._code.called(lambda: tensors_of(data, part), part)

    def _ingredients(self, base: FrozenBase | None = None) -> OwnIngredients:
        return OwnIngredients(self.task, self._workload, self.dataset, self._code, base)

    def _outputs(self, model: nn.Module) -> Tensor:
        """What a fresh model puts out for the first held-out samples; no row for them where that is no tensor."""
        ingredients = self._ingredients()
        with torch.no_grad(), drawn_with(0, "outputs"):
            samples = ingredients.prepared(self.dataset.held_out_samples[:TRIED])
            found = ingredients.outputs(model.eval(), samples)
        return found if isinstance(found, Tensor) else torch.zeros(0)

    def _classified(self, classes: int) -> Dataset:
        """The dataset with its number of classes, where outputs and labels are those of a classification."""
        data = self.dataset
        labels = data.labels.to(torch.int64), data.held_out_labels.to(torch.int64)
        most = int(max(labels[0].max(), labels[1].max()))
        if min(int(labels[0].min()), int(labels[1].min())) < 0 or most >= classes:
            return data
        names = tuple(map(str, range(classes)))
        return replace(data, labels=labels[0], held_out_labels=labels[1], classes=classes, class_names=names)


def _check_texts(parts: Sequence[Tensor], tokenizer: TextTokenizer | None) -> None:
    """Refuse inputs that are no texts as plugins know them.

    Raises:
        TrainingError: says what they should be.
    """
    largest = 2**63 - 1 if tokenizer is None else tokenizer.size - 1
    for inputs in parts:
        if inputs.dtype != torch.int64 or inputs.ndim != 2:
            raise TrainingError(
                "samples = 'texts' wants int64 inputs [N, L], token ids that end in 0 as padding, and the workload's "
                f"are {str(inputs.dtype).removeprefix('torch.')} {list(inputs.shape)}. Pad all texts to one length, or "
                "remove the key samples."
            )
        least, most = int(inputs.min()), int(inputs.max())
        if least < 0 or most > largest:
            raise TrainingError(
                f"the workload's inputs are token ids from {least} to {most}, and samples = 'texts' wants "
                + ("none under 0." if tokenizer is None else f"those of its tokenizer, 0 to {largest}.")
            )
