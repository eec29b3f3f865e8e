"""A model that came back from a provider, as metrics and inspectors see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from safetensors import safe_open
from torch import Tensor, nn

from auditor.tasks.checkpoint import OPTIMIZER, Schema, read
from auditor.tasks.evaluator import Evaluator


class CheckpointModel:
    """Implements `auditor.plugins.ReturnedModel` for checkpoint files that were checked before.

    One evaluator is shared by all models of a run and takes the weights of whichever computes.

    Args:
        path: the returned checkpoint.
        start: the checkpoint that the sub-run started from.
        schema: of both.
        evaluator: what computes outputs.
    """

    def __init__(self, path: Path, start: Path, schema: Schema, evaluator: Evaluator) -> None:
        self._path = path
        self._start = start
        self._schema = schema
        self._evaluator = evaluator
        self._parameters = evaluator.parameters
        self._buffers = evaluator.buffers
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

    def features(self, inputs: Tensor) -> Tensor:
        """See `ReturnedModel`."""
        return self._loaded().features(inputs)

    def activations(self, inputs: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """See `ReturnedModel`."""
        return self._loaded().activations(inputs, layers)

    def masked_logits(self, inputs: Tensor, masks: Iterable[Tensor]) -> list[Tensor]:
        """See `ReturnedModel`."""
        return self._loaded().masked_logits(inputs, masks)

    def differentiable(self) -> nn.Module:
        """See `ReturnedModel`."""
        return self._loaded().differentiable()

    def _loaded(self) -> Evaluator:
        self._evaluator.load(read(self._path, self._schema))
        return self._evaluator


def _mapped(path: Path, names: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
    with safe_open(path, framework="pt") as file:
        for name in names:
            yield name.partition(".")[2], file.get_tensor(name)
