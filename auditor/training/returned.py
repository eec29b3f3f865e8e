"""A model that came back from a provider, as metrics see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn

from auditor.training.checkpoint import Schema, read
from auditor.training.models import last_linear
from auditor.training.network import EVALUATION_BATCH, Network


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

    def parameters(self) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        return self._mapped(self._path, self._parameters)

    def buffers(self) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        return self._mapped(self._path, self._buffers)

    def start_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        return self._mapped(self._start, self._parameters)

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
            for part in torch.split(inputs, EVALUATION_BATCH):
                model(self._network.prepare(part))
        finally:
            hook.remove()
        return torch.cat(caught)

    @torch.inference_mode()
    def masked_logits(self, inputs: Tensor, masks: Tensor) -> Tensor:
        """See `ReturnedModel`."""
        network = self._loaded()
        network.model.eval()
        shape = np.broadcast_shapes(inputs.shape, masks.shape)
        inputs, masks = inputs.expand(shape), masks.expand(shape)
        parts = [
            network.model(network.prepare(part) * mask.to(network.device)).float().cpu()
            for part, mask in zip(
                torch.split(inputs, EVALUATION_BATCH), torch.split(masks, EVALUATION_BATCH), strict=True
            )
        ]
        return torch.cat(parts)

    def _loaded(self) -> Network:
        self._network.load(read(self._path, self._schema))
        return self._network

    def _mapped(self, path: Path, names: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
        with safe_open(path, framework="pt") as file:
            for name in names:
                yield name, file.get_tensor(name)
