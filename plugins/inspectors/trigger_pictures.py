"""Pictures of triggers that were found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from .trigger_search import Trigger

Picture = np.ndarray[Any, np.dtype[np.uint8]]


def trigger_pictures(triggers: Mapping[int, Trigger]) -> dict[str, Picture]:
    """Of each class the trigger on black, and its mask: white where a pixel is replaced; uint8 [H, W, 3]."""
    pictures = {}
    for number, trigger in triggers.items():
        mask, pattern = trigger.found
        pictures[f"class {number} trigger"] = _picture(mask * pattern)
        pictures[f"class {number} mask"] = _picture(mask)
    return pictures


def _picture(values: torch.Tensor) -> Picture:
    """[C, H, W] from 0 to 1; what is not of three channels becomes gray."""
    shown = values if len(values) == 3 else values.mean(0, keepdim=True).expand(3, -1, -1)
    picture: Picture = (255 * shown).round().to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy()
    return picture
