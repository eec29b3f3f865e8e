"""How likely an adversary is caught, by how sub-runs are drawn and by what it learns while it trains.

Notation: of M sub-runs the adversary acts in `a`; a sub-run that it acts in and that is replicated shows it with the
probability w, the *power*; sub-runs are taken to show it independently of one another.

The primary is asked to open the checkpoints of a sub-run that is replicated, so it learns of each draw once its
commitment to that sub-run is given. It may choose when to act by what it has learnt.

**Exactly m draws** (`replicated`). The draws are exchangeable, and whether to act in a sub-run is decided before its
own draw is known. However the adversary chooses its `a` sub-runs, the draws there are therefore distributed as those
of the first `a` (predictable sampling, Kallenberg, 1988, "Spreading and predictable sampling in exchangeable
sequences and processes"). If it must act `a` times, watching gains it nothing:

    P(not caught) = E[(1 − w)^J],   J hypergeometric;   for w = 1 it is C(M − a, m) / C(M, m).

But it need not act. One that waits until m checkpoints have been opened knows that the rest goes unchecked. It finds
at least `a` such sub-runs with the probability C(M − a, m) / C(M, m), as often as an adversary that takes every risk
gets away under w = 1, and is never caught. On average (M − m) / (m + 1) sub-runs are free for it.

**Independent draws** with probability p (`replicate_probability`). No draw depends on
another, so after any history an adversary that acts `a` more times is caught with

    P(caught) = 1 − (1 − p·w)^a.

No moment is without risk. For one act no scheme is cheaper: an adversary that acts where the conditional probability
of a draw is smallest is caught with at most that probability, times w, and if it is at least p always, the expected
number of draws is at least p·M.

**One draw in each block** of B = M / m sub-runs is worse than both. After the draw the rest of its block is known to
be free: (B − 1) / 2 sub-runs of each block on average, so an adversary that acts in a share of up to about
(B − 1) / (2B) of all sub-runs, nearly half of them, can keep to free ones and is hardly ever caught.
"""

from __future__ import annotations

import math


def acting_sub_runs(share: float, sub_runs: int) -> int:
    """a: in how many sub-runs an adversary acts that acts in a share of them; rounded up, at least one."""
    return max(1, min(sub_runs, math.ceil(share * sub_runs - 1e-9)))


def catch_probability(sub_runs: int, deviating: int, replicated: int, power: float = 1.0) -> float:
    """The probability of catching an adversary that acts in `deviating` sub-runs, when exactly m are replicated.

    With a power of 1 it is the probability that at least one of the deviating sub-runs is replicated.
    """
    if power == 1:
        return 1 - free_ride_probability(sub_runs, deviating, replicated)
    if power == 0:
        return 0.0
    fewest, most = max(0, replicated - (sub_runs - deviating)), min(deviating, replicated)
    whole = _log_comb(sub_runs, replicated)
    missed = (
        math.exp(
            _log_comb(deviating, hit)
            + _log_comb(sub_runs - deviating, replicated - hit)
            - whole
            + hit * math.log1p(-power)
        )
        for hit in range(fewest, most + 1)
    )
    return min(1.0, max(0.0, 1 - math.fsum(missed)))


def independent_catch_probability(deviating: int, probability: float, power: float = 1.0) -> float:
    """The same when each sub-run is replicated with probability p, whatever the adversary has seen: 1 − (1 − p·w)^a."""
    return 1 - (1 - probability * power) ** deviating


def free_ride_probability(sub_runs: int, deviating: int, replicated: int) -> float:
    """The probability that an adversary that waits for m openings finds a unchecked sub-runs: C(M − a, m) / C(M, m)."""
    # As a product of as few factors as can be: the binomials of some thousand sub-runs have thousands of digits.
    fewer, more = sorted((deviating, replicated))
    if fewer + more > sub_runs:
        return 0.0
    return math.prod((sub_runs - more - index) / (sub_runs - index) for index in range(fewer))


def free_share(sub_runs: int, replicated: int) -> float:
    """The share of the training that comes after the last of exactly m draws, on average: (M − m) / ((m + 1)·M).

    The m draws leave M − m sub-runs in m + 1 gaps that are equally long on average.
    """
    return (sub_runs - replicated) / ((replicated + 1) * sub_runs)


def probability_needed(catch: float, deviating: int, power: float) -> float:
    """The p of independent draws that catches an adversary that acts in a sub-runs: (1 − (1 − catch)^(1/a)) / w.

    Above 1 where even replicating everything catches with less than `catch`.
    """
    return -math.expm1(math.log1p(-catch) / deviating) / power


def _log_comb(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)
