"""The cheapest audits that catch an adversary with a wished probability.

Sub-runs are drawn independently, so that the promise holds against an adversary that watches which checkpoints are
opened (`auditor.planning.chances`). One that acts in a share f of M sub-runs acts in a = ⌈f·M⌉ of them, and is caught
with the probability c when each is replicated with

    p = (1 − (1 − c)^(1/a)) / w,

w being the power measured for n and k. The audit then costs p·(n − 1) times the steps of the training on average. For
small f that is about ln(1 / (1 − c)) / (f·w) replicated sub-runs whatever their length, so short ones are cheap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from auditor.base.seeds import Seeds
from auditor.job.errors import JobError, Problem
from auditor.job.impossibilities import MAX_SUB_RUNS
from auditor.job.model import Job
from auditor.planning.chances import acting_sub_runs, independent_catch_probability, probability_needed
from auditor.planning.measured_power import MeasuredSetting, Power, power_of
from auditor.planning.plan import Plan, make_plan

PAPER_STEPS, PAPER_PARTICIPANTS = 2000, 16
"""k and n of the source paper's headline (RTTD, arXiv 2504.00170)."""


@dataclass(frozen=True)
class Wish:
    """What an audit is to achieve.

    Attributes:
        catch: c, the probability of catching the adversary, between 0 and 1.
        share: f, the share of the sub-runs that it acts in, above 0 and at most 1.
        power: w for the job's own k and n, where it is assumed and not measured.
        against: the attacks that are to be caught; all that were measured if none are named.
    """

    catch: float
    share: float
    power: float | None = None
    against: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """An audit that fulfils a wish.

    Attributes:
        job: the job with this audit.
        plan: of that job.
        probability: p, as the job file takes it; rounded up.
        deviating: a.
        catch: what p gives; at least what was wished.
        power: w.
        measured: where it was measured; None where it is assumed.
        own: whether k and n are those of the job as it stands.
    """

    job: Job
    plan: Plan
    probability: float
    deviating: int
    catch: float
    power: float
    measured: Power | None
    own: bool

    @property
    def checkpoints(self) -> float:
        """How many checkpoints travel on average.

        For each replicated sub-run at most two are opened, n − 1 replicas get the first, and n − 1 models come back.
        """
        return self.plan.replicated * 2 * self.plan.participants

    @property
    def of_paper(self) -> float:
        """The extra steps as a fraction of those of the source paper's k and n with the same m."""
        steps = self.job.audit.sub_run_steps * (self.plan.participants - 1)
        return steps / (PAPER_STEPS * (PAPER_PARTICIPANTS - 1))

    @property
    def lines(self) -> str:
        """What to write into the job's table [audit], in place of what selects sub-runs there."""
        audit = self.job.audit
        return (
            f"sub_run_steps = {audit.sub_run_steps}\n"
            f"replicate_probability = {self.probability}\n"
            f"replicas = {self.plan.participants - 1}\n"
        )


def propose(job: Job, wish: Wish, rows: Sequence[MeasuredSetting]) -> list[Proposal]:
    """Audits of `job` that fulfil `wish`, the cheapest in extra steps first.

    They have a k and an n that was measured, or the job's own; n is at most the number of its providers.

    Raises:
        JobError: the wish is impossible, or nothing is known of the power.
    """
    _check(wish)
    measured = {
        row.sub_run_steps for row in rows if row.sub_run_steps <= job.training.steps <= row.sub_run_steps * MAX_SUB_RUNS
    }
    lengths = {job.audit.sub_run_steps, *measured}
    counts = {job.participants, *(row.participants for row in rows if row.participants <= len(job.providers))}
    if job.audit.seeds is Seeds.SHARED and len(job.providers) > 2:
        counts.add(2)  # with a third as referee
    known = [
        candidate for steps in lengths for count in counts if (candidate := _candidate(job, steps, count, wish, rows))
    ]
    if not known:
        raise JobError(job.name, [Problem(_nothing_measured(job, wish))])
    proposals = [proposal for candidate in known if (proposal := candidate.fulfil(wish)) is not None]
    if not proposals:
        raise JobError(job.name, [Problem(_out_of_reach(wish, max(known, key=lambda candidate: candidate.most)))])
    return sorted(proposals, key=lambda candidate: (candidate.plan.extra_steps, candidate.checkpoints))


