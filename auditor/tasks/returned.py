"""A model that came back from a provider, as metrics and inspectors see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from auditor.tasks.checkpoint import Schema, read
from auditor.tasks.models import last_linear
from auditor.tasks.network import Network
from auditor.tasks.optimization import OPTIMIZER


class CheckpointModel:
    """Implements `auditor.plugins.ReturnedModel` for checkpoint files that were checked before.

    One network is shared by all models of a run and takes the weights of whichever computes.

    Args:
        path: the returned checkpoint.
        start: the checkpoint that the sub-run started from.
        schema: of both.
        network: what computes outputs.
    """

    def __init__(self, path: Path, start: Path, schema: Schema, network: Network) -> None:
        self._path = path
        self._start = start
        self._schema = schema
        self._network = network
        self._parameters = [f"model.{name}" for name, _ in network.model.named_parameters()]
        self._buffers = [f"model.{name}" for name, _ in network.model.named_buffers()]
        self._optimizer = [name for name, _, _ in schema.entries if name.startswith(OPTIMIZER)]

    def parameters(self) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        return _mapped(self._path, self._parameters)

    def start_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        return _mapped(self._start, self._parameters)

    def buffers(self) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        return _mapped(self._path, self._buffers)

    def optimizer_state(self) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        return _mapped(self._path, self._optimizer)

    def logits(self, inputs: Tensor) -> Tensor:
        """See `ReturnedModel`."""
        return self._loaded().logits(inputs)

    @torch.inference_mode()
    def features(self, inputs: Tensor) -> Tensor:
        """See `ReturnedModel`."""
        model = self._loaded().model
        model.eval()
        caught: list[Tensor] = []

        def catch(_: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            caught.append(arguments[0].float().cpu())

        hook = last_linear(model).register_forward_pre_hook(catch)
        try:
            for part in self._network.batches(inputs):
                model(self._network.prepare(part))
        finally:
            hook.remove()
        return torch.cat(caught)

    @torch.inference_mode()
    def activations(self, inputs: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """See `ReturnedModel`."""
        network = self._loaded()
        network.model.eval()
        caught: dict[str, Tensor] = {}
        hooks = [
            network.model.get_submodule(layer).register_forward_hook(
                lambda _module, _arguments, output, layer=layer: caught.update({layer: output.flatten(1).float()})
            )
            for layer in layers
        ]
        try:
            network.model(network.prepare(inputs))
        finally:
            for hook in hooks:
                hook.remove()
        return [caught[layer].cpu() for layer in layers]

    @torch.inference_mode()
    def masked_logits(self, inputs: Tensor, masks: Iterable[Tensor]) -> list[Tensor]:
        """See `ReturnedModel`."""
        network = self._loaded()
        network.model.eval()
        return [_masked_logits(network, sample, kept) for sample, kept in zip(inputs, masks, strict=True)]

    def differentiable(self) -> nn.Module:
        """See `ReturnedModel`."""
        return self._loaded().differentiable()

    def _loaded(self) -> Network:
        self._network.load(read(self._path, self._schema))
        return self._network


def _masked_logits(network: Network, sample: Tensor, kept: Tensor) -> Tensor:
    prepared = network.prepare(sample[None])
    # Of images this sets pixels to 0, of texts tokens to padding, which is number 0.
    parts = [network.model(prepared * part).float().cpu() for part in network.batches(kept.to(network.device))]
    return torch.cat(parts)


def _mapped(path: Path, names: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
    with safe_open(path, framework="pt") as file:
        for name in names:
            yield name.partition(".")[2], file.get_tensor(name)
