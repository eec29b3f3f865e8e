"""What an inspector implements: a look at one model alone, without any other to compare it with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from auditor.plugins.metric import MetricContext, ReturnedModel, fits
from auditor.plugins.options import Options as PluginOptions

if TYPE_CHECKING:
    import numpy as np

Picture: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"


@dataclass(frozen=True)
class Inspection:
    """What an inspector found in one model.

    Attributes:
        score: how suspicious the model is, finite; larger is more suspicious.
        threshold: a model is suspicious when its score is larger.
        confirmed: whether everything holds that the inspector demands beside the score; a score over the threshold
            alone is then not enough.
        details: what the score comes from, as JSON can hold it: figures per class or layer, for instance.
        pictures: of what was found, such as a trigger, by a short name: uint8 [H, W, 3], red, green and blue.
    """

    score: float
    threshold: float
    confirmed: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict, compare=False)

    @property
    def suspicious(self) -> bool:
        """Whether the inspector suspects the model."""
        return self.confirmed and self.score > self.threshold

    @property
    def payload(self) -> dict[str, Any]:
        """Everything but the pictures, as JSON can hold it."""
        return {
            "score": self.score,
            "threshold": self.threshold,
            "confirmed": self.confirmed,
            "details": dict(self.details),
            "suspicious": self.suspicious,
        }


def _unwatched(share: float) -> None:
    """Nobody shows how far it is."""


class Inspector(ABC):
    """Looks at one model, and says how suspicious it is.

    It gets the context of the job once, as a metric does, and then one model after another. What it finds in a model
    must depend on that model only, and not on those before it.
    """

    name: ClassVar[str]
    """What users call it; the same as the entry point's."""

    tasks: ClassVar[frozenset[str]] = frozenset({"vision"})
    """The kinds of task that the inspector is defined for."""

    Options: ClassVar[type[PluginOptions]] = PluginOptions
    options: Any

    example: ClassVar[Mapping[str, Any]] = {}
    """Options to try it with: what is required, and what makes it quick."""

    progress: Callable[[float], None] = staticmethod(_unwatched)
    """Told how far an inspection is, from 0 to 1, by inspectors that take long; set by whoever shows it."""

    def __init__(self, options: PluginOptions) -> None:
        self.options = options

    def begin(self, context: MetricContext) -> None:
        """Called once, before any model is inspected. One that overrides it calls this first.

        Raises:
            ValueError: the inspector cannot serve this job; says why, and what to do.
        """
        if not fits(context.task, self.tasks, context.akin):
            raise ValueError(f"it does not support {context.task} tasks, only {', '.join(sorted(self.tasks))}")

    @abstractmethod
    def inspect(self, model: ReturnedModel) -> Inspection:
        """Look at one model.

        Raises:
            ValueError: nothing can be said of this model, because its outputs are not finite, for instance.
        """
