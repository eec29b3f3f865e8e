"""What metrics that read the models' files have in common: they never load a model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from auditor.plugins import EVERY_TASK, Comparison, Metric, ReturnedModel

from .geometric import UNRELATED


class FileMetric(Metric[ReturnedModel]):
    """A metric that reads tensors from the files of all models of a sub-run in one pass."""

    tasks = EVERY_TASK
    unrelated: float | None = UNRELATED

    def represent(self, model: ReturnedModel) -> ReturnedModel:
        """The model itself: its tensors stay in their file."""
        return model

    def distance(self, first: ReturnedModel, second: ReturnedModel) -> float:
        """See the class; 0 for a model and itself."""
        return 0.0 if first is second else float(self.compare([first, second]).distances[0][1])

    @abstractmethod
    def compare(self, representations: Sequence[ReturnedModel]) -> Comparison:
        """All pairs in one pass over the files."""
