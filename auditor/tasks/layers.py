"""Which layers of a network metrics can look at."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from auditor.tasks.network import Network

TRIED = 3
"""Samples that one pass is made with, to see what each layer puts out."""


@torch.inference_mode()
def layers(network: Network, samples: Tensor) -> tuple[str, ...]:
    """The modules that one evaluation calls once and that put out a row for each sample, in the order of definition.

    Args:
        network: whose they are.
        samples: as the dataset stores them, `TRIED` or more.
    """
    samples, model = samples[:TRIED], network.model
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
        model(network.prepare(samples))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    rows = len(samples)
    return tuple(name for name, outputs in calls.items() if len(outputs) == 1 and _has_rows(outputs[0], rows))


def _has_rows(output: object, rows: int) -> bool:
    return isinstance(output, Tensor) and output.ndim > 1 and len(output) == rows and output.is_floating_point()
