"""What metrics on all parameters have in common: they read them from the files, and never load a model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

from auditor.plugins import EVERY_TASK, Comparison, Metric, ReturnedModel

from .geometric import UNRELATED
from .streaming import Squares, squares_apart


class WeightsMetric(Metric[ReturnedModel]):
    """A metric whose distances follow from how far the models' parameters lie from one another and from the start."""

    tasks = EVERY_TASK
    unrelated = UNRELATED

    def represent(self, model: ReturnedModel) -> ReturnedModel:
        """The model itself: its weights stay in their file."""
        return model

    def distance(self, first: ReturnedModel, second: ReturnedModel) -> float:
        """See the class; 0 when neither changed anything."""
        return 0.0 if first is second else float(self.compare([first, second]).distances[0][1])

    @abstractmethod
    def compare(self, representations: Sequence[ReturnedModel]) -> Comparison:
        """All pairs in one pass over the files."""


def from_the_start(models: Sequence[ReturnedModel]) -> Iterator[tuple[str, Squares]]:
    """For every parameter the squared distances [1 + n, 1 + n] among the checkpoint they started from and n models."""
    return squares_apart([models[0].start_parameters(), *(model.parameters() for model in models)])
