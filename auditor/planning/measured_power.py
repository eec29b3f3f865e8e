"""What was measured of an audit's power: how often replicated sub-runs show an adversary who acts in them.

`measured_power.json` holds rows as `auditor bench --json` writes them, one for each setting that was measured. A row
says something about a job only where it is not more favourable than the job: the same kind of task, seeds,
decision and metrics, no more replicated sub-runs, no more providers, no larger share of benign ones, and sub-runs that
are no easier to judge. With the client's seeds numerical noise grows faster with k than deviations do, so that is k as
long or longer; with the providers' own seeds deviations have to grow out of the noise, so it is k as short or shorter.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from auditor.base.seeds import Seeds, seeds_of
from auditor.base.user_file import UserFileError, read_user_text
from auditor.job.errors import JobError, Problem, nearest
from auditor.job.model import Job
from auditor.planning import choose
from auditor.planning.choice import budget_of
from auditor.planning.plan import Plan, make_plan

SHIPPED = Path(__file__).with_name("measured_power.json")
"""What comes with auditor."""

MAX_BYTES = 1 << 26
"""Some ten thousand settings; a larger file is something else."""

Probability = Annotated[float, Field(ge=0, le=1)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class MeasuredRate(_Row):
    """`count` of `of`, with the exact 95 % interval; None if `of` is 0."""

    count: Annotated[int, Field(ge=0)]
    of: Annotated[int, Field(ge=0)]
    rate: Probability | None
    low: Probability | None
    high: Probability | None


class MeasuredSetting(_Row):
    """A setting that was measured.

    Attributes:
        bench: the benchmark.
        task_kind: the kind of task.
        task: what was learned, and by which model, in words.
        seeds: whether all members trained with the same.
        sub_run_steps: k.
        participants: n.
        malicious: how many of the n were.
        history: who trained the checkpoints that sub-runs started from: honest providers, or the adversary itself.
        referee: whether two executed a sub-run, and the third was asked only where they disagreed.
        replicated: m.
        metrics: judged together, each a table with its name and options.
        decision: the rule.
        false_alarm_rate: that it was asked for.
        true_positives: malicious providers that were flagged.
        false_positives: benign ones that were.
        attacks: those flagged, by attack.
        malicious_models: how many differing models the malicious providers returned, by attack. Judgements are more,
            and not independent.
    """

    bench: str
    task_kind: str
    task: str = ""
    seeds: Annotated[Seeds, Field(strict=False)]
    sub_run_steps: Annotated[int, Field(gt=0)]
    participants: Annotated[int, Field(ge=2)]
    malicious: Annotated[int, Field(ge=0)]
    history: Literal["honest", "attacked"] = "honest"
    referee: bool = False
    replicated: Annotated[int, Field(gt=0)]
    metrics: tuple[dict[str, Any], ...]
    decision: str
    false_alarm_rate: Annotated[float, Field(gt=0, lt=1)]
    true_positives: MeasuredRate
    false_positives: MeasuredRate
    attacks: dict[str, MeasuredRate]
    malicious_models: dict[str, Annotated[int, Field(ge=0)]] = {}

    @property
    def where(self) -> str:
        """On what it was measured."""
        return self.task or self.bench

    @property
    def benign(self) -> int:
        """How many of the n were benign."""
        return self.participants - self.malicious

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """Rows of before name the seeds by who drew them."""
        if isinstance(value, dict) and "randomness" in value:
            return {"seeds": seeds_of(value["randomness"]), **value}
        return value


@dataclass(frozen=True)
class Power:
    """What a measured setting says of a job.

    Attributes:
        value: w, the lower end of the 95 % interval over judgements, for the attack that was seen least. The adversary
            chooses its attack, so a mean over attacks would promise too much.
        weakest: that attack.
        attacks: how many attacks the guarantee covers.
        setting: where it was measured.
        unseen: attacks that it does not cover, because not one of them was ever seen there.
    """

    value: float
    weakest: str
    attacks: int
    setting: MeasuredSetting
    unseen: tuple[str, ...] = ()

    def payload(self) -> dict[str, Any]:
        """As JSON can hold it."""
        setting = self.setting.model_dump(mode="json")
        return {
            "value": self.value,
            "weakest": self.weakest,
            "attacks": self.attacks,
            "unseen": self.unseen,
            "setting": setting,
        }


def read_measurements(path: Path = SHIPPED) -> tuple[MeasuredSetting, ...]:
    """Read rows: a JSON list, or JSON lines as `auditor bench --json` writes them; other kinds of rows are left out.

    Raises:
        JobError: the file cannot be read, or is something else.
    """
    try:
        text = read_user_text(path, MAX_BYTES)
        values = json.loads(text) if text.lstrip().startswith("[") else list(map(json.loads, text.splitlines()))
        rows = TypeAdapter(list[dict[str, Any]]).validate_python(values)
        return tuple(MeasuredSetting.model_validate(row) for row in rows if row.get("kind") == "setting")
    except UserFileError as error:
        problem = f"{error}."
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        problem = f"is not what `auditor bench --json` writes: {key}: {first['msg']}."
    except (ValueError, RecursionError):
        problem = "is not what `auditor bench --json` writes: it is no JSON."
    raise JobError(str(path), [Problem(problem)])


def power_of(
    job: Job,
    rows: Sequence[MeasuredSetting],
    *,
    expected: float = 1.0,
    against: Sequence[str] = (),
    seen_only: bool = False,
) -> Power | None:
    """The power of one sub-run that starts from an honest checkpoint, measured nearest to a job's setting.

    None where nothing comparable was measured.

    Nearest is first what was measured with the job's own model, then the k of the smallest ratio, then n, then the
    number of benign providers, then the false-alarm rate of one sub-run.

    Args:
        job: whose setting it is.
        rows: what was measured.
        expected: m, as far as it is known.
        against: the attacks that count; all that were measured if none are named.
        seen_only: whether attacks that were never seen do not count, and are named instead. An audit that cannot see
            one attack may be worth its price for the others.
    """
    rate = job.audit.false_alarm_rate / max(1.0, expected)
    alone = [row for row in rows if row.replicated == 1 and row.history == "honest" and _is_comparable(row, job)]
    return _first(sorted(alone, key=lambda row: _distance(row, job, rate)), against, seen_only)


@dataclass(frozen=True)
class KnownPower:
    """What was measured of audits like a job's.

    Attributes:
        alone: the power of one replicated sub-run; None where nothing comparable was measured.
        together: that of several judged together, against who acts in all of them; likewise.
    """

    alone: Power | None
    together: Power | None

    def plan(self, job: Job) -> Plan:
        """The plan of the job, with what is known."""
        several = None if self.together is None else (self.together.setting.replicated, self.together.value)
        return make_plan(job, None if self.alone is None else self.alone.value, several)


def known_power(job: Job, rows: Sequence[MeasuredSetting], against: Sequence[str] = ()) -> KnownPower:
    """What was measured of audits like a job's; attacks that were never seen are left out unless they are named.

    Args:
        job: whose plan it is for.
        rows: what was measured.
        against: the attacks that count; all that were measured if none are named.
    """
    expected, seen_only = float(budget_of(job).sub_runs), not against
    return KnownPower(
        power_of(job, rows, expected=expected, against=against, seen_only=seen_only),
        power_together(job, rows, against=against, seen_only=seen_only),
    )


def power_together(
    job: Job, rows: Sequence[MeasuredSetting], *, against: Sequence[str] = (), seen_only: bool = False
) -> Power | None:
    """The power of several sub-runs judged together, against who acts in all of them.

    Who acts in all of them has acted before, so only what was measured with checkpoints of the adversary's own counts.
    It is None where nothing comparable was measured; where a job does not say beforehand how many sub-runs there will
    be; and with the client's seeds, where sub-runs are judged one by one. Nearest is first what was measured with the
    job's own model, then the largest number of sub-runs that the job has, too, then as in `power_of`.

    Args:
        job: whose setting it is.
        rows: what was measured.
        against: the attacks that count; all that were measured if none are named.
        seen_only: as in `power_of`.
    """
    budget = budget_of(job)
    if not budget.exact or not budget.adds_up or job.audit.replicated_at_most is not None:
        return None
    several = [
        row
        for row in rows
        if 1 < row.replicated <= budget.sub_runs and row.history == "attacked" and _is_comparable(row, job)
    ]
    return _first(sorted(several, key=lambda row: _distance(row, job, job.audit.false_alarm_rate)), against, seen_only)


def _distance(row: MeasuredSetting, job: Job, rate: float) -> tuple[bool, int, float, int, float, bool, float]:
    participants, benign = _judging(job)
    return (
        job.task.model_name not in row.task.split(),
        -row.replicated,
        abs(math.log(row.sub_run_steps / job.audit.sub_run_steps)),
        participants - row.participants,
        benign / participants - row.benign / row.participants,
        row.false_alarm_rate > rate,
        abs(math.log(row.false_alarm_rate / rate)),
    )


def _first(rows: Sequence[MeasuredSetting], against: Sequence[str], seen_only: bool) -> Power | None:
    """What the first row says that has measured all attacks that count."""
    for row in rows:
        lows = {name: row.attacks[name].low for name in against or row.attacks if name in row.attacks}
        counted = {name: low for name, low in lows.items() if low is not None}
        unseen = tuple(name for name in counted if seen_only and not row.attacks[name].count)
        if len(unseen) < len(counted) == len(against or counted):
            weakest = min((name for name in counted if name not in unseen), key=lambda name: counted[name])
            return Power(counted[weakest], weakest, len(counted) - len(unseen), row, unseen)
    return None


def check_attacks(against: Sequence[str], rows: Sequence[MeasuredSetting]) -> None:
    """Refuse names of attacks that nothing was measured of.

    Raises:
        JobError: one is not known.
    """
    known = sorted({name for row in rows for name in row.attacks})
    if unknown := [name for name in against if name not in known]:
        there = f"the measured attacks are {', '.join(known)}" if known else "no attack was measured"
        problem = f"this attack was not measured; {there}."
        raise JobError(f"--against {unknown[0]}", [Problem(problem, suggestion=nearest(unknown[0], known))])


def _judging(job: Job) -> tuple[int, int]:
    """How many providers judge a sub-run that somebody deviates in, and how many of them are counted on."""
    return (3, 2) if job.has_referee else (job.participants, job.benign)


def _is_comparable(row: MeasuredSetting, job: Job) -> bool:
    audit = job.audit
    participants, benign = _judging(job)
    longer = row.sub_run_steps >= audit.sub_run_steps
    shorter = row.sub_run_steps <= audit.sub_run_steps
    own = _tables([use.table for use in job.metrics])
    return (
        row.task_kind == job.task.kind
        and row.referee == job.has_referee
        and row.seeds == audit.seeds
        and row.decision in (audit.decision, choose(job).decision.name)
        and (_by_direction(row) or _tables(row.metrics) == own)
        and row.false_alarm_rate <= audit.false_alarm_rate
        and row.participants <= participants
        and row.benign <= benign
        and row.benign * participants <= benign * row.participants
        and (longer if audit.seeds is Seeds.SHARED else shorter)
    )


def _by_direction(row: MeasuredSetting) -> bool:
    """Whether what the row saw is the direction over sub-runs, whatever the metrics."""
    return row.seeds is Seeds.OWN and row.replicated > 1


def _tables(metrics: Sequence[dict[str, Any]]) -> set[str]:
    return {json.dumps(table, sort_keys=True) for table in metrics}
