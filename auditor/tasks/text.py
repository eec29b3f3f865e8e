"""Executing tasks that classify sentences."""

from __future__ import annotations

from pathlib import Path

from auditor.job.text import TextTask
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.data.text import load_text
from auditor.tasks.network_program import NetworkProgram


class TextProgram(NetworkProgram):
    """Sentences and a network that classifies them."""

    task: TextTask

    def read_dataset(self, downloads: Path) -> Dataset:
        """See `NetworkProgram`."""
        return load_text(self.task)
