"""An adversary that knows how it is audited and trains so as to look honest there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from pydantic import field_validator, model_validator

from auditor.plugins import (
    Attack,
    AttackContext,
    AttackWrapper,
    Batch,
    HonestTwin,
    MetricContext,
    WrapperOptions,
    generator,
    option,
)

from .metric_knowledge import MetricKnowledge
from .projection import Tensors, pulled, squared_length, take, within

Followed = Literal["update", "cka", "output", "zest"]
"""The metrics whose distance it can differentiate; see `differentiable_distances`."""


class AdaptiveOptions(WrapperOptions):
    """What a job file may write for `adaptive`."""

    metric: Followed | None = option(None, "the metric under which its model should look honest")
    strength: float = option(
        0.5, "how far it pulls the model after every step, from 0 (not at all) to 1 (all the way)", ge=0, le=1
    )
    goal: float = option(0.0, "a distance that the decision tolerates; it pulls the model no nearer than this", ge=0)
    rounds: int = option(1, "how often it pulls the model after every step, each time with other samples", ge=1)
    bound: float | None = option(
        None, "the most that its update may deviate from the honest one, as a share of the honest one's length", ge=0
    )
    knowledge: Literal["client", "own"] = option(
        "client", "whether it knows the samples and masks that the client's metric draws, or draws its own"
    )
    metric_options: dict[str, Any] = option({}, "the options of the client's metric, if the job sets any")
    samples: int = option(64, "samples per round; masked samples for zest", ge=4)
    masks: int | None = option(None, "zest: how many masks of each image it knows; all by default", ge=2)
    seed: int = option(0, "seed of its draws", ge=0)

    @field_validator("metric", mode="before")
    @classmethod
    def _follows(cls, metric: Any) -> Any:
        if isinstance(metric, str) and metric not in get_args(Followed):
            raise ValueError(
                f"{metric!r} cannot be followed, because its distances cannot be differentiated; use one of "
                f"{', '.join(get_args(Followed))}, or give a bound"
            )
        return metric

    @model_validator(mode="after")
    def _knows_what_it_wants(self) -> AdaptiveOptions:
        if self.metric is None and self.bound is None:
            raise ValueError("give the metric under which it should look honest, a bound, or both")
        if self.metric in (None, "update") and (self.metric_options or self.masks is not None):
            raise ValueError("metric_options and masks are about metrics that compare samples: cka, output and zest")
        if self.metric != "zest" and self.masks is not None:
            raise ValueError("masks is about the metric zest")
        return self


@dataclass
class _SubRun:
    """The sub-run that is being trained.

    Attributes:
        start: the checkpoint that it started from, on the CPU.
        start_model: its parameters and buffers under their names in the model, on the device.
        step: how far the honest twin is.
        knowledge: of the metric; None until the adversary has samples, or where it needs none.
    """

    start: Tensors
    start_model: Tensors
    step: int
    knowledge: MetricKnowledge | None


class Adaptive(AttackWrapper):
    """Another attack, pulled towards what an honest step would give, as a metric sees it.

    A twin beside its own model executes every step honestly. At the start of each sub-run the twin is set back to the
    committed checkpoint. Each step costs one more honest step. For metrics that compare samples it also costs a forward
    and a backward pass over `samples` samples. RTTD describes these adversaries (arXiv 2504.00170, on adaptive
    attacks), for Zest and with more or less knowledge of the reference images and masked samples.

    The pull is a penalty on the distance d of its model W from the twin's, Wₕ, decoupled from the loss as weight decay
    is in AdamW, so that it does not depend on learning rate and momentum. Its length is that of Polyak's step
    ("Introduction to optimization", 1987, section 5.3), which needs no tuning where the smallest value is known:

        W ← W − strength · (d − goal) · ∇d / ‖∇d‖²

    but never longer than ‖W − Wₕ‖, for at Wₕ the distance is 0. Under `update`, d is ‖W − Wₕ‖ ÷ ‖Wₕ − W₀‖, and the
    step leads straight to the twin. The decision is what `goal` is chosen by.

    With `bound` it is projected after each step: ‖W − Wₕ‖ ≤ bound · ‖Wₕ − W₀‖, for parameters and, by themselves,
    for running statistics; and for the optimizer's state in what it commits to. Under the metric `update` it is then
    bound / (1 − bound / 2) from the twin at most.
    """

    name = "adaptive"
    example: ClassVar = {"attack": {"name": "badnets", "rate": 0.3}, "metric": "update"}
    Options = AdaptiveOptions
    options: AdaptiveOptions

    def __init__(self, options: AdaptiveOptions, wrapped: Attack) -> None:
        super().__init__(options, wrapped)
        self._twin: HonestTwin | None = None

    def begin(self, context: AttackContext) -> None:
        """Look at the samples of the client's metric, if it knows them."""
        super().begin(context)
        self._context = context
        self._clients: MetricKnowledge | None = None
        if not self._compares_samples:
            return
        if context.client is None:
            raise ValueError("it was not given the client's metric context, so it cannot know a metric.")
        # Its own samples come with the first batch of a sub-run; mistakes in the options show here all the same.
        knowledge = self._know(context.client)
        if self.options.knowledge == "client":
            self._clients = knowledge

    def on_initial(self, tensors: Tensors, step: int) -> Tensors:
        """Set the twin back to the committed checkpoint."""
        if self._twin is None:
            self._twin = self._context.honest_twin()
        self._twin.load(tensors)
        start = {
            name.removeprefix("model."): tensor.to(self._context.device)
            for name, tensor in tensors.items()
            if name.startswith("model.")
        }
        self._sub_run = _SubRun(tensors, start, step, self._clients)
        return super().on_initial(tensors, step)

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """Let the twin execute the step. Its samples come from the first batch of a sub-run."""
        self._advance(step + 1)
        client = self._context.client
        if self._compares_samples and self._sub_run.knowledge is None and client is not None:
            own = batch.inputs.cpu()
            self._sub_run.knowledge = self._know(replace(client, probe=own, reference=own, seed=self.options.seed))
        return super().on_batch(batch, step)

    def on_update(self, model: torch.nn.Module, step: int) -> None:
        """Pull the model towards the twin's, and project it."""
        super().on_update(model, step)
        own, honest = self._context.network.model.state_dict(), self._honest(step + 1).network.model.state_dict()
        start = self._sub_run.start_model
        parameters, buffers = self._parts(own)
        if self.options.metric == "update":
            enough = within(own, honest, start, parameters, self.options.goal)
            take(own, pulled(own, honest, parameters, 1 - self.options.strength * (1 - enough)))
        elif self.options.metric is not None:
            self._pull(generator(self.options.seed, "adaptive", step), self._honest(step + 1))
        if self.options.bound is not None:
            for part in (parameters, buffers):
                take(own, pulled(own, honest, part, within(own, honest, start, part, self.options.bound)))

    def on_checkpoint(self, tensors: Tensors, step: int) -> Tensors:
        """What the wrapped attack commits to, projected."""
        tensors = super().on_checkpoint(tensors, step)
        if self.options.bound is None:
            return tensors
        honest, start = self._honest(step).checkpoint(), self._sub_run.start
        optimizer = [name for name in tensors if name.startswith("optimizer.") and not name.endswith(".step")]
        parts = [[f"model.{name}" for name in part] for part in self._parts(self._context.network.model.state_dict())]
        projected: Tensors = {}
        for part in (*parts, optimizer):
            projected |= pulled(tensors, honest, part, within(tensors, honest, start, part, self.options.bound))
        return tensors | projected if projected else tensors

    def _pull(self, draws: np.random.Generator, twin: HonestTwin) -> None:
        """Polyak's step on the distance that the metric sees."""
        knowledge = self._sub_run.knowledge
        if knowledge is None:
            return
        weights, aims = _trained(self._context.network.model), _trained(twin.network.model)
        for _ in range(self.options.rounds if self.options.strength > 0 else 0):
            distance = knowledge.distance(self._context.network, twin.network, draws)
            gradient = torch.autograd.grad(distance, weights, allow_unused=True, materialize_grads=True)
            square, apart = (
                squared_length(gradient),
                squared_length([w - a for w, a in zip(weights, aims, strict=True)]),
            )
            if not 0 < square < math.inf:
                return
            length = min(max(0.0, float(distance.detach()) - self.options.goal) / square, math.sqrt(apart / square))
            with torch.no_grad():
                for weight, slope in zip(weights, gradient, strict=True):
                    weight.sub_(slope, alpha=self.options.strength * length)

    @property
    def _compares_samples(self) -> bool:
        return self.options.metric not in (None, "update")

    def _know(self, context: MetricContext) -> MetricKnowledge:
        options = self.options
        return MetricKnowledge(
            str(options.metric), options.metric_options, context, samples=options.samples, masks=options.masks
        )

    def _advance(self, step: int) -> None:
        """Let the twin execute all steps before `step`; more than one where this model skipped some."""
        assert self._twin is not None
        while self._sub_run.step < step:
            self._twin.execute_step()
            self._sub_run.step += 1

    def _honest(self, step: int) -> HonestTwin:
        self._advance(step)
        assert self._twin is not None
        return self._twin

    def _parts(self, state: Mapping[str, torch.Tensor]) -> tuple[list[str], list[str]]:
        """The names of the parameters, and of the buffers that are not counters; of what a checkpoint holds."""
        held = self._sub_run.start_model
        parameters = [name for name, _ in self._context.network.model.named_parameters() if name in held]
        buffers = [name for name in state if name in held and state[name].is_floating_point()]
        return parameters, [name for name in buffers if name not in set(parameters)]


def _trained(model: torch.nn.Module) -> list[torch.nn.Parameter]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
