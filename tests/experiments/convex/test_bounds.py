"""The bounds are never broken, at other seeds, ratios, rates and penalties than the documents show."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from auditor.base.randomness import generator
from auditor.experiments.convex.bounds import contraction, gradient_norm, poisoned_distance, sgd_distance, steps_until
from auditor.experiments.convex.descent import descend_until, sgd_distances
from auditor.experiments.convex.digits import losses
from auditor.experiments.convex.logistic import GRADIENT_NORM, LogisticLoss, MixedLoss, Values, minimiser

ROUNDING = 1 + 1e-9


def drawn(seed: int) -> LogisticLoss:
    """A loss of drawn samples, labels, sizes and penalty."""
    draws = generator(seed, "test of convex losses")
    count, features, classes = draws.integers(5, 60), draws.integers(2, 9), draws.integers(2, 6)
    samples = draws.normal(size=(count, features)) * draws.uniform(0.1, 4, size=features)
    return LogisticLoss(samples, draws.integers(classes, size=count), int(classes), float(10 ** draws.uniform(-3, 0.5)))


def pairs() -> Iterator[tuple[LogisticLoss, LogisticLoss]]:
    """Benign and poison losses, of which each has a penalty of its own."""
    for seed, (benign, poison) in enumerate([(0.003, 0.05), (0.05, 0.003), (0.3, 0.3), (2.0, 0.1)]):
        yield losses(120, seed, benign, poison, seed + 11)


@pytest.mark.parametrize("seed", range(8))
def test_derivatives_are_those_of_the_loss(seed: int) -> None:
    loss, draws = drawn(seed), generator(seed, "test of directions")
    weights, direction = draws.normal(size=loss.shape), draws.normal(size=loss.shape)
    small = 1e-5 * direction
    slope = (loss.value(weights + small) - loss.value(weights - small)) / 2
    assert slope == pytest.approx(float((loss.gradient(weights) * small).sum()), rel=1e-5, abs=1e-12)
    change = (loss.gradient(weights + small) - loss.gradient(weights - small)) / 2
    assert change.ravel() == pytest.approx(loss.hessian(weights) @ small.ravel(), rel=1e-4, abs=1e-11)
    each = [loss.sample_gradient(weights, index) for index in range(len(loss.samples))]
    assert np.mean(each, axis=0) == pytest.approx(loss.gradient(weights), abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_no_curvature_is_outside_of_what_is_claimed(seed: int) -> None:
    loss, draws = drawn(seed), generator(seed, "test of curvature")
    for size in (0.0, 0.3, 3.0):
        found = np.linalg.eigvalsh(loss.hessian(size * draws.normal(size=loss.shape)))
        assert found[0] * ROUNDING >= loss.convexity
        assert found[-1] <= loss.smoothness * ROUNDING


@pytest.mark.parametrize("seed", range(8))
def test_the_minimiser_is_one(seed: int) -> None:
    loss = drawn(seed)
    best = minimiser(loss, generator(seed, "test of starts").normal(size=loss.shape) * 5)
    assert np.linalg.norm(loss.gradient(best)) <= GRADIENT_NORM
    assert best == pytest.approx(minimiser(loss, np.zeros(loss.shape)), abs=2 * GRADIENT_NORM / loss.convexity)


@pytest.mark.parametrize("ratio", [0.001, 0.05, 0.45, 0.99])
def test_poisoning_moves_the_minimiser_no_further_than_the_bound(ratio: float) -> None:
    for benign, poison in pairs():
        best = minimiser(benign, np.zeros(benign.shape))
        mixed = MixedLoss(benign, poison, ratio)
        moved = float(np.linalg.norm(minimiser(mixed, best) - best))
        assert 0 < moved <= poisoned_distance(mixed, best) * ROUNDING


def test_the_bound_rises_with_the_ratio_where_both_losses_are_as_convex() -> None:
    benign, poison = losses(120, 3, 0.04, 0.04, 5)
    best = minimiser(benign, np.zeros(benign.shape))
    bounds = [poisoned_distance(MixedLoss(benign, poison, ratio), best) for ratio in (0.01, 0.1, 0.4, 0.9)]
    assert bounds == sorted(bounds)


@pytest.mark.parametrize("share", [0.03, 0.5, 1.0])
def test_no_step_of_gradient_descent_leaves_more_than_the_bound(share: float) -> None:
    for seed in range(10):
        loss = drawn(seed)
        best = minimiser(loss, np.zeros(loss.shape))
        start = best + generator(seed, "test of descent").normal(size=loss.shape)
        factor, rate = contraction(loss, share / loss.smoothness), share / loss.smoothness
        weights, left = start, float(np.linalg.norm(start - best))
        for _ in range(50):
            weights = weights - rate * loss.gradient(weights)
            now = float(np.linalg.norm(weights - best))
            assert now <= left * factor * ROUNDING + GRADIENT_NORM / loss.convexity
            left = now


@pytest.mark.parametrize(("ratio", "share"), [(0.02, 1.0), (0.4, 0.6), (0.8, 0.25)])
def test_gradient_descent_is_near_no_later_than_the_bound(ratio: float, share: float) -> None:
    benign, poison = losses(150, 7, 0.03, 0.06, 21)
    best = minimiser(benign, np.zeros(benign.shape))
    mixed, near, rate = MixedLoss(benign, poison, ratio), 0.03 * float(np.linalg.norm(best)), share / benign.smoothness
    taken = len(descend_until(benign, minimiser(mixed, best), best, rate, near)) - 1
    assert 0 < taken <= steps_until(near / poisoned_distance(mixed, best), contraction(benign, rate))


@pytest.mark.parametrize("rate", [0.0, -1.0, 1.01])
def test_a_rate_for_which_nothing_is_known_has_no_bound(rate: float) -> None:
    loss = drawn(1)
    with pytest.raises(ValueError, match="at most 1/L"):
        contraction(loss, rate / loss.smoothness)


def test_stochastic_gradient_descent_stays_within_the_bound_on_average() -> None:
    steps = [1, 2, 7, 60, 700]
    for number, (benign, poison) in enumerate(pairs()):
        best = minimiser(benign, np.zeros(benign.shape))
        start = minimiser(MixedLoss(benign, poison, 0.6), best)
        runs = [sgd_distances(benign, start, best, steps, 100 * number + seed) for seed in range(8)]
        bounds = [sgd_distance(benign, start, count) for count in steps]
        assert all(mean <= bound for mean, bound in zip(np.mean(runs, axis=0), bounds, strict=True))


def test_no_gradient_that_stochastic_descent_meets_is_longer_than_claimed() -> None:
    for benign, poison in pairs():
        best = minimiser(benign, np.zeros(benign.shape))
        start = minimiser(MixedLoss(benign, poison, 0.9), best)
        weights: Values = start
        draws = generator(3, "test of gradients").integers(len(benign.samples), size=200)
        for step, index in enumerate(draws.tolist(), 1):
            gradient = benign.sample_gradient(weights, index)
            assert np.linalg.norm(gradient) <= gradient_norm(benign, start) * ROUNDING
            weights = weights - gradient / (benign.convexity * step)


@pytest.mark.parametrize(
    ("share", "factor", "steps"), [(1.0, 0.5, 0), (2.0, 0.5, 0), (0.5, 0.5, 1), (0.49, 0.5, 2), (0.125, 0.5, 3)]
)
def test_steps_are_the_fewest_that_suffice(share: float, factor: float, steps: int) -> None:
    assert steps_until(share, factor) == steps
