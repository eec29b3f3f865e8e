"""`zest` is its authors' definition, whatever samples are cut into."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.segmentation import quickshift

from auditor.plugins import ReturnedModel, generator
from tests.plugins.metrics.begun import begun, distance
from tests.plugins.models import CONTEXT, Models


class Recorder:
    """A model that remembers the masks that it was shown; answers as the one that it wraps."""

    def __init__(self, model: ReturnedModel) -> None:
        self._model = model
        self.parameters = model.parameters
        self.start_parameters = model.start_parameters
        self.buffers = model.buffers
        self.optimizer_state = model.optimizer_state
        self.pieces = model.pieces
        self.logits = model.logits
        self.features = model.features
        self.activations = model.activations
        self.differentiable = model.differentiable
        self.shown: list[tuple[torch.Tensor, torch.Tensor]] = []

    def masked_logits(self, inputs: torch.Tensor, masks: Iterable[torch.Tensor]) -> list[torch.Tensor]:
        known = list(masks)
        answers = self._model.masked_logits(inputs, known)
        self.shown = list(zip(known, answers, strict=True))
        return answers


def least_squares(masks: torch.Tensor, segments: NDArray[Any], answers: torch.Tensor) -> NDArray[np.float64]:
    """The weights of one image, class by class, by a solver of its own.

    Also makes sure that the masks are those of the segments: each segment kept or left out as a whole, and
    nothing left out of the first copy.
    """
    places = [np.argwhere(segments == segment)[0] for segment in np.unique(segments)]
    kept = np.stack([masks[:, 0, row, column].numpy() for row, column in places], axis=1)
    assert kept[0].all()
    assert (masks[:, 0].numpy() == kept[:, np.unique(segments, return_inverse=True)[1].reshape(segments.shape)]).all()
    weights = []
    for label in range(answers.shape[1]):
        solution, _, rank, _ = np.linalg.lstsq(kept.astype(float), answers[:, label].double().numpy(), rcond=None)
        assert rank == len(places)
        weights.append(solution)
    return np.stack(weights, axis=1).reshape(-1)


def in_cells(image: torch.Tensor) -> NDArray[Any]:
    return np.arange(16).reshape(4, 4).repeat(2, 0).repeat(2, 1)  # 8×8 pixels in 4×4 cells of 2×2


def in_superpixels(image: torch.Tensor) -> NDArray[Any]:
    colours = np.repeat(image.permute(1, 2, 0).numpy().astype(float), 3, axis=2)
    found: NDArray[Any] = quickshift(colours, kernel_size=4, ratio=0.2, max_dist=200)
    return found


@pytest.mark.parametrize("segments", ["grid", "superpixels"])
def test_zest_weights_are_those_of_least_squares_on_the_masks(segments: str, models: Models) -> None:
    metric = begun("zest", images=4, masks=40, segments=segments)
    recorder = Recorder(models["one"])
    weights = metric.represent(recorder).numpy()
    cut = in_cells if segments == "grid" else in_superpixels
    expected = [
        least_squares(masks, cut(image), answers)
        for image, (masks, answers) in zip(CONTEXT.reference, recorder.shown, strict=False)
    ]
    assert len(expected) == 4
    np.testing.assert_allclose(weights, np.concatenate(expected), atol=1e-9)


@pytest.mark.parametrize("norm", ["cosine", "l1", "l2", "linf"])
def test_zest_compares_weights_by_the_chosen_norm(norm: str, models: Models) -> None:
    metric = begun("zest", images=2, masks=40, norm=norm)
    one, other = (metric.represent(models[name]) for name in ("one", "other"))
    u, v = one.numpy(), other.numpy()
    expected = {
        "cosine": 1 - float(u @ v) / float(np.linalg.norm(u) * np.linalg.norm(v)),
        "l1": float(np.abs(u - v).sum()),
        "l2": float(np.linalg.norm(u - v)),
        "linf": float(np.abs(u - v).max()),
    }[norm]
    assert metric.distance(one, other) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_zest_refuses_fewer_masks_than_segments() -> None:
    with pytest.raises(ValueError, match="20 masks cannot determine 64 segments"):
        begun("zest", masks=20, cells=100)


def test_zest_refuses_images_that_are_not_cut() -> None:
    with pytest.raises(ValueError, match="samples of 1×8×8 are not cut into segments"):
        begun("zest", cells=1)
    flat = replace(CONTEXT, reference=torch.zeros_like(CONTEXT.reference))
    with pytest.raises(ValueError, match="take a grid"):
        begun("zest", flat, segments="superpixels")


def test_zest_refuses_superpixels_of_texts() -> None:
    texts = replace(CONTEXT, task="text", reference=torch.tensor([[5, 3, 8], [4, 9, 0]]))
    with pytest.raises(ValueError, match="texts are cut into words"):
        begun("zest", texts, segments="superpixels")


def test_zest_takes_superpixels_of_images_without_three_colours(models: Models) -> None:
    two = replace(CONTEXT, reference=CONTEXT.reference.repeat(1, 2, 1, 1))
    begun("zest", two, segments="superpixels")
    found = distance(begun("zest", segments="superpixels", images=2), models["one"], models["other"])
    assert found > 0


class BagOfWords(Recorder):
    """A model whose outputs are the sums of a vector for each token; padding has none."""

    VECTORS = torch.from_numpy(generator(3, "vectors").normal(size=(10, 4)))
    VECTORS[0] = 0

    def masked_logits(self, inputs: torch.Tensor, masks: Iterable[torch.Tensor]) -> list[torch.Tensor]:
        return [self.VECTORS[text * kept].sum(dim=1) for text, kept in zip(inputs, masks, strict=True)]


def test_zest_finds_what_each_token_of_a_text_adds(models: Models) -> None:
    texts = torch.tensor([[5, 3, 8, 0, 0, 0], [0, 0, 0, 0, 0, 0], [4, 4, 9, 2, 7, 6]])
    metric = begun("zest", replace(CONTEXT, task="text", reference=texts), words=3, masks=24)
    found = metric.represent(BagOfWords(models["one"])).reshape(-1, 4)
    vectors = BagOfWords.VECTORS
    pairs = [vectors[[4, 4]].sum(0), vectors[[9, 2]].sum(0), vectors[[7, 6]].sum(0)]
    torch.testing.assert_close(found, torch.stack([vectors[5], vectors[3], vectors[8], *pairs]))
