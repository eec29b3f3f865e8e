"""Named slices of the training samples: `train`, which a model begins with, and `stream[I]`, which come later.

Their purpose is a model that keeps learning: it is trained on `train`, and each update on the next slice of the
stream (Permanence of Backdoors in Evolving Models, §5: half of the data, and the rest in parts).
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from auditor.base.frozen import Frozen

TRAIN = "train"
STREAM = re.compile(r"stream\[(0|[1-9][0-9]{0,5})\]")


class Stream(Frozen):
    """How the training samples are divided between the slice `train` and a stream of slices."""

    slices: Annotated[int, Field(ge=1, le=100_000)] = Field(description="the number of slices, all of one size")
    share: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(
        default=0.5, description="the share of the training samples in the stream; the slice `train` has the others"
    )


def stream_index(name: str) -> int | None:
    """The number I of a slice `stream[I]`; None for `train`.

    Raises:
        ValueError: the name is neither.
    """
    if name == TRAIN:
        return None
    if (found := STREAM.fullmatch(name)) is None:
        raise ValueError(f"{name!r} is no slice")
    return int(found[1])
