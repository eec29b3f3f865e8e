"""What an adversary knows of a metric, and how far its model is from an honest one as that metric sees it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from auditor.plugins import MetricContext, Part, TrainedNetwork, create_plugin, fits

from .differentiable_distances import cka_distance, lime_weights, output_distance, zest_distance


@dataclass(frozen=True)
class Masks:
    """The masked copies of one sample.

    Attributes:
        kept: which copy keeps which segment, bool [M, segments].
        segments: which segment each place of a mask belongs to, [places].
        shape: of one mask, such as (1, 32, 32).
    """

    kept: torch.Tensor
    segments: torch.Tensor
    shape: tuple[int, ...]

    @classmethod
    def of(cls, masks: torch.Tensor) -> Masks:
        """From masks [M, …], True where a place is kept: those kept and masked together are a segment."""
        kept, segments = torch.unique(masks.flatten(1), dim=1, return_inverse=True)
        return cls(kept, segments, tuple(masks.shape[1:]))

    def some(self, copies: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The masks of some copies, and what their outputs are regressed on: the segments that are ever masked."""
        kept = self.kept[copies]
        return kept[:, self.segments].reshape(-1, *self.shape), kept[:, ~self.kept.all(0)]


@dataclass(frozen=True)
class LookedAt:
    """What a metric asked a model about at once.

    Attributes:
        inputs: samples as the dataset stores them, [N, …]; one where it is masked.
        masks: of that one; None where nothing is masked.
        layers: whose outputs were asked for; empty where it was what enters the last linear layer, or the outputs.
    """

    inputs: torch.Tensor
    masks: Masks | None = None
    layers: tuple[str, ...] = ()


class MetricKnowledge:
    """The samples that a metric compares models on, found by letting the metric look at a model that only listens.

    The metric draws as it always does. So an adversary that has the client's context knows the client's samples and
    masks; with another context it gets other ones.

    Args:
        metric: `output`, `cka` or `zest`.
        options: of the metric, as a job file has them.
        context: what the metric begins with.
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
        if not fits(context.task, plugin.tasks, context.akin):
            raise ValueError(f"the metric {metric!r} is not defined for {context.task} tasks.")
        plugin.begin(context)
        listening = _Listening(context.classes, masks)
        plugin.represent(listening)
        self._looked_at = listening.looked_at
        self._samples = samples
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
        inputs, layers = self._drawn(draws), self._looked_at[0].layers
        with torch.no_grad():
            aims = _representations(honest, inputs, layers)
        mine = _representations(own, inputs, layers)
        return torch.stack([cka_distance(layer, aim) for layer, aim in zip(mine, aims, strict=True)]).mean()

    def _zest(self, own: TrainedNetwork, honest: TrainedNetwork, draws: np.random.Generator) -> torch.Tensor:
        copies = max(len(knowledge.masks.kept) for knowledge in self._looked_at if knowledge.masks is not None)
        chosen = draws.choice(len(self._looked_at), min(len(self._looked_at), max(1, self._samples // copies)), False)
        mine, aims = [], []
        for knowledge in (self._looked_at[index] for index in chosen):
            assert knowledge.masks is not None
            known = len(knowledge.masks.kept)
            some = torch.from_numpy(draws.choice(known, min(self._samples, known), replace=False))
            masks, kept = knowledge.masks.some(some)
            with torch.no_grad():
                aims.append(lime_weights(_masked_logits(honest, knowledge.inputs, masks), kept).flatten())
            mine.append(lime_weights(_masked_logits(own, knowledge.inputs, masks), kept).flatten())
        return zest_distance(torch.cat(mine), torch.cat(aims), self._norm)

    def _drawn(self, draws: np.random.Generator) -> torch.Tensor:
        inputs = torch.cat([one.inputs for one in self._looked_at])
        chosen = draws.choice(len(inputs), min(self._samples, len(inputs)), replace=False)
        return inputs[torch.from_numpy(chosen)]


class _Listening:
    """A returned model that knows nothing and remembers what it was asked."""

    def __init__(self, classes: int, masks: int | None) -> None:
        self._classes = classes
        self._masks = masks
        self.looked_at: list[LookedAt] = []

    def parameters(self) -> Iterator[tuple[str, torch.Tensor]]:
        return iter(())

    def start_parameters(self) -> Iterator[tuple[str, torch.Tensor]]:
        return iter(())

    def buffers(self) -> Iterator[tuple[str, torch.Tensor]]:
        return iter(())

    def optimizer_state(self) -> Iterator[tuple[str, torch.Tensor]]:
        return iter(())

    def pieces(
        self, part: Part, numbers: int = 0, only: Collection[str] | None = None
    ) -> Iterator[tuple[str, torch.Tensor]]:
        return iter(())

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        self.looked_at.append(LookedAt(inputs))
        return torch.zeros(len(inputs), self._classes)

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        self.looked_at.append(LookedAt(inputs))
        return torch.zeros(len(inputs), 1)

    def activations(self, inputs: torch.Tensor, layers: Sequence[str]) -> list[torch.Tensor]:
        self.looked_at.append(LookedAt(inputs, layers=tuple(layers)))
        return [torch.zeros(len(inputs), 1) for _ in layers]

    def masked_logits(self, inputs: torch.Tensor, masks: Iterable[torch.Tensor]) -> list[torch.Tensor]:
        answers = []
        for sample, own in zip(inputs, masks, strict=True):
            self.looked_at.append(LookedAt(sample[None], Masks.of(own[: self._masks])))
            answers.append(torch.zeros(len(own), self._classes))
        return answers

    def differentiable(self) -> nn.Module:
        return _ListeningModule(self)


class _ListeningModule(nn.Module):
    """The same as a module; its answers depend on the inputs in form only, so that gradients can be asked for."""

    def __init__(self, listening: _Listening) -> None:
        super().__init__()
        self._listening = listening

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self._listening.logits(inputs.detach()) + 0 * inputs.flatten(1).sum(1, keepdim=True)


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _representations(network: TrainedNetwork, inputs: torch.Tensor, layers: Sequence[str]) -> list[torch.Tensor]:
    """What each of these layers puts out, [N, D]; without any, what enters the last linear layer."""
    caught: dict[str, torch.Tensor] = {}
    if layers:
        modules = dict(network.model.named_modules())
        hooks = [modules[name].register_forward_hook(_catching(caught, name)) for name in layers]
    else:
        last = [module for module in network.model.modules() if isinstance(module, nn.Linear)][-1]
        hooks = [last.register_forward_hook(lambda _, arguments, __: caught.update({"": arguments[0]}))]
    try:
        network.model(network.prepare(inputs))
    finally:
        for hook in hooks:
            hook.remove()
    return [caught[name].flatten(1) for name in layers or ("",)]


def _catching(caught: dict[str, torch.Tensor], name: str) -> Callable[..., None]:
    return lambda _, __, output: caught.update({name: output})


def _masked_logits(network: TrainedNetwork, image: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    prepared = network.prepare(image)
    logits: torch.Tensor = network.model(prepared * masks.to(prepared.device))
    return logits
