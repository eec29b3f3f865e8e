"""Models of torchvision, given the right number of classes and a stem that suits small images."""

from __future__ import annotations

from typing import Any

from torch import nn
from torchvision import models

from auditor.job.errors import nearest
from auditor.tasks.errors import TrainingError

SMALL_SIDE = 64
"""Images with a shorter side are small: a stem made for 224 pixels would leave nothing of them."""


def build_torchvision(name: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """A classification model of torchvision, untrained, for images of `shape` (C, H, W).

    For small images the first convolution becomes 3×3 with stride 1 and a max-pooling in the stem is left out
    (He et al., 2016, section 4.2, do the same); for other than three channels the first convolution is remade.

    Raises:
        TrainingError: torchvision has no such model, or it cannot take such images.
    """
    known = models.list_models(module=models)
    if name not in known:
        hint = nearest(name, known)
        raise TrainingError(
            f"torchvision:{name}: torchvision has no classification model of this name."
            + (f" Did you mean {hint!r}?" if hint else "")
        )
    channels, height, width = shape
    extra: dict[str, Any] = {}
    if name.startswith("vit_"):
        extra["image_size"] = height
    if name in ("googlenet", "inception_v3"):
        extra |= {"aux_logits": False, "init_weights": True}
    try:
        model: nn.Module = models.get_model(name, weights=None, num_classes=classes, **extra)
    except (ValueError, AssertionError) as error:
        raise TrainingError(f"torchvision:{name}: does not take images of {height}×{width}: {error}") from None
    small = min(height, width) < SMALL_SIDE
    if small or channels != 3:
        _remake_first_convolution(model, channels, small)
    if small:
        for pool in ("maxpool", "maxpool1"):
            if isinstance(getattr(model, pool, None), nn.MaxPool2d):
                setattr(model, pool, nn.Identity())
        if isinstance(getattr(getattr(model, "features", None), "pool0", None), nn.MaxPool2d):
            model.features.pool0 = nn.Identity()  # type: ignore[union-attr]
    return model


def _remake_first_convolution(model: nn.Module, channels: int, small: bool) -> None:
    for path, module in model.named_modules():
        if isinstance(module, nn.Conv2d) and module.groups == 1:
            patches = module.stride == module.kernel_size
            shrink = small and not patches
            remade = nn.Conv2d(
                channels,
                module.out_channels,
                kernel_size=3 if shrink else module.kernel_size,  # type: ignore[arg-type]
                stride=1 if shrink else module.stride,  # type: ignore[arg-type]
                padding=1 if shrink else module.padding,  # type: ignore[arg-type]
                bias=module.bias is not None,
            )
            parent, _, leaf = path.rpartition(".")
            setattr(model.get_submodule(parent), leaf, remade)
            return