@dataclass(frozen=True)
class _Candidate:
    """A k and an n whose power is known; `job` has them and replicates everything."""

    job: Job
    deviating: int
    power: float
    measured: Power | None
    own: bool

    @property
    def most(self) -> float:
        """What replicating everything would give."""
        return independent_catch_probability(self.deviating, 1.0, self.power)

    def fulfil(self, wish: Wish) -> Proposal | None:
        """With the smallest p that is enough; None where none is."""
        if self.power == 0:
            return None
        probability = _rounded_up(probability_needed(wish.catch, self.deviating, self.power))
        if probability > 1:
            return None
        chosen = _variant(self.job, self.job.audit.sub_run_steps, self.job.participants, probability)
        catch = independent_catch_probability(self.deviating, probability, self.power)
        plan = make_plan(chosen, self.power)
        return Proposal(chosen, plan, probability, self.deviating, catch, self.power, self.measured, self.own)


def _candidate(job: Job, steps: int, count: int, wish: Wish, rows: Sequence[MeasuredSetting]) -> _Candidate | None:
    everything = _variant(job, steps, count, 1.0)
    if everything.has_too_few_benign:
        return None
    own = (steps, count) == (job.audit.sub_run_steps, job.participants)
    deviating = acting_sub_runs(wish.share, everything.sub_runs)
    if own and wish.power is not None:
        return _Candidate(everything, deviating, wish.power, None, own)
    expected = probability_needed(wish.catch, deviating, 1.0) * everything.sub_runs
    measured = power_of(everything, rows, expected=expected, against=wish.against)
    return None if measured is None else _Candidate(everything, deviating, measured.value, measured, own)


def _variant(job: Job, steps: int, count: int, probability: float) -> Job:
    update = {
        "sub_run_steps": steps,
        "replicas": count - 1,
        "replicate_probability": probability,
        "replicated": None,
        "fixed_selection": None,
    }
    return job.model_copy(update={"audit": job.audit.model_copy(update=update)})


def _rounded_up(probability: float) -> float:
    """To four digits, upwards, so that what is pasted keeps the promise."""
    digits = 3 - math.floor(math.log10(probability))
    return math.ceil(probability * 10.0**digits - 1e-9) / 10.0**digits


def _check(wish: Wish) -> None:
    if not 0 < wish.catch < 1:
        wrong = "no audit catches with certainty" if wish.catch >= 1 else "the probability must be above 0"
        raise JobError(f"--catch {wish.catch:g}", [Problem(f"{wrong}; give a probability such as 0.99.")])
    if not 0 < wish.share <= 1:
        problem = "the share must be above 0 and at most 1, which is all sub-runs; give a share such as 0.1."
        raise JobError(f"--share {wish.share:g}", [Problem(problem)])
    if wish.power is not None and not 0 < wish.power <= 1:
        raise JobError(f"--power {wish.power:g}", [Problem("the power must be above 0 and at most 1, such as 0.9.")])


def _nothing_measured(job: Job, wish: Wish) -> str:
    metrics = "+".join(use.name for use in job.audit.metrics)
    against = f" against {', '.join(wish.against)}" if wish.against else ""
    return (
        f"no comparable measurement gives the power{against}. Comparable are {job.audit.seeds} seeds, "
        f"metrics {metrics}, decision {job.audit.decision}, a false alarm rate of at most "
        f"{job.audit.false_alarm_rate:g} and n of at most {len(job.providers)}. Measure it with `auditor bench` and "
        "pass its output with --measured, or assume a power, such as --power 0.9."
    )


def _out_of_reach(wish: Wish, best: _Candidate) -> str:
    weakest = best.measured
    against = f" (for {weakest.weakest}, the attack exposed least often; --against names others)" if weakest else ""
    return (
        f"even with every sub-run replicated, a provider that deviates in {100 * wish.share:g} % of them is caught "
        f"with a probability of only {math.floor(1000 * best.most) / 1000:g}{against}. Lower --catch, raise --share, "
        "or cut the training into shorter sub-runs."
    )
