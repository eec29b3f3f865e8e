"""The reference-clique ratio, judged by the spread among the reference providers.

For each provider, the reference clique is the group of other providers, as many as benign ones can be counted
on, whose mutual distances are smallest. The ratio is the median distance of the judged provider to them over
the median distance among them. A benign provider is one more draw of the same kind, so its ratio is near 1.

How near depends on how much honest distances scatter. Their logarithms are taken to have a spread s, estimated
within the group of providers that agrees best over all sub-runs of the run, and moderated by what is known
beforehand (as variances of few samples are in Smyth, 2004, "Linear models and empirical Bayes methods"):

    s² = (ν₀·s₀² + Σ squares) / (ν₀ + ν)

The p-value is that of (log(ratio) / s − location) / scale under Student's t, where location and scale are what
benign providers give (`calibration`). Few degrees of freedom, because honest ratios have heavy tails: now and
then an honest training takes another turn.

With the client's seeds the honest spread is numerical noise: differing processors round differently, and alike
ones do not differ at all. Nothing is estimated then; distances below the metric's measured noise floor count as
the floor, and the spread around it is the prior's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from auditor.audit.decisions.agreement import AgreementDecision
from auditor.audit.decisions.calibration import calibrate, log_ratio
from auditor.audit.decisions.clique import tightest, within
from auditor.audit.decisions.distances import Assumptions, DistanceMatrix, Distances, Judgement


@dataclass(frozen=True)
class Prior:
    """What is known of the spread of log distances before any is seen.

    Attributes:
        spread: s₀.
        weight: ν₀, how many observations it is worth.
        tail: degrees of freedom of the Student distribution that p-values are taken from.
    """

    spread: float
    weight: float
    tail: float


PROVIDER_PRIOR = Prior(spread=0.15, weight=8, tail=4)
"""With seeds of their own, honest distances scatter by 2 to 25 % (measured: ResNet-8 on digits; these constants
keep the false alarms of every metric below the asked rate there)."""

CLIENT_PRIOR = Prior(spread=0.2, weight=math.inf, tail=30)
"""With the client's seeds, noise of differing hardware scatters by tens of per cent around the floor."""


class RatioDecision:
    """See the module."""

    name = "ratio"

    def judge(self, matrices: list[DistanceMatrix], assumptions: Assumptions) -> list[Judgement]:
        """Judge every provider in every matrix, with the spread pooled over the sub-runs of each metric."""
        prior = CLIENT_PRIOR if assumptions.randomness == "client" else PROVIDER_PRIOR
        judgements: list[Judgement] = []
        for metric in dict.fromkeys(matrix.metric for matrix in matrices):
            own = [matrix for matrix in matrices if matrix.metric == metric]
            spread = prior.spread if math.isinf(prior.weight) else _spread(own, assumptions, prior)
            for matrix in own:
                judgements += _judge(matrix, assumptions, spread, prior.tail)
        return judgements

    def smallest_p_value(self, participants: int, assumptions: Assumptions) -> float:
        """0 with three participants or more: a ratio can be as large as one likes. Without a clique, 1."""
        return 0.0 if participants >= 3 else 1.0


def _judge(matrix: DistanceMatrix, assumptions: Assumptions, spread: float, tail: float) -> list[Judgement]:
    from scipy.stats import t as student

    count = len(matrix.providers)
    if count < 3:  # the others failed, or there never were more
        return AgreementDecision().judge([matrix], assumptions)
    values, note = _comparable(matrix, assumptions)
    if note:
        return [
            Judgement(matrix.sub_run, matrix.metric, provider, None, None, (), note) for provider in matrix.providers
        ]
    benign = assumptions.benign(count)
    expected = calibrate(count, benign)
    judgements = []
    for index, provider in enumerate(matrix.providers):
        logarithm, clique = log_ratio(values, index, benign)
        statistic = (logarithm / spread - expected.location) / expected.scale
        judgements.append(
            Judgement(
                matrix.sub_run,
                matrix.metric,
                provider,
                p_value=float(student.sf(statistic, tail)),
                ratio=math.exp(min(logarithm, 700.0)),
                reference=tuple(matrix.providers[member] for member in clique),
            )
        )
    return judgements


def _comparable(matrix: DistanceMatrix, assumptions: Assumptions) -> tuple[Distances, str]:
    """The distances as they are compared; and why they cannot be, if they cannot."""
    values = matrix.values
    if assumptions.randomness == "client" and matrix.noise_floor is not None:
        raised = np.maximum(values, matrix.noise_floor)
        np.fill_diagonal(raised, 0.0)
        return raised, ""
    distances = within(values, range(len(values)))
    if distances.size and distances.min() <= 0 < distances.max():
        return values, (
            "some models are equal to the last bit and nobody has measured the metric's noise, so that nothing "
            "says how far apart honest ones may be"
        )
    return values, ""


def _spread(matrices: Sequence[DistanceMatrix], assumptions: Assumptions, prior: Prior) -> float:
    """The moderated spread of log distances over the groups that agree best."""
    squares = observations = 0.0
    for matrix in matrices:
        count = len(matrix.providers)
        benign = assumptions.benign(count)
        group = tightest(matrix.values, range(count), benign)
        distances = within(matrix.values, group)
        if len(group) < 3 or distances.min() <= 0:
            continue
        # Distances that share a server are not independent: a group of g servers counts as g − 1 observations.
        shrinkage = calibrate(count, benign).shrinkage
        squares += float(np.log(distances).var(ddof=1)) / shrinkage**2 * (len(group) - 1)
        observations += len(group) - 1
    return math.sqrt((prior.weight * prior.spread**2 + squares) / (prior.weight + observations))
