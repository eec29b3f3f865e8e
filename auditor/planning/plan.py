"""What an audit will do, cost and catch, computed before anything is started."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from auditor.base.seeds import Seeds
from auditor.job.model import Job
from auditor.planning.chances import (
    acting_sub_runs,
    catch_probability,
    free_ride_probability,
    free_share,
    independent_catch_probability,
)
from auditor.plugins.serving import serves_another

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
"""The shares f of deviating sub-runs that the plan tabulates."""


REHEARSALS = 4
"""In how many ways the client executes each replicated sub-run with shared seeds (`auditor.tasks.rehearsal`)."""


@dataclass(frozen=True)
class Plan:
    """An audit before it starts.

    Attributes:
        name: of the job.
        boundaries: the steps at which checkpoints are committed, from 0 to the last step.
        replicated: m; the expected number, when each sub-run is drawn with a probability.
        participants: n.
        benign: how many of the n are counted on.
        training_steps: what the client pays for in any case.
        extra_steps: m·k·(n − 1), what the audit adds.
        client_steps: what the client itself executes to measure numerical noise; 0 with seeds of the providers' own.
        dollars_per_hour: (primary, mean of the replicas), or None when a price is missing.
        power: w, how likely a replicated sub-run shows an adversary who acts in it; None where it is not known.
        catch: for (f, m), P(caught) if the power is known; else P(at least one sub-run that it acts in is replicated).
        free_ride: for f, the probability that a primary that watches which checkpoints are opened finds f·M sub-runs
            that it knows to be unchecked; 0 where draws are independent.
        warnings: what such a primary can make of how sub-runs are drawn, and what no audit covers, each a sentence.
    """

    name: str
    boundaries: tuple[int, ...]
    replicated: float
    participants: int
    benign: int
    training_steps: int
    extra_steps: float
    client_steps: float
    dollars_per_hour: tuple[float, float] | None
    power: float | None
    catch: dict[float, dict[int, float]]
    free_ride: dict[float, float]
    warnings: tuple[str, ...]

    @property
    def sub_runs(self) -> int:
        """How many sub-runs the training is cut into."""
        return len(self.boundaries) - 1

    @property
    def share(self) -> float:
        """The share of the sub-runs that is replicated."""
        return self.replicated / self.sub_runs

    @property
    def overhead(self) -> float:
        """Extra steps as a fraction of the training steps."""
        return self.extra_steps / self.training_steps

    def dollars(self, steps_per_second: float) -> tuple[float, float] | None:
        """(training, audit) in dollars, for providers that execute `steps_per_second`."""
        if self.dollars_per_hour is None:
            return None
        primary, replica = self.dollars_per_hour
        hours = 1 / (3600 * steps_per_second)
        return self.training_steps * primary * hours, self.extra_steps * replica * hours

    @property
    def relative_price(self) -> float | None:
        """The cost of the audit as a fraction of the cost of the training; the providers' speed cancels out."""
        if self.dollars_per_hour is None or self.dollars_per_hour[0] == 0:
            return None
        primary, replica = self.dollars_per_hour
        return self.overhead * replica / primary


def boundaries(steps: int, sub_run_steps: int) -> tuple[int, ...]:
    """The steps at which a training is cut: 0, k, 2k, … and the last step."""
    return (*range(0, steps, sub_run_steps), steps)


def sub_run_length(index: int, steps: int, sub_run_steps: int) -> int:
    """The steps of one sub-run: k, or what is left for the last.

    Args:
        index: of the sub-run, counted from 0.
        steps: of the whole training.
        sub_run_steps: k.
    """
    start = index * sub_run_steps
    return min(steps, start + sub_run_steps) - start


