"""A small real job that plugins are tried on. A kind of task provides one by an entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, cast

from auditor.plugins.attack import Attack, AttackContext, Batch
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


def open_practice(task: str) -> Practice:
    """The practice for a kind of task.

    Raises:
        LookupError: there is none for this kind.
    """
    for point in entry_points(group=GROUP, name=task):
        return cast("Callable[[], Practice]", point.load())()
    known = sorted({point.name for point in entry_points(group=GROUP)})
    raise LookupError(f"there is no practice task of kind {task}; the kinds are {', '.join(known) or 'none'}.")


@cache
def shared_practice(task: str) -> Practice:
    """The practice for a kind of task, one for all contract tests of a process."""
    return open_practice(task)


@cache
def shared_metric_context(task: str) -> MetricContext:
    """What a metric or an inspector gets in that practice. Tests must not change it."""
    return shared_practice(task).metric_context()


@cache
def trained(task: str, seed: int) -> Tensors:
    """The last checkpoint of a short honest training. Tests must not change it."""
    return shared_practice(task).train(seed=seed)[-1]
