"""Executing steps of a neural network in another honest way."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from auditor.tasks.network import Network
from auditor.tasks.variation import JITTER, Variation


@contextmanager
def vary(network: Network, variation: Variation, precision: str) -> Iterator[None]:
    """Compute with a network in another honest way while the context lasts.

    Args:
        network: in its usual layout.
        variation: other kernels come with another memory layout; jitter changes the output of every layer.
        precision: that of the job.
    """
    model = network.model
    model.to(memory_format=network.layout if variation.kernels else torch.contiguous_format)
    try:
        with _kernels(variation.kernels), _jittered(model, JITTER[precision], variation.jitter):
            yield
    finally:
        model.to(memory_format=network.layout)


@contextmanager
def _kernels(usual: bool) -> Iterator[None]:
    """Without the libraries of kernels, unless they are used."""
    with warnings.catch_warnings():
        # The switch for oneDNN also sets what only other hardware has, and warns of it.
        warnings.filterwarnings("ignore", message="TF32")
        with (
            nullcontext() if usual else torch.backends.mkldnn.flags(enabled=False),
            nullcontext() if usual else torch.backends.cudnn.flags(enabled=False),
        ):
            yield


@contextmanager
def _jittered(model: nn.Module, size: float, draw: int | None) -> Iterator[None]:
    """With the output of every layer changed at random, relative to it."""
    if draw is None:
        yield
        return
    generators: dict[torch.device, torch.Generator] = {}
    handles = [
        layer.register_forward_hook(_jitter(size, draw, generators))
        for layer in model.modules()
        if next(layer.children(), None) is None
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _jitter(
    size: float, draw: int, generators: dict[torch.device, torch.Generator]
) -> Callable[[nn.Module, object, object], Tensor | None]:
    def change(_module: nn.Module, _arguments: object, output: object) -> Tensor | None:
        if not isinstance(output, Tensor) or not output.is_floating_point():
            return None
        if output.device not in generators:
            generators[output.device] = torch.Generator(output.device).manual_seed(draw)
        noise = torch.empty(output.shape, device=output.device).normal_(generator=generators[output.device])
        return output * (1 + size * noise).to(output.dtype)

    return change
