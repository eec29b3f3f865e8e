"""What the updates of an evolving job come to together."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.audit.record.findings import Cost, ProviderVerdict, Verdict
from auditor.audit.record.state import AuditState
from auditor.audit.record.update_events import UpdateFinished

WORST_FIRST: tuple[Verdict, ...] = ("flagged", "unreachable", "inconclusive", "consistent")


def chain_verdicts(ended: Sequence[UpdateFinished], updates: int) -> tuple[ProviderVerdict, ...]:
    """The verdict on every provider over all updates: the worst that it got, with the updates it got it in.

    Args:
        ended: the updates that ended, in order.
        updates: how many the job has, the first training among them: a p-value counts for the least of so many.
    """
    names = dict.fromkeys(verdict.name for update in ended for verdict in update.providers)
    return tuple(_over_all(name, ended, updates) for name in names)


def _over_all(name: str, ended: Sequence[UpdateFinished], updates: int) -> ProviderVerdict:
    found = {update.update: verdict for update in ended for verdict in update.providers if verdict.name == name}
    worst = next(kind for kind in WORST_FIRST if any(verdict.verdict == kind for verdict in found.values()))
    p_values = [verdict.p_value for verdict in found.values() if verdict.p_value is not None]
    ratios = [verdict.ratio for verdict in found.values() if verdict.ratio is not None]
    reasons = [
        f"update {number}: {'; '.join(verdict.reasons) or verdict.verdict}"
        for number, verdict in found.items()
        if verdict.verdict != "consistent"
    ]
    consistent = [number for number, verdict in found.items() if verdict.verdict == "consistent"]
    if consistent:
        reasons.append(f"consistent in {_updates(consistent)}")
    return ProviderVerdict(
        name=name,
        verdict=worst,
        p_value=min(1.0, updates * min(p_values)) if p_values else None,
        ratio=max(ratios, default=None),
        sub_runs_checked=sum(verdict.sub_runs_checked for verdict in found.values()),
        reasons=tuple(reasons),
    )


def _updates(numbers: Sequence[int]) -> str:
    """Numbers of updates in words; runs of them as `1 to 4`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    words: list[str] = []
    for part in parts:
        words += map(str, part) if len(part) < 3 else [f"{part[0]} to {part[-1]}"]
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"update{'' if len(numbers) == 1 else 's'} {listed}"


def chain_cost(state: AuditState) -> Cost:
    """What all updates took together."""
    costs = [update.finished.cost for update in state.updates.values() if update.finished is not None]
    steps, extra = sum(cost.training_steps for cost in costs), sum(cost.extra_steps for cost in costs)
    dollars = [cost.dollars for cost in costs if cost.dollars is not None]
    return Cost(
        training_steps=steps,
        extra_steps=extra,
        overhead=extra / steps if steps else 0.0,
        seconds=round(state.seconds, 3),
        bytes=sum(cost.bytes for cost in costs),
        dollars=sum(dollars) if len(dollars) == len(costs) else None,
    )
