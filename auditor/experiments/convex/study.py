"""Computes what the theory bounds, and the bounds."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from auditor.experiments.convex.bounds import contraction, poisoned_distance, sgd_distance, steps_until
from auditor.experiments.convex.descent import descend_until, sgd_distances
from auditor.experiments.convex.digits import losses
from auditor.experiments.convex.logistic import LogisticLoss, MixedLoss, Values, minimiser
from auditor.experiments.convex.specification import TheoryStudy
from auditor.experiments.progress import Progress


@dataclass(frozen=True)
class Return:
    """Gradient descent on benign data, from a poisoned minimiser.

    Attributes:
        rate: as a share of 1/L.
        distances: to the benign minimiser, before the first step and after each, until it is near.
        contraction: the most that a step leaves of them.
        steps: after which it is near; None where it was given up.
        bound: the steps after which it must be near.
    """

    rate: float
    distances: tuple[float, ...]
    contraction: float
    steps: int | None
    bound: int


@dataclass(frozen=True)
class Poisoning:
    """One share of poisoned samples.

    Attributes:
        convexity: μ.
        ratio: ε.
        distance: ‖w_ε − w_b‖.
        bound: the most that it can be.
        accuracy: of w_ε on the digits.
        success: the share of digits with the trigger, of other classes, that it gives the target.
        returns: at each rate.
    """

    convexity: float
    ratio: float
    distance: float
    bound: float
    accuracy: float
    success: float
    returns: tuple[Return, ...]


@dataclass(frozen=True)
class Stochastic:
    """Stochastic gradient descent on benign data with the rate 1/(μ·t), from the most poisoned minimiser.

    Attributes:
        convexity: μ.
        ratio: ε of where it starts.
        steps: T.
        mean: of ‖w_T − w_b‖² over repetitions.
        bound: the most that its expectation can be.
    """

    convexity: float
    ratio: float
    steps: int
    mean: float
    bound: float


@dataclass(frozen=True)
class TheoryFindings:
    """Everything that was computed.

    Attributes:
        poisonings: for each μ, and for each ε in ascending order.
        stochastic: for each μ, and for each T in ascending order.
    """

    poisonings: tuple[Poisoning, ...]
    stochastic: tuple[Stochastic, ...]


def carry_out_theory(study: TheoryStudy) -> Generator[Progress, None, TheoryFindings]:
    """Compute everything, telling how far it is."""
    stage, unit = "minimising and descending", "losses"
    total, done = len(set(study.convexities)) * (len(set(study.ratios)) + 1), 0
    yield Progress(stage, done, total, unit)
    poisonings: list[Poisoning] = []
    stochastic: list[Stochastic] = []
    for convexity in sorted(set(study.convexities)):
        benign, poison = losses(study.samples, study.target, convexity, convexity, study.seed)
        best = minimiser(benign, np.zeros(benign.shape))
        poisoned = best
        for ratio in sorted(set(study.ratios)):
            mixed = MixedLoss(benign, poison, ratio)
            poisoned = minimiser(mixed, poisoned)
            poisonings.append(_poisoning(study, mixed, best, poisoned))
            yield Progress(stage, done := done + 1, total, unit)
        stochastic += _stochastic(study, benign, best, poisoned)
        yield Progress(stage, done := done + 1, total, unit)
    return TheoryFindings(tuple(poisonings), tuple(stochastic))


def _poisoning(study: TheoryStudy, mixed: MixedLoss, best: Values, poisoned: Values) -> Poisoning:
    benign, poison = mixed.benign, mixed.poison
    bound = poisoned_distance(mixed, best)
    near = study.near * float(np.linalg.norm(best))
    others = benign.labels != study.target
    return Poisoning(
        benign.convexity,
        mixed.ratio,
        float(np.linalg.norm(poisoned - best)),
        bound,
        float((benign.predictions(poisoned, benign.samples) == benign.labels).mean()),
        float((poison.predictions(poisoned, poison.samples[others]) == study.target).mean()),
        tuple(_return(benign, best, poisoned, share, near, bound) for share in sorted(set(study.rates))),
    )


def _return(benign: LogisticLoss, best: Values, poisoned: Values, share: float, near: float, bound: float) -> Return:
    rate = share / benign.smoothness
    distances = descend_until(benign, poisoned, best, rate, near)
    factor = contraction(benign, rate)
    steps = len(distances) - 1 if distances[-1] <= near else None
    return Return(share, tuple(distances), factor, steps, steps_until(near / bound, factor))


def _stochastic(study: TheoryStudy, benign: LogisticLoss, best: Values, poisoned: Values) -> list[Stochastic]:
    steps = sorted(set(study.sgd_steps))
    runs = [
        sgd_distances(benign, poisoned, best, steps, study.seed + repetition) for repetition in range(study.repetitions)
    ]
    means = np.mean(runs, axis=0).tolist()
    return [
        Stochastic(benign.convexity, max(study.ratios), count, mean, sgd_distance(benign, poisoned, count))
        for count, mean in zip(steps, means, strict=True)
    ]
