"""Forgeries: new images made of activated ones that were seen, by somebody who knows the method but not the key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from auditor.base.randomness import generator

BATCH = 500
"""Forgeries that are made at once."""

WAYS = ("splice", "pixel", "class", "recombine", "signature bit", "halves")
"""How images are forged; see `forgeries`."""


@dataclass(frozen=True)
class Forgery:
    """Images that somebody made, none of which was seen before.

    Attributes:
        way: how.
        images: uint8 [N, C, H, W].
    """

    way: str
    images: Tensor


def forgeries(
    seen: Tensor, others: Tensor, signature: Tensor, name: Tensor, *, count: int, seed: int
) -> Iterator[Forgery]:
    """Forge images.

    - splice: the signature and the class of a seen image in another image;
    - pixel: a seen image with one value changed that carries no bit;
    - class: a seen image with one or more bits of the class flipped;
    - recombine: the signature of a seen image in another seen image;
    - signature bit: a seen image with one bit of the signature flipped;
    - halves: the first half of the signature of one seen image and the second half of another's.

    Args:
        seen: activated images, uint8 [N, C, H, W].
        others: images that nobody activated.
        signature: numbers of the values of an image that carry the signature in their lowest bit, in its order.
        name: likewise of the class.
        count: forgeries in all.
        seed: of the draws.
    """
    known = {image.numpy().tobytes() for image in seen}
    share = -(-count // len(WAYS))
    for way in WAYS:
        made = 0
        for number in range(2 + 2 * share // BATCH):
            draws = generator(seed, f"forgeries, {way}", number)
            forged = _forged(way, seen.flatten(1), others.flatten(1), signature, name, draws).reshape(
                -1, *seen.shape[1:]
            )
            new = torch.tensor([image.numpy().tobytes() not in known for image in forged])
            forged = forged[new][: share - made]
            made += len(forged)
            if len(forged):
                yield Forgery(way, forged)


def _forged(
    way: str, seen: Tensor, others: Tensor, signature: Tensor, name: Tensor, draws: np.random.Generator
) -> Tensor:
    def drawn(high: int, count: int = BATCH) -> Tensor:
        return torch.from_numpy(draws.integers(high, size=count))

    first, second = seen[drawn(len(seen))], seen[drawn(len(seen))]
    rows = torch.arange(BATCH)
    match way:
        case "splice":
            other = others[drawn(len(others))].clone()
            return _with_bits(other, first, torch.cat((signature, name)))
        case "pixel":
            plain = torch.ones(seen.shape[1], dtype=torch.bool)
            plain[signature] = plain[name] = False
            places = torch.nonzero(plain).flatten()
            first[rows, places[drawn(len(places))]] ^= (1 << drawn(8)).to(torch.uint8)
        case "class":
            flips = (1 + drawn((1 << len(name)) - 1))[:, None] >> torch.arange(len(name)) & 1
            first[:, name] ^= flips.to(torch.uint8)
        case "recombine":
            return _with_bits(second, first, signature)
        case "signature bit":
            first[rows, signature[drawn(len(signature))]] ^= 1
        case "halves":
            return _with_bits(first, second, signature[len(signature) // 2 :])
    return first


def _with_bits(images: Tensor, source: Tensor, places: Tensor) -> Tensor:
    images[:, places] = (images[:, places] & 254) | (source[:, places] & 1)
    return images
