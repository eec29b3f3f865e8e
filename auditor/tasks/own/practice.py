"""A small workload on real data, which plugins practise on."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from auditor.job.vision import VisionTask
from auditor.tasks.data.sources import load_image_dataset
from auditor.tasks.own.workload import Workload


def digits() -> Workload:
    """Handwritten digits as 64 real numbers each, and a network of two layers with dropout."""
    data = load_image_dataset(VisionTask(dataset="digits"), Path())

    def flat(images: Tensor) -> Tensor:
        return images.flatten(1).float() / 255

    return Workload(
        model=lambda: nn.Sequential(
            nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10)
        ),
        training=(flat(data.samples), data.labels),
        held_out=(flat(data.held_out_samples), data.held_out_labels),
    )
