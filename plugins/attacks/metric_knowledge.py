"""What an adversary knows of a metric, and how far its model is from an honest one as that metric sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from auditor.plugins import MetricContext, TrainedNetwork, create_plugin

from .differentiable_distances import cka_distance, lime_weights, output_distance, zest_distance


@dataclass(frozen=True)
class LookedAt:
    """What a metric asked a model about at once.

    Attributes:
        inputs: samples as the dataset stores them, [N, …]; for Zest one image.
        masks: bool, True where an element is kept, [M, 1, H, W] of images, [M, L] of texts;
            None where nothing is masked.
    """

    inputs: torch.Tensor
    masks: torch.Tensor | None = None


class MetricKnowledge:
    """The samples that a metric compares models on, found by letting the metric look at a model that only listens.

    The metric draws as it always does, so that an adversary who is told the client's context knows the samples and
    masks of the client, and one who gives a context of its own has its own.

    Args:
        metric: `output`, `cka` or `zest`.
        options: of the metric, as a job file has them.
        context: what the metric is told.
        samples: how many samples, or masked samples, the adversary looks at in one step.
        masks: how many of the masks of each image it knows; all when None.

    Raises:
        ValueError: the metric is not defined for the task.
        PluginError: it does not take the options.
    """

    def __init__(
        self, metric: str, options: Mapping[str, Any], context: MetricContext, *, samples: int, masks: int | None
    ) -> None:
        plugin = create_plugin("metrics", metric, options)
        if context.task not in plugin.tasks:
            raise ValueError(f"the metric {metric!r} is not defined for {context.task} tasks.")
        plugin.begin(context)
        listening = _Listening(context.classes)
        plugin.represent(listening)
        self._looked_at = listening.looked_at
        self._samples = samples
        self._masks = masks
        self._distance: Callable[[TrainedNetwork, TrainedNetwork, np.random.Generator], torch.Tensor] = {
            "output": self._output,
            "cka": self._cka,
            "zest": self._zest,
        }[metric]
        self._norm = str(getattr(plugin.options, "norm", ""))

    def distance(self, own: TrainedNetwork, honest: TrainedNetwork, draws: np.random.Generator) -> torch.Tensor:
        """The distance of two networks on samples drawn from those known, differentiable in the first's weights.

        Both compute in evaluation mode, as they do when the metric looks: running statistics stay as they are, and
        nothing is drawn from PyTorch's random state.
        """
        with _evaluating(own.model), _evaluating(honest.model):
            return self._distance(own, honest, draws)

    def _output(self, own: TrainedNetwork, honest: TrainedNetwork, draws: np.random.Generator) -> torch.Tensor:
        inputs = self._drawn(draws)
        with torch.no_grad():
            aim = honest.model(honest.prepare(inputs))
        return output_distance(own.model(own.prepare(inputs)), aim)

    def _cka(self, own: TrainedNetwork, honest: TrainedNetwork, draws: np.random.Generator) -> torch.Tensor:
        inputs = self._drawn(draws)
        with torch.no_grad():
            aim = _features(honest, inputs)
        return cka_distance(_features(own, inputs), aim)

    def _zest(self, own: TrainedNetwork, honest: TrainedNetwork, draws: np.random.Generator) -> torch.Tensor:
        known = self._masks or max(len(one.masks) for one in self._looked_at if one.masks is not None)
        images = draws.choice(len(self._looked_at), min(len(self._looked_at), max(1, self._samples // known)), False)
        mine, aims = [], []
        for index in images:
            masks, kept = self._some_masks(self._looked_at[index], draws)
            image = self._looked_at[index].inputs
            with torch.no_grad():
                aims.append(lime_weights(_masked_logits(honest, image, masks), kept).flatten())
            mine.append(lime_weights(_masked_logits(own, image, masks), kept).flatten())
        return zest_distance(torch.cat(mine), torch.cat(aims), self._norm)

    def _drawn(self, draws: np.random.Generator) -> torch.Tensor:
        inputs = torch.cat([one.inputs for one in self._looked_at])
        chosen = draws.choice(len(inputs), min(self._samples, len(inputs)), replace=False)
        return inputs[torch.from_numpy(chosen)]

    def _some_masks(self, one: LookedAt, draws: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Some of the known masks of an image, and which segments each keeps, bool [M, segments].

        The elements of a segment are kept or masked together, so that segments show in the masks themselves.
        """
        assert one.masks is not None
        known = one.masks[: self._masks]
        chosen = torch.from_numpy(draws.choice(len(known), min(self._samples, len(known)), replace=False))
        segments = torch.unique(known.flatten(1), dim=1)
        return known[chosen], segments[chosen].to(torch.float64)


class _Listening:
    """A returned model that knows nothing and remembers what it was asked."""

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self.looked_at: list[LookedAt] = []

    def parameters(self) -> Iterator[tuple[str, torch.Tensor]]:
        return iter(())

    def start_parameters(self) -> Iterator[tuple[str, torch.Tensor]]:
        return iter(())

    def buffers(self) -> Iterator[tuple[str, torch.Tensor]]:
        return iter(())

    def optimizer_state(self) -> Iterator[tuple[str, torch.Tensor]]:
        return iter(())

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        self.looked_at.append(LookedAt(inputs))
        return torch.zeros(len(inputs), self._classes)

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        self.looked_at.append(LookedAt(inputs))
        return torch.zeros(len(inputs), 1)

    def activations(self, inputs: torch.Tensor, layers: Sequence[str]) -> list[torch.Tensor]:
        raise ValueError("an adversary knows what enters the last linear layer only; leave out the option layers.")

    def masked_logits(self, inputs: torch.Tensor, masks: Iterable[torch.Tensor]) -> list[torch.Tensor]:
        answers = []
        for sample, some in zip(inputs, masks, strict=True):
            self.looked_at.append(LookedAt(sample[None], some))
            answers.append(torch.zeros(len(some), self._classes))
        return answers


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _features(network: TrainedNetwork, inputs: torch.Tensor) -> torch.Tensor:
    """What enters the last linear layer, [N, D]."""
    last = [module for module in network.model.modules() if isinstance(module, nn.Linear)][-1]
    caught: list[torch.Tensor] = []
    hook = last.register_forward_pre_hook(lambda _, arguments: caught.append(arguments[0]))
    try:
        network.model(network.prepare(inputs))
    finally:
        hook.remove()
    return caught[0]


def _masked_logits(network: TrainedNetwork, image: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    prepared = network.prepare(image)
    logits: torch.Tensor = network.model(prepared * masks.to(prepared.device))
    return logits