def make_plan(job: Job, power: float | None = None, together: tuple[int, float] | None = None) -> Plan:
    """Plan an audit of `job`.

    Args:
        job: with registered names looked up or not.
        power: how likely a replicated sub-run shows an adversary who acts in it, if that is known.
        together: m, and how likely m sub-runs judged together show an adversary who acts in all, if that is known.
    """
    cuts = boundaries(job.training.steps, job.audit.sub_run_steps)
    lengths = [end - start for start, end in pairwise(cuts)]
    if job.audit.fixed_selection is not None:
        replicated = float(len(set(job.audit.fixed_selection)))
        checked_steps: float = sum(lengths[index] for index in set(job.audit.fixed_selection))
    else:
        probability = job.audit.replicate_probability
        replicated = probability * len(lengths) if probability is not None else float(job.replicated or 0)
        checked_steps = replicated * sum(lengths) / len(lengths)
    return Plan(
        name=job.name,
        boundaries=cuts,
        replicated=replicated,
        participants=job.participants,
        benign=job.benign,
        training_steps=job.training.steps,
        extra_steps=checked_steps * job.replicas,
        client_steps=checked_steps * REHEARSALS if job.audit.seeds is Seeds.SHARED else 0.0,
        dollars_per_hour=_prices(job),
        power=power,
        catch=_catch_table(job, len(lengths), power, together),
        free_ride=_free_rides(job, len(lengths)),
        warnings=(*_warnings(job, len(lengths)), *_served(job)),
    )


def _catch_table(
    job: Job, sub_runs: int, known: float | None, together: tuple[int, float] | None
) -> dict[float, dict[int, float]]:
    """P(caught) for each share f, and for each of a few m around the job's own.

    With a replication probability the sub-runs are drawn independently and the table has one column, keyed by the
    expected m. A provider that acts in every sub-run is caught as often as was measured for m sub-runs judged
    together, if that was measured.
    """
    power = 1.0 if known is None else known
    deviating = {share: acting_sub_runs(share, sub_runs) for share in SHARES}
    probability = job.audit.replicate_probability
    if probability is not None:
        expected = round(probability * sub_runs)
        return {
            share: {expected: independent_catch_probability(count, probability, power)}
            for share, count in deviating.items()
        }
    own = job.replicated or 0
    columns = sorted({max(1, own // 2), own, *(min(sub_runs, own * factor) for factor in (2, 4))} - {0})
    table = {
        share: {m: catch_probability(sub_runs, count, m, power) for m in columns} for share, count in deviating.items()
    }
    if known is not None and together is not None:
        table[1.0] |= {m: together[1] for m in columns if m >= together[0]}
    return table


def _free_rides(job: Job, sub_runs: int) -> dict[float, float]:
    if job.replicated is None:
        return dict.fromkeys(SHARES, 0.0)
    return {
        share: free_ride_probability(sub_runs, acting_sub_runs(share, sub_runs), job.replicated) for share in SHARES
    }


def _served(job: Job) -> tuple[str, ...]:
    return tuple(
        f"{provider.name} simulates {provider.attack.name}, which answers behind an API with another function than the "
        "model that it delivers. No audit of checkpoints covers what is served."
        for provider in job.providers
        if provider.attack is not None and serves_another(provider.attack.name, provider.attack.options, job.plugins)
    )


def _warnings(job: Job, sub_runs: int) -> tuple[str, ...]:
    m = job.replicated
    if m is None or m == sub_runs or job.audit.fixed_selection is not None:  # the last has a warning of its own
        return ()
    probability = math.ceil(1000 * m / sub_runs) / 1000
    free = 100 * free_share(sub_runs, m)
    return (
        f"The primary sees which sub-runs are opened. Once it has counted {m}, it can cheat unchecked in the rest, on "
        f"average {free:.{1 if free < 10 else 0}f} % of the training. replicate_probability = {probability:g} costs "
        f"about as much as replicated = {m} and leaves no such rest.",
    )


def _prices(job: Job) -> tuple[float, float] | None:
    replicas = [provider.price_per_hour for provider in job.others]
    if job.primary.price_per_hour is None or any(price is None for price in replicas):
        return None
    known = [price for price in replicas if price is not None]
    return job.primary.price_per_hour, sum(known) / len(known)
