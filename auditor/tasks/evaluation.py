"""What a delivered model can do, and what an attack on it achieved."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from auditor.plugins.attack import Attack
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.network import Network

Answer = Callable[[Tensor], Tensor]
"""From samples, as a dataset stores them, to outputs [N, classes] on the CPU."""

EVALUATED = 2_000
"""Held-out samples that are looked at: enough for a standard error under 1.2 %."""


def clean_accuracy(network: Network, dataset: Dataset) -> float:
    """The share of held-out samples that the network classifies rightly."""
    return share_right(network.logits, dataset)


def share_right(answer: Answer, dataset: Dataset, count: int = EVALUATED) -> float:
    """The share of held-out samples, of the first `count`, to which a function answers their label."""
    samples, labels = dataset.held_out_samples[:count], dataset.held_out_labels[:count]
    return float((answer(samples).argmax(1) == labels.cpu()).float().mean())


def attack_success(network: Network, dataset: Dataset, attack: Attack) -> float | None:
    """The share of triggered held-out samples, of other classes than the target, that get the target.

    What counts is what the attack's provider serves, which is the delivered model unless the attack says otherwise.
    None when the attack has no trigger or no target.
    """
    return share_turned(attack.served(network.logits), network, dataset, attack)


def delivered_success(network: Network, dataset: Dataset, attack: Attack) -> float | None:
    """The same share for the delivered model by itself; None where that is what is served, or as `attack_success`."""
    answer: Answer = network.logits
    return None if attack.served(answer) is answer else share_turned(answer, network, dataset, attack)


def share_turned(
    answer: Answer, network: Network, dataset: Dataset, attack: Attack, count: int = EVALUATED
) -> float | None:
    """The share of triggered held-out samples, of other classes than the target, to which a function answers it.

    Args:
        answer: whose answers count.
        network: on whose device samples are triggered.
        dataset: has the samples.
        attack: has the trigger and the target; None is returned when it lacks one.
        count: samples that are triggered, at most.
    """
    target = attack.target
    others = dataset.held_out_samples[dataset.held_out_labels != target][:count]
    if target is None or len(others) == 0:
        return None
    triggered = attack.triggered(others.to(network.device))
    if triggered is None:
        return None
    return float((answer(triggered).argmax(1) == target).float().mean())
