"""What the drifts of colour share: which images they take, and applying a function of torchvision piece by piece."""

from __future__ import annotations

from collections.abc import Callable

import torch

from auditor.plugins import DriftContext

AT_ONCE = 4096
"""Images; the functions make several copies of them in float32."""


def require_colours(name: str, context: DriftContext) -> None:
    """Refuse images that have no colours.

    Raises:
        ValueError: says what to do.
    """
    if context.shape[0] != 3:
        kind = "gray" if context.shape[0] == 1 else f"images of {context.shape[0]} channels"
        raise ValueError(
            f"{name} changes colours, and the images are {kind}; choose a dataset with red, green and blue, or "
            "another drift, such as rotate or brightness"
        )


def piecewise(change: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """The images changed by a function that looks at each one alone."""
    return torch.cat([change(piece) for piece in torch.split(images, AT_ONCE)]) if len(images) else images.clone()
