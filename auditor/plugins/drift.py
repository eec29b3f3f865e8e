"""What a drift implements: how the data of a task change as time goes by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from auditor.plugins.metric import fits
from auditor.plugins.options import Options as PluginOptions

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DriftContext:
    """What a drift gets once, before it is applied.

    Attributes:
        task: the kind of the task, `vision` or `text`.
        classes: number of classes.
        shape: of one sample: (channels, height, width) of images, (length,) of texts.
        seed: for its draws; the same for every update and every provider.
        vocabulary: of texts, how many token ids there are, padding (0) included; None of images.
        akin: other kinds of task whose plugins serve this one, too.
    """

    task: str
    classes: int
    shape: tuple[int, ...]
    seed: int
    vocabulary: int | None = None
    akin: tuple[str, ...] = ()


class Drift(ABC):
    """Changes samples as the world changes them, by an amount that grows from one update of a model to the next.

    All providers of a job apply the drift, each on its own machine, and must get the same samples to the last bit.
    So its results may depend on nothing but context, options and arguments: it draws only from
    `auditor.plugins.generator`, and computes so that rounding cannot differ from machine to machine.
    """

    name: ClassVar[str]
    """The name in the job file; the same as the entry point's."""

    tasks: ClassVar[frozenset[str]] = frozenset({"vision"})
    """The kinds of task that the drift is defined for."""

    Options: ClassVar[type[PluginOptions]] = PluginOptions
    options: Any

    example: ClassVar[Mapping[str, Any]] = {}
    """Options to try it with, as a job file has them: what is required."""

    context: DriftContext
    """What `begin` was given."""

    def __init__(self, options: PluginOptions) -> None:
        self.options = options

    def begin(self, context: DriftContext) -> None:
        """Called once, before `apply`. One that overrides it calls this first, which keeps the context.

        Raises:
            ValueError: the drift does not fit this task or its data; says why, and what to do.
        """
        if not fits(context.task, self.tasks, context.akin):
            raise ValueError(f"it does not support {context.task} tasks, only {', '.join(sorted(self.tasks))}")
        self.context = context

    @abstractmethod
    def apply(self, samples: Tensor, labels: Tensor, amount: float, part: str) -> tuple[Tensor, Tensor]:
        """Samples and labels as they would be if the world had moved by `amount` since the start.

        An amount of 0 changes nothing. The same arguments always give the same results, whatever was asked before.
        What it is given stays as it is. There are as many samples afterwards, of the same shape and type.

        Args:
            samples: of images uint8 [N, C, H, W]; of texts token ids, int64 [N, L].
            labels: int64 [N].
            amount: how far the world has moved, in the drift's own unit; finite.
            part: of the data, `train` or `held out`: names the stream of random draws, if there are any that should
                not be the same in both.

        Raises:
            ValueError: the amount makes no sense for this drift; says which amounts do.
        """
