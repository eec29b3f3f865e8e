"""A model that came back from a provider, as metrics and inspectors see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from torch import Tensor, nn

from auditor.plugins.metric import PIECE, Part
from auditor.tasks.checkpoint import OPTIMIZER, CheckpointFile, Schema, read
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
        self._names: dict[Part, Sequence[str]] = {
            "parameters": evaluator.parameters,
            "start_parameters": evaluator.parameters,
            "buffers": evaluator.buffers,
            "optimizer_state": [name for name, _, _ in schema.entries if name.startswith(OPTIMIZER)],
        }

    def parameters(self) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        return self._mapped("parameters")

    def start_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        return self._mapped("start_parameters")

    def buffers(self) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        return self._mapped("buffers")

    def optimizer_state(self) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        return self._mapped("optimizer_state")

    def pieces(
        self, part: Part, numbers: int = PIECE, only: Collection[str] | None = None
    ) -> Iterator[tuple[str, Tensor]]:
        """See `ReturnedModel`."""
        names = [name for name in self._names[part] if only is None or _own(name) in only]
        for name, piece in self._file(part).pieces(names, numbers):
            yield _own(name), piece

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

    def _mapped(self, part: Part) -> Iterator[tuple[str, Tensor]]:
        file = self._file(part)
        for name in self._names[part]:
            yield _own(name), file[name]

    def _file(self, part: Part) -> CheckpointFile:
        return CheckpointFile(self._start if part == "start_parameters" else self._path, self._schema)


def _own(name: str) -> str:
    return name.partition(".")[2]
