"""What the models of a job consist of, by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from auditor.plugins.metric import ModelOutline
from auditor.tasks.optimization import OPTIMIZER
from auditor.tasks.trainer import Trainer

TRIED = 3
"""Samples that one pass is made with, to see what each layer puts out."""


def outline(trainer: Trainer) -> ModelOutline:
    """The outline of a trainer's model and optimizer."""
    model = trainer.network.model
    names = [name for name, _, _ in trainer.schema.entries if name.startswith(OPTIMIZER)]
    return ModelOutline(
        layers=_layers(trainer),
        parameters=tuple(name for name, _ in model.named_parameters()),
        buffers=tuple(name for name, _ in model.named_buffers()),
        optimizer_state=tuple(name.removeprefix(OPTIMIZER) for name in names),
    )


@torch.inference_mode()
def _layers(trainer: Trainer) -> tuple[str, ...]:
    """The modules that one evaluation calls once and that put out a row for each sample."""
    model = trainer.network.model
    calls: dict[str, list[object]] = {}

    def listen(name: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        return module.register_forward_hook(lambda _module, _arguments, output: calls[name].append(output))

    handles = []
    for name, module in model.named_modules():
        if name:
            calls[name] = []
            handles.append(listen(name, module))
    training = model.training
    model.eval()
    try:
        samples = trainer.batch(0).inputs[:TRIED]
        model(trainer.network.prepare(samples))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    rows = len(samples)
    return tuple(name for name, outputs in calls.items() if len(outputs) == 1 and _has_rows(outputs[0], rows))


def _has_rows(output: object, rows: int) -> bool:
    return isinstance(output, Tensor) and output.ndim > 1 and len(output) == rows and output.is_floating_point()
