"""Which samples models are compared on."""

from __future__ import annotations

import torch

from auditor.base.randomness import generator
from auditor.plugins.metric import MetricContext, ModelOutline
from auditor.tasks.data import Dataset

REFERENCE_SAMPLES = 1024
"""Training samples that metrics may use as references; the paper's Zest takes 128."""


def metric_context(task: str, dataset: Dataset, model: ModelOutline, seed: int) -> MetricContext:
    """What a run's metrics are told: samples in an order that nobody knows who does not know the seed.

    Args:
        task: the kind of the task.
        dataset: what is trained on.
        model: what is trained.
        seed: of the draws; the client's secret.
    """
    held_out = torch.from_numpy(generator(seed, "probe").permutation(len(dataset.held_out_samples)))
    training = torch.from_numpy(generator(seed, "reference").permutation(len(dataset.samples)))
    return MetricContext(
        task=task,
        classes=dataset.classes,
        probe=dataset.held_out_samples[held_out],
        reference=dataset.samples[training[:REFERENCE_SAMPLES]],
        seed=seed,
        model=model,
    )
