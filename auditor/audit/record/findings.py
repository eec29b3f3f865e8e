"""What an audit finds, in the form in which events keep it and everything that shows an audit reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from auditor.decisions.noise import hides_attack

Verdict = Literal["consistent", "flagged", "inconclusive", "unreachable"]
Outcome = Literal["clean", "flagged", "inconclusive"]


@dataclass(frozen=True)
class RecordedJudgement:
    """What one metric says of one provider in one sub-run, beside the threshold that it is held against.

    Attributes:
        metric: which metric.
        provider: the provider that is judged.
        p_value: see `Judgement`; None when the rule cannot tell.
        ratio: see `Judgement`; None when there is no reference.
        note: why there is no p-value; empty when there is one.
        noise: the noise that is allowed for (see `Judgement`); None where it is not known.
        threshold: the p-value at which this judgement flags the provider by itself; None where there is none, or in
            runs of versions that did not record it.
        deviates: whether it flags the provider by itself; None in runs of versions that did not record it.
    """

    metric: str
    provider: str
    p_value: float | None
    ratio: float | None
    note: str
    noise: float | None = None
    threshold: float | None = None
    deviates: bool | None = None

    @property
    def blind(self) -> bool:
        """Whether an attack would fit in the noise that is allowed for."""
        return hides_attack(self.noise)


@dataclass(frozen=True)
class ProviderVerdict:
    """What the audit says of one provider.

    Attributes:
        name: the provider's.
        verdict: see `Verdict`.
        p_value: of all evidence together; None when there is none.
        ratio: the largest of its ratios; None when there is none.
        sub_runs_checked: the number of replicated sub-runs that say something about it.
        reasons: why, in plain words.
    """

    name: str
    verdict: Verdict
    p_value: float | None
    ratio: float | None
    sub_runs_checked: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """What an audited training took.

    Attributes:
        training_steps: that the primary executed.
        extra_steps: that replicas executed.
        overhead: extra steps as a share of training steps.
        seconds: spent on the audit, interruptions left out.
        bytes: of the checkpoints that travelled.
        dollars: at the providers' prices; None where a price is missing.
    """

    training_steps: int
    extra_steps: int
    overhead: float
    seconds: float
    bytes: int
    dollars: float | None
