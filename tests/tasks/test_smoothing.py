"""Randomised smoothing votes over noisy copies, in a way that does not depend on what else is asked."""

from __future__ import annotations

import pytest
import torch

from auditor.tasks.smoothing import noisy, smoothed


def bright(images: torch.Tensor) -> torch.Tensor:
    """Class 1 for images that are brighter than the middle."""
    means = images.float().flatten(1).mean(1)
    return torch.stack((127.5 - means, means - 127.5), 1)


IMAGES = torch.stack([torch.full((1, 8, 8), value, dtype=torch.uint8) for value in (0, 100, 126, 129, 200, 255)])


def test_the_majority_of_the_copies_is_the_answer() -> None:
    shares = smoothed(bright, 8.0, copies=200, seed=1)(IMAGES)
    assert shares.argmax(1).tolist() == [0, 0, 0, 1, 1, 1]
    assert torch.allclose(shares.sum(1), torch.ones(6))
    assert shares[1].tolist() == [1, 0]
    assert 0 < float(shares[2, 1]) < 0.5 < float(shares[3, 1]) < 1  # near the boundary the copies disagree


def test_an_image_gets_the_same_answer_whatever_else_is_asked() -> None:
    answer = smoothed(bright, 16.0, copies=8, seed=2)
    together = answer(IMAGES)
    assert torch.equal(torch.cat([answer(image[None]) for image in IMAGES]), together)
    assert torch.equal(answer(IMAGES), together)
    assert not torch.equal(smoothed(bright, 16.0, copies=8, seed=3)(IMAGES), together)


def test_noise_has_its_size_and_stays_in_an_image() -> None:
    grey = torch.full((1, 3, 64, 64), 128, dtype=torch.uint8)
    first, second = noisy(grey, 10, 0, 0), noisy(grey, 10, 0, 1)
    assert first.dtype == torch.uint8
    assert float(first.float().std()) == pytest.approx(10, rel=0.05)
    assert not torch.equal(first, second)
    black = noisy(torch.zeros_like(grey), 10, 0, 0)
    assert float((black == 0).float().mean()) > 0.4


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="only images can be smoothed"):
        smoothed(bright, 1.0)(torch.ones(2, 5, dtype=torch.int64))
