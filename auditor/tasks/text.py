"""Executing tasks that classify sentences."""

from __future__ import annotations

from pathlib import Path

from auditor.job.text import TextTask
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.data.text import load_text
from auditor.tasks.dataset_program import DatasetProgram


class TextProgram(DatasetProgram):
    """Sentences and a network that classifies them."""

    task: TextTask

    def read_dataset(self, downloads: Path) -> Dataset:
        """See `DatasetProgram`."""
        return load_text(self.task)
