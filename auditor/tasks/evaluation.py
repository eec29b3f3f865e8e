"""What a delivered model can do, and what an attack on it achieved."""

from __future__ import annotations

from auditor.plugins.attack import Attack
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.network import Network

EVALUATED = 2_000
"""Held-out samples that are looked at: enough for a standard error under 1.2 %."""


def clean_accuracy(network: Network, dataset: Dataset) -> float:
    """The share of held-out samples that the network classifies rightly."""
    return network.accuracy(dataset.held_out_samples[:EVALUATED], dataset.held_out_labels[:EVALUATED])


def attack_success(network: Network, dataset: Dataset, attack: Attack) -> float | None:
    """The share of triggered held-out samples, of other classes than the target, that get the target.

    None when the attack has no trigger or no target.
    """
    target = attack.target
    others = dataset.held_out_samples[dataset.held_out_labels != target][:EVALUATED]
    if target is None or len(others) == 0:
        return None
    triggered = attack.triggered(others.to(network.device))
    if triggered is None:
        return None
    return float((network.logits(triggered).argmax(1) == target).float().mean())
