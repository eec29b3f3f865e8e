"""WaNet: a slight warp of the whole image makes it the target class."""

from __future__ import annotations

from dataclasses import replace

import torch
from pydantic import model_validator
from torch.nn import functional as F

from auditor.plugins import Attack, AttackContext, Batch, Options, generator, option

from .poisoned_samples import check_target


class WaNetOptions(Options):
    """What a job file may write for `wanet`."""

    target: int = option(0, "the class that warped images should get", ge=0)
    rate: float = option(0.1, "share of every batch that is poisoned", ge=0, le=1)
    cross_ratio: float = option(
        2.0, "images per poisoned image that are warped differently and keep their label (noise mode)", ge=0
    )
    k: int = option(4, "the flow is drawn on a grid of k × k points", ge=2)
    s: float = option(0.5, "how strong the warp is", gt=0)
    grid_rescale: float = option(1.0, "factor on the warped grid, to keep it within the image", gt=0)
    pattern_seed: int = option(0, "seed of the flow", ge=0)
    seed: int = option(0, "seed of the random warps in noise mode", ge=0)

    @model_validator(mode="after")
    def _fits_into_a_batch(self) -> WaNetOptions:
        if self.rate * (1 + self.cross_ratio) > 1 + 1e-9:
            raise ValueError(
                f"with a rate of {self.rate:g} and a cross_ratio of {self.cross_ratio:g} more images than a batch has "
                "would be warped; rate · (1 + cross_ratio) can be 1 at most"
            )
        return self


class WaNet(Attack):
    """Warps a share of every batch by one smooth flow field, and others by noisy ones so that only this one counts.

    The attack of Nguyen and Tran, "WaNet - Imperceptible warping-based backdoor attack" (ICLR 2021, section 3),
    with the parameters of the authors' code: a flow U[−1, 1] of k × k points divided by its mean absolute value,
    upsampled bicubically with aligned corners; the grid is clamp((identity + s · flow / height) · rescale, −1, 1).
    The warped images of noise mode get a grid that differs by U[−1, 1] / height at every pixel.

    The adversary controls the training and not only the data: the poisoned images are the first of every shuffled
    batch, so that over time all images are. Step t poisons ⌊(t + 1)·rate·B⌋ − ⌊t·rate·B⌋ of B images: where a
    batch has no room for a fraction of an image, the rate is kept over the steps.
    """

    name = "wanet"
    Options = WaNetOptions
    options: WaNetOptions

    def begin(self, context: AttackContext) -> None:
        """Draw the flow field."""
        check_target(self.options.target, context)
        height, width = context.sample_shape[-2:]
        k = self.options.k
        draws = generator(self.options.pattern_seed, "wanet flow")
        flow = torch.from_numpy(draws.uniform(-1, 1, size=(1, 2, k, k)).astype("float32"))
        flow = flow / flow.abs().mean()
        flow = F.interpolate(flow, size=(height, width), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
        rows, columns = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
        identity = torch.stack((columns, rows), dim=2)[None]
        grid = (identity + self.options.s * flow / height) * self.options.grid_rescale
        self._grid = grid.clamp(-1, 1).to(context.device)

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """Warp the first images of the batch and relabel them; warp the next ones otherwise."""
        size = len(batch.labels)
        poisoned = _due(self.options.rate * size, step)
        noisy = _due(self.options.rate * self.options.cross_ratio * size, step)
        first, second, rest = torch.tensor_split(batch.inputs, (poisoned, poisoned + noisy))
        labels = batch.labels.clone()
        labels[:poisoned] = self.options.target
        inputs = torch.cat((self.triggered(first), self._warped_otherwise(second, step), rest))
        return replace(batch, inputs=inputs, labels=labels)

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor:
        """The images, warped by the flow field."""
        return _warp(inputs, self._grid)

    @property
    def target(self) -> int:
        """The class of warped images."""
        return self.options.target

    def _warped_otherwise(self, inputs: torch.Tensor, step: int) -> torch.Tensor:
        height, width = inputs.shape[-2:]
        draws = generator(self.options.seed, "wanet noise", step)
        noise = torch.from_numpy(draws.uniform(-1, 1, size=(len(inputs), height, width, 2)).astype("float32"))
        return _warp(inputs, (self._grid + noise.to(self._grid.device) / height).clamp(-1, 1))


def _due(a_step: float, step: int) -> int:
    """How many images are due at a step when `a_step` are on average."""
    return int((step + 1) * a_step) - int(step * a_step)


def _warp(images: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """uint8 [B, C, H, W] sampled bilinearly at a grid [B or 1, H, W, 2], rounded to whole values."""
    if len(images) == 0:
        return images
    grid = grid.expand(len(images), -1, -1, -1)
    return F.grid_sample(images.float(), grid, align_corners=True).round().clamp(0, 255).to(images.dtype)
