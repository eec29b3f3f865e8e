"""Where an image carries the bits of a signature, and what of the image is signed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod

import torch

SIGNATURE_BITS = 512
CLASS_BITS = 8
BITS = SIGNATURE_BITS + CLASS_BITS
"""What an image carries: an Ed25519 signature, and the number of a class."""


class BitCarrier(ABC):
    """Writes bits into images and reads them back.

    Args:
        shape: of an image.
        least: values that an image needs.
        why: what they are needed for, in words.

    Raises:
        ValueError: the images are too small.
    """

    def __init__(self, shape: tuple[int, ...], least: int, why: str) -> None:
        self.values = prod(shape)
        if self.values < least:
            sides = " × ".join(map(str, shape))
            raise ValueError(
                f"an image must have at least {least} values, {why}; images here have {self.values} ({sides}). Use "
                "larger images."
            )

    @abstractmethod
    def content(self, flat: torch.Tensor, *, written: bool) -> torch.Tensor:
        """What is signed of each image, uint8 [N, …].

        Args:
            flat: images, uint8 [N, values].
            written: whether they carry bits already; if not, what `content` will be once they do.
        """

    @abstractmethod
    def write(self, flat: torch.Tensor, bits: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
        """The images with bits, uint8 [N, BITS] of 0 and 1.

        Args:
            flat: images, uint8 [N, values].
            bits: what they will carry.
            content: what `content` will be then.
        """

    @abstractmethod
    def read(self, flat: torch.Tensor) -> torch.Tensor:
        """The bits that images carry, uint8 [N, BITS]; any image carries some."""


class LowestBits(BitCarrier):
    """The lowest bit of each of the first 520 values. Everything but these bits is signed.

    No value changes by more than 1.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(shape, BITS, f"{SIGNATURE_BITS} for the signature and {CLASS_BITS} for the class")

    def content(self, flat: torch.Tensor, *, written: bool) -> torch.Tensor:
        """See `BitCarrier`; whether bits are written makes no difference."""
        cleared = flat.clone()
        cleared[:, :BITS] &= 254
        return cleared

    def write(self, flat: torch.Tensor, bits: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
        """See `BitCarrier`; the content is that of the images in any case."""
        changed = flat.clone()
        changed[:, :BITS] = (changed[:, :BITS] & 254) | bits
        return changed

    def read(self, flat: torch.Tensor) -> torch.Tensor:
        """See `BitCarrier`."""
        return flat[:, :BITS] & 1


class StrongBits(BitCarrier):
    """Larger and repeated bits, which survive noise; only coarse means of the image are signed.

    Quantisation index modulation (Chen and Wornell, IEEE Transactions on Information Theory 47, 2001): a value v that
    carries a bit is moved to the nearest multiple of the amplitude a whose parity is the bit. Copies of a bit vote with
    the weight cos(πv / a). What is signed must survive the noise as well, so it is the mean of each of some parts of
    the image, in steps of a / 4; the values that carry no bit move each mean to the middle of its step.

    Under Gaussian noise of standard deviation σ all bits of an image of 32 × 32 in colour survive with five copies and
    an amplitude of 4σ: a vote is 0.73 on average with a deviation of 0.15.

    Args:
        shape: of an image.
        amplitude: a, in units of 1 of 255.
        repeats: copies of each bit.
    """

    def __init__(self, shape: tuple[int, ...], amplitude: int, repeats: int) -> None:
        carried = BITS * repeats
        super().__init__(
            shape, carried + PART, f"{repeats} copies of {BITS} bits and {PART} that keep what is signed in place"
        )
        self._amplitude = amplitude
        self._step = amplitude / 4
        spare = self.values - carried
        order = torch.arange(self.values + 1) * spare // self.values
        free = order[1:] > order[:-1]
        """Spread over the image, so that each part has some."""
        self._copies = torch.nonzero(~free).flatten().reshape(repeats, BITS)
        self._parts = torch.arange(self.values).tensor_split(spare // PART)
        self._free = [part[free[part]] for part in self._parts]
        self._middle = min(2 * amplitude, 127)

    def content(self, flat: torch.Tensor, *, written: bool) -> torch.Tensor:
        """See `BitCarrier`; before bits are written, what other bits would give is near enough."""
        if not written:
            flat = self._coded(flat, (torch.arange(BITS) % 2).expand(len(flat), -1).to(flat.device))
        means = torch.stack([flat[:, part].float().mean(1) for part in self._parts], 1)
        steps = (means / self._step).floor().to(torch.int64)
        return torch.stack((steps % 256, steps // 256), 2).flatten(1).to(torch.uint8)

    def write(self, flat: torch.Tensor, bits: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
        """See `BitCarrier`; any image can be given any content, at the price of its brightness here and there."""
        told = content.to(torch.int64).reshape(len(flat), -1, 2)
        middles = (told[..., 0] + 256 * told[..., 1] + 0.5) * self._step
        coded = self._coded(flat, bits)
        for number, (part, free) in enumerate(zip(self._parts, self._free, strict=True)):
            missing = (middles[:, number] * len(part)).round().to(torch.int64) - coded[:, part].sum(1)
            coded[:, free] = _raised(coded[:, free], missing)
        return coded.to(torch.uint8)

    def read(self, flat: torch.Tensor) -> torch.Tensor:
        """See `BitCarrier`."""
        votes = torch.cos(torch.pi * flat[:, self._copies].float() / self._amplitude).sum(1)
        return (votes < 0).to(torch.uint8)

    def _coded(self, flat: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
        """int64: the images with bits; values without one have room on both sides."""
        coded = flat.to(torch.int64).clamp(self._middle, 255 - self._middle)
        values, parity = flat[:, self._copies].float(), bits[:, None].to(torch.float32)
        levels = 2 * ((values / self._amplitude - parity) / 2).round() + parity
        levels -= 2 * (levels * self._amplitude > 255)
        coded[:, self._copies] = (levels * self._amplitude).to(torch.int64)
        return coded


PART = 25
"""Values without a bit in each part of the image; also the least number of them."""


def _raised(values: torch.Tensor, missing: torch.Tensor) -> torch.Tensor:
    """Rows of values, int64 [N, M] from 0 to 255, whose sums rise by what is missing, in proportion to the room."""
    up = missing >= 0
    room = torch.where(up[:, None], 255 - values, values)
    total = room.sum(1)
    wanted = torch.minimum(missing.abs(), total)
    added = room * wanted[:, None] // total.clamp(min=1)[:, None]
    left = (wanted - added.sum(1))[:, None]
    fitting = room > added
    added += fitting & (fitting.cumsum(1) <= left)
    return values + torch.where(up[:, None], added, -added)
