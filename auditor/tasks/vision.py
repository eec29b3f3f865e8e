"""Executing tasks that classify images."""

from __future__ import annotations

from pathlib import Path

from auditor.job.vision import VisionTask
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.data.sources import load_image_dataset
from auditor.tasks.dataset_program import DatasetProgram


class VisionProgram(DatasetProgram):
    """Images and a network that classifies them."""

    task: VisionTask

    def read_dataset(self, downloads: Path) -> Dataset:
        """See `DatasetProgram`."""
        return load_image_dataset(self.task, downloads)
