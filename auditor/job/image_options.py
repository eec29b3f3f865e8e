"""How images become pixels, where there is a choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Channels = Literal["auto", "gray", "rgb"]
Background = Literal["white", "black"]


MAX_SIDE = 4096
"""The largest height and width that images are resized to."""


@dataclass(frozen=True)
class ImageOptions:
    """What a task on images says of them.

    Attributes:
        channels: `gray` for one channel, `rgb` for three; `auto` for three as soon as one image has colours.
        background: what is behind transparent pixels.
        value_range: the values of 16-bit and floating-point images that are black and white.
        size: the height and width that images are resized to; None for images that are alike already.
    """

    channels: Channels = "auto"
    background: Background = "white"
    value_range: tuple[float, float] | None = None
    size: tuple[int, int] | None = None
