"""Randomised smoothing: the class that most noisy copies of an image get, instead of the class of the image itself."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from auditor.base.randomness import generator
from auditor.tasks.evaluation import Answer

COPIES = 32
"""Noisy copies of an image that vote."""


def noisy(images: Tensor, sigma: float, seed: int, copy: int) -> Tensor:
    """One noisy copy of each image; uint8 like the images, as an API takes it.

    Images of real numbers, which some triggers make, stay real, and may leave the range from 0 to 255.

    Args:
        images: uint8 or float32 [N, C, H, W].
        sigma: standard deviation of the noise, in units of the 255 steps of a value.
        seed: of the noise.
        copy: which copy. All images of a copy get the same noise, so that an answer does not depend on what else is
            asked at the same time.

    Raises:
        ValueError: these are no images.
    """
    if images.dtype not in (torch.uint8, torch.float32):
        raise ValueError("only images can be smoothed: noise on token ids means nothing")
    drawn = generator(seed, "smoothing", copy).standard_normal(tuple(images.shape[1:]), dtype="float32")
    noise = torch.from_numpy(drawn).to(images.device)
    changed = images + sigma * noise
    return changed if images.is_floating_point() else changed.round().clamp(0, 255).to(torch.uint8)


def smoothed(answer: Answer, sigma: float, *, copies: int = COPIES, seed: int = 0) -> Answer:
    """What is answered under randomised smoothing: for each class, the share of noisy copies that get it.

    Its largest output is the majority class of Cohen, Rosenfeld and Kolter, "Certified adversarial robustness via
    randomized smoothing" (ICML 2019), section 3. They train with the same noise; a model that was trained without it
    loses accuracy as the noise grows.

    Args:
        answer: what is smoothed.
        sigma: standard deviation of the noise, in units of the 255 steps of a value.
        copies: of each image.
        seed: of the noise.
    """

    def vote(images: Tensor) -> Tensor:
        outputs = (answer(noisy(images, sigma, seed, copy)) for copy in range(copies))
        votes = [F.one_hot(one.argmax(1), one.shape[1]) for one in outputs]
        return torch.stack(votes).sum(0) / copies

    return vote
