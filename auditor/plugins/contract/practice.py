"""A small real job that plugins are tried on. A kind of task provides one by an entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, cast

from auditor.plugins.attack import Attack, AttackContext, Batch, TrainedNetwork
from auditor.plugins.metric import MetricContext, ReturnedModel

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]

GROUP = "auditor.practice"


class Practice(Protocol):
    """A job of one kind of task that trains in seconds.

    Checkpoints are tensors by name: `model.…` parameters and buffers, `optimizer.…` state, and `step`.
    """

    def attack_context(self) -> AttackContext:
        """The context that an attack gets here."""

    def batches(self) -> Iterator[Batch]:
        """The batches of one epoch, as an honest provider gets them."""

    def train(
        self,
        attack: Attack | None = None,
        *,
        steps: int = 8,
        seed: int = 0,
        start: Mapping[str, torch.Tensor] | None = None,
    ) -> list[Tensors]:
        """Train for `steps` in sub-runs of 4; returns the checkpoint at every boundary but the first.

        It starts from a checkpoint, or from the initial weights when none is given.
        """

    def metric_context(self) -> MetricContext:
        """The context that a metric or an inspector gets here."""

    def returned(self, checkpoint: Mapping[str, torch.Tensor]) -> ReturnedModel:
        """A checkpoint as metrics and inspectors see it, in a sub-run that began with the initial weights."""

    def evaluate(self, checkpoint: Mapping[str, torch.Tensor], attack: Attack) -> tuple[float, float | None]:
        """Clean accuracy, and attack success where the attack has a trigger and a target, both 0 to 1."""


def open_practice(task: str, least_values: int = 0) -> Practice:
    """The practice for a kind of task.

    Args:
        task: the kind.
        least_values: numbers that a sample should have at least; what provides the practice is told only where this
            is not 0, by this name.

    Raises:
        LookupError: there is none for this kind.
    """
    for point in entry_points(group=GROUP, name=task):
        create = cast("Callable[..., Practice]", point.load())
        return create(least_values=least_values) if least_values else create()
    known = sorted({point.name for point in entry_points(group=GROUP)})
    raise LookupError(f"there is no practice task of kind {task}; the kinds are {', '.join(known) or 'none'}.")


@cache
def shared_practice(task: str, least_values: int = 0) -> Practice:
    """The practice for a kind of task and a size of its samples, one for all contract tests of a process."""
    return open_practice(task, least_values)


@cache
def shared_attack_context(task: str, least_values: int = 0) -> AttackContext:
    """What an attack gets in that practice."""
    return shared_practice(task, least_values).attack_context()


@cache
def initial_checkpoint(task: str, least_values: int = 0) -> Tensors:
    """The checkpoint of step 0. Tests must not change it."""
    return shared_attack_context(task, least_values).honest_twin().checkpoint()


@cache
def honest_checkpoints(task: str, least_values: int, steps: int, seed: int) -> list[Tensors]:
    """What an honest provider delivers there. Tests must not change it."""
    return shared_practice(task, least_values).train(None, steps=steps, seed=seed)


def answer_of(network: TrainedNetwork) -> Callable[[torch.Tensor], torch.Tensor]:
    """What a network answers, as `Attack.served` is given it."""

    def answer(inputs: torch.Tensor) -> torch.Tensor:
        import torch

        with torch.inference_mode():
            outputs: torch.Tensor = network.model.eval()(network.prepare(inputs))
        return outputs.float().cpu()

    return answer


@cache
def shared_metric_context(task: str) -> MetricContext:
    """What a metric or an inspector gets in that practice. Tests must not change it."""
    return shared_practice(task).metric_context()


@cache
def trained(task: str, seed: int) -> Tensors:
    """The last checkpoint of a short honest training. Tests must not change it."""
    return shared_practice(task).train(seed=seed)[-1]
