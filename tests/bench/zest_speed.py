"""All pairs of models under `zest` with superpixels and 1,000 masks, against pair by pair as its authors' code does.

The authors' code computes both weights of every pair: it hands the model all masked copies of an image at once, and
solves for each image anew, by the pseudo-inverse of DᵀD in float32. The other side here follows it and shares
nothing with the metric but the masks, so that the distances can be compared. Both sides compute the same images,
in turns; the slow side a few pairs. Forward passes are all that matters, so that 128 images take as many times
longer as they are more, and all pairs as many times as they are more.

    python -m tests.bench.zest_speed --dataset tensors:cifar10.safetensors [--models 16] [--images 8] [--pairs 2]
                                     [--threads 1]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from auditor.plugins import create_plugin
from auditor.tasks.checkpoint_model import CheckpointModel
from tests.bench.sixteen_models import SubRun

PAPER_IMAGES = 128


class Overheard:
    """A model that keeps the images and masks that it is asked about, and answers as another does."""

    def __init__(self, model: CheckpointModel) -> None:
        self._model = model
        self.images = torch.empty(0)
        self.masks: list[torch.Tensor] = []

    def masked_logits(self, inputs: torch.Tensor, masks: Iterable[torch.Tensor]) -> list[torch.Tensor]:
        self.images, self.masks = inputs, list(masks)
        return self._model.masked_logits(inputs, self.masks)


def copies(prepared: torch.Tensor, masks: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """The masked copies of each image, which the authors' code prepares once and keeps."""
    return [image * kept for image, kept in zip(prepared, masks, strict=True)]


def kept_segments(masks: torch.Tensor) -> torch.Tensor:
    """D: one column for each set of pixels that are always masked together."""
    columns: NDArray[np.bool_] = np.unique(masks.flatten(1).numpy(), axis=1)
    return torch.from_numpy(columns).float()


@torch.no_grad()
def weights(model: torch.nn.Module, prepared: list[torch.Tensor], designs: list[torch.Tensor]) -> torch.Tensor:
    found = []
    for batch, d in zip(prepared, designs, strict=True):
        answers = model(batch)
        found.append(torch.pinverse(d.T @ d) @ d.T @ answers)
    return torch.cat(found)


def cosine(first: torch.Tensor, second: torch.Tensor) -> float:
    u, v = first.reshape(-1), second.reshape(-1)
    return float(1 - torch.dot(u, v) / (u.norm() * v.norm()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--models", type=int, default=16)
    parser.add_argument("--images", type=int, default=8, help="of the paper's 128; 128 for the whole")
    parser.add_argument("--masks", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=2, help="so many of all pairs on the slow side")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="1 where the cores are shared")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    options = {"segments": "superpixels", "images": given.images, "masks": given.masks}
    metric = create_plugin("metrics", "zest", options)
    with tempfile.TemporaryDirectory() as folder:
        sub_run = SubRun(Path(folder), given.dataset, given.model, given.models)
        metric.begin(sub_run.context())
        listening = Overheard(sub_run.models[0])
        metric.represent(listening)  # type: ignore[arg-type]
        prepared = copies(sub_run.trainer.network.prepare(listening.images), listening.masks)
        designs = [kept_segments(masks) for masks in listening.masks]

        known, represented, seconds = [], 0.0, 0.0
        pairs = list(combinations(range(given.models), 2))
        measured = pairs[:: max(1, len(pairs) // given.pairs)][: given.pairs]
        every = given.models // len(measured)
        apart: dict[tuple[int, int], float] = {}
        for index, model in enumerate(sub_run.models):
            begun = time.perf_counter()
            known.append(metric.represent(model))
            represented += time.perf_counter() - begun
            if index % every == 0 and len(apart) < len(measured):  # in turns, so that both see the same machine
                first, second = measured[len(apart)]
                begun = time.perf_counter()
                apart[first, second] = cosine(
                    weights(sub_run.network(first), prepared, designs),
                    weights(sub_run.network(second), prepared, designs),
                )
                seconds += time.perf_counter() - begun
        begun = time.perf_counter()
        distances = metric.compare(known).distances
        compared = time.perf_counter() - begun

    together, one = represented + compared, seconds / len(apart)
    slow, of_pairs = one * len(pairs), f"of {len(apart)} pairs, {one:.1f} s each"
    error = max(abs(distances[first][second] - value) for (first, second), value in apart.items())
    larger = PAPER_IMAGES / given.images
    print(f"{given.dataset.rpartition('/')[2]}, {given.model}, {given.models} models, {len(pairs)} pairs, ", end="")
    print(f"{given.masks:,} masks, superpixels; {torch.get_num_threads()} threads")
    print(f"{'images':>6}  {'auditor, all pairs':>24}  {'pair by pair':>36}  {'ratio':>6}")
    print(
        f"{given.images:6}  {f'{together:.1f} s (compare {compared:.3f} s)':>24}  "
        f"{f'{slow:.0f} s ({of_pairs})':>36}  {slow / together:6.1f}"
    )
    if given.images != PAPER_IMAGES:
        print(
            f"{PAPER_IMAGES:6}  {f'{(represented * larger + compared) / 60:.1f} min':>24}  "
            f"{f'{slow * larger / 60:.0f} min':>36}  {'':6}  extrapolated from {given.images} images"
        )
    print(f"largest difference of a distance between the two: {error:.1e}")


if __name__ == "__main__":
    main()
