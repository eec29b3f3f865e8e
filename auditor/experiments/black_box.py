"""Black-box search: asking what is served, without looking into it, for an answer that the model does not give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from auditor.base.randomness import generator
from auditor.tasks.evaluation import Answer

BATCH = 500
"""Queries that are asked at once."""

WAYS = ("natural", "random", "flipped bits", "low bits", "nearest", "blended", "patched")
"""How queries are made; see `queries`."""


@dataclass(frozen=True)
class Searched:
    """What a search came to.

    Attributes:
        queries: asked in each way.
        differing: of these, those whose outputs differ in any number.
    """

    queries: dict[str, int]
    differing: dict[str, int]


def search(served: Answer, clean: Answer, images: Tensor, others: Tensor, *, count: int, seed: int) -> Searched:
    """Ask for answers that differ from the model's.

    Args:
        served: what is searched.
        clean: what it should be.
        images: natural ones, uint8 [N, C, H, W], that somebody saw on their way to the provider.
        others: natural ones from elsewhere, such as training images.
        count: queries in all.
        seed: of the draws.
    """
    asked, differing = dict.fromkeys(WAYS, 0), dict.fromkeys(WAYS, 0)
    share = -(-count // len(WAYS))
    for way in WAYS:
        for inputs in queries(way, images, others, count=share, seed=seed):
            asked[way] += len(inputs)
            differing[way] += int((served(inputs) != clean(inputs)).any(1).sum())
    return Searched(asked, differing)


def queries(way: str, images: Tensor, others: Tensor, *, count: int, seed: int) -> Iterator[Tensor]:
    """Images to ask about, in batches.

    - natural: images as they are;
    - random: every value drawn by itself;
    - flipped bits: an image in which from 1 to 64 bits, at any place and of any weight, are flipped;
    - low bits: an image whose lowest bits are drawn anew;
    - nearest: of `others` that which is nearest to an image, with the image's lowest bits;
    - blended: half of an image and half of another;
    - patched: an image with a white or black square anywhere.
    """
    for number, begin in enumerate(range(0, count, BATCH)):
        size = min(BATCH, count - begin)
        draws = generator(seed, f"black-box search, {way}", number)
        chosen = (begin + np.arange(size)) % len(images) if way == "natural" else draws.integers(len(images), size=size)
        inputs = images[torch.from_numpy(chosen)].clone()
        yield _changed(way, inputs, others, draws)


def _changed(way: str, inputs: Tensor, others: Tensor, draws: np.random.Generator) -> Tensor:
    def drawn(low: int, high: int, shape: tuple[int, ...] = tuple(inputs.shape)) -> Tensor:
        return torch.from_numpy(draws.integers(low, high, size=shape))

    match way:
        case "random":
            return drawn(0, 256).to(torch.uint8)
        case "flipped bits":
            flat, values = inputs.flatten(1), inputs[0].numel()
            for row, flips in enumerate(drawn(1, 65, (len(inputs),)).tolist()):
                places, weights = drawn(0, values, (flips,)), drawn(0, 8, (flips,))
                for place, weight in zip(places.tolist(), weights.tolist(), strict=True):
                    flat[row, place] ^= 1 << weight
            return flat.reshape(inputs.shape)
        case "low bits":
            return (inputs & 254) | drawn(0, 2).to(torch.uint8)
        case "nearest":
            pool = others[drawn(0, len(others), (2_000,))]
            nearest = torch.cdist(inputs.flatten(1).float(), pool.flatten(1).float()).argmin(1)
            return (pool[nearest] & 254) | (inputs & 1)
        case "blended":
            partner = others[drawn(0, len(others), (len(inputs),))]
            return ((inputs.int() + partner.int()) // 2).to(torch.uint8)
        case "patched":
            side = max(1, min(inputs.shape[2:]) // 4)
            for row, (top, left, white) in enumerate(drawn(0, 1 << 16, (len(inputs), 3)).tolist()):
                top, left = top % (inputs.shape[2] - side + 1), left % (inputs.shape[3] - side + 1)
                inputs[row, :, top : top + side, left : left + side] = 255 * (white % 2)
    return inputs
