"""From the state of an audit to a verdict per provider. Nothing here knows who simulates an attack."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

from auditor.audit.collusion import doubts_about_assumption
from auditor.audit.record.findings import Outcome, ProviderVerdict, Verdict
from auditor.audit.record.state import AuditState, SubRun
from auditor.audit.thresholds import deviates, thresholds_of
from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, Judgement
from auditor.decisions.direction import Look, look_at_directions
from auditor.decisions.evidence import combined_p_value
from auditor.planning import Choice

WHOLE = "update"
"""The metric that sees all parameters, and is part of every audit: where it is blind, an attack on them may hide."""

SIMULATED = "it is simulated and trained nothing"


def judge_providers(
    state: AuditState, choice: Choice, assumptions: Assumptions, *, ended: bool = False
) -> list[ProviderVerdict]:
    """The verdict of every provider, from everything that happened so far.

    Args:
        state: the audit.
        choice: the rule.
        assumptions: what it takes for granted.
        ended: whether no more sub-runs come, which is when directions are looked at.
    """
    matrices = state.matrices()
    judgements = choice.decision.judge(matrices, assumptions)
    sketches = state.sketches()
    directions = look_at_directions(sketches, choice.budget, assumptions, ended=ended)
    by_provider: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        by_provider.setdefault(judgement.provider, []).append(judgement)
    found = _found_in(state)
    verdicts = [
        _judge_provider(
            name,
            state,
            found,
            by_provider.get(name, []),
            directions.get(name, []),
            choice,
            assumptions,
        )
        for name in state.providers
    ]
    deviating = [
        verdict.name
        for verdict in verdicts
        if verdict.p_value is not None and verdict.p_value <= assumptions.false_alarm_rate
    ]
    doubts = tuple(doubts_about_assumption(deviating, matrices, assumptions, sketches))
    simulated = (SIMULATED,) if state.started is not None and state.started.simulated else ()
    return [
        replace(verdict, reasons=(*simulated, *verdict.reasons, *(doubts if verdict.name in deviating else ())))
        for verdict in verdicts
    ]


def outcome_of(verdicts: Iterable[ProviderVerdict]) -> Outcome:
    """The outcome of the whole run."""
    kinds = {verdict.verdict for verdict in verdicts}
    if "flagged" in kinds:
        return "flagged"
    return "clean" if kinds == {"consistent"} else "inconclusive"


@dataclass(frozen=True)
class _Found:
    """What is looked up once for all providers: of thousands of sub-runs, few were given to anybody.

    Attributes:
        sub_runs: those in which something was found, by rising number.
        not_finite: of those with models that are not finite, though most are: the number, and whose.
        unasked: see `unasked`.
    """

    sub_runs: Sequence[tuple[int, SubRun]]
    not_finite: Sequence[tuple[int, Set[str]]]
    unasked: Set[str]


def _found_in(state: AuditState) -> _Found:
    not_finite = []
    for index, sub_run in state.sub_runs.items():
        finite = finite_models(index, state) if sub_run.replicas else {}
        if sum(finite.values()) * 2 > len(finite):
            not_finite.append((index, {name for name, is_finite in finite.items() if not is_finite}))
    sub_runs = [
        (index, sub_run)
        for index, sub_run in state.sub_runs.items()
        if sub_run.replicas or sub_run.undecided is not None or sub_run.failed_metrics or sub_run.equal
    ]
    return _Found(sub_runs, not_finite, unasked(state))


def _judge_provider(
    name: str,
    state: AuditState,
    found: _Found,
    judgements: list[Judgement],
    directions: list[Look],
    choice: Choice,
    assumptions: Assumptions,
) -> ProviderVerdict:
    decided = [judgement for judgement in judgements if judgement.p_value is not None]
    seen = {judgement.sub_run for judgement in decided} - {
        judgement.sub_run for judgement in decided if judgement.blind and judgement.metric == WHOLE
    }
    checked = len(seen)
    p_value = combined_p_value(decided, choice.budget, [(look.p_value, look.share) for look in directions])
    ratios = [judgement.ratio for judgement in judgements if judgement.ratio is not None]
    faults = _faults(name, state, found)
    doubts = _doubts(name, state, found, judgements, choice)
    lost = state.provider(name).lost
    verdict: Verdict
    deviates = p_value is not None and p_value <= assumptions.false_alarm_rate
    if faults or deviates:
        verdict, reasons = "flagged", faults
        if deviates:
            reasons = faults + _deviations(decided, directions, state, assumptions, choice)
    elif lost is not None:
        verdict, reasons = "unreachable", [lost]
    elif doubts or not checked:
        verdict, reasons = "inconclusive", doubts or [_unchecked(name, found, decided)]
    else:
        verdict = "consistent"
        plural = "sub-run" if checked == 1 else "sub-runs"
        reasons = [
            f"agrees with the others in {checked} replicated {plural}",
            *_noise_allowed_for(decided, seen),
            *_unchecked_start(name, state),
        ]
    return ProviderVerdict(name, verdict, p_value, max(ratios, default=None), checked, tuple(dict.fromkeys(reasons)))


def unasked(state: AuditState) -> set[str]:
    """The providers that no sub-run was given to, such as a referee that nobody needed."""
    asked = {name for sub_run in state.sub_runs.values() for name in sub_run.replicas}
    primary = state.started.primary if state.started else None
    return {name for name in state.providers if name != primary and name not in asked}


def _unchecked_start(name: str, state: AuditState) -> list[str]:
    """What nobody saw of a primary that drew the initial weights and disclosed no seed."""
    checked = state.compared is not None and state.compared.agrees
    if state.started is None or name != state.started.primary or not state.draws_start or checked:
        return []
    return ["it drew the initial weights itself, and nothing can check those"]


def _noise_allowed_for(decided: list[Judgement], seen: Set[int]) -> list[str]:
    """How much numerical noise was allowed for, and where it was too much to see anything; nothing with own seeds."""
    of_updates = [
        judgement.noise
        for judgement in decided
        if judgement.metric == WHOLE and judgement.sub_run in seen and judgement.noise is not None
    ]
    reasons = (
        [f"numerical noise of up to {_share_text(max(of_updates))} of an update was allowed for"] if of_updates else []
    )
    blind = sorted({judgement.sub_run for judgement in decided} - seen)
    if blind:
        reasons.append(f"nothing could be seen in {_sub_runs(blind)}, where numerical noise could hide an attack")
    return reasons


def _share_text(share: float) -> str:
    """A share in per cent, with two digits, from a millionth on."""
    return f"{float(f'{100 * share:.2g}'):g} %" if share >= 1e-6 else "under 0.0001 %"


def _sub_runs(indices: Sequence[int]) -> str:
    return f"sub-run{'s' if len(indices) > 1 else ''} {', '.join(map(str, indices))}"


def _unchecked(name: str, known: _Found, decided: Sequence[Judgement]) -> str:
    if decided:
        noise = min(
            judgement.noise for judgement in decided if judgement.noise is not None and judgement.metric == WHOLE
        )
        return (
            f"nothing could be seen: numerical noise of {_share_text(noise)} of a sub-run's training must be allowed "
            "for, which could hide an attack. Use shorter sub-runs (audit.sub_run_steps)"
        )
    if name in known.unasked:
        return "it was not asked to execute any sub-run"
    return "none of its sub-runs was replicated"


def _faults(name: str, state: AuditState, known: _Found) -> list[str]:
    """What no honest provider does; it flags regardless of the distances."""
    found = [
        reason if sub_run is None else f"sub-run {sub_run}: {reason}"
        for sub_run, reason in state.provider(name).misbehaviour
    ]
    found += [
        f"sub-run {index}: its weights are not finite numbers, but most others' are"
        for index, names in known.not_finite
        if name in names
    ]
    return _without_repetition(found)


def _without_repetition(faults: list[str]) -> list[str]:
    """The first of each kind of fault, with how many more there are; a kind has the same words, but for numbers."""
    kinds: dict[str, list[str]] = {}
    for fault in faults:
        kinds.setdefault(re.sub(r"\d+", "0", fault), []).append(fault)
    return [
        alike[0] if len(alike) == 1 else f"{alike[0].rstrip('.')} (and {len(alike) - 1} more like this)"
        for alike in kinds.values()
    ]


def finite_models(index: int, state: AuditState) -> dict[str, bool]:
    """Whether the model that each provider returned for a sub-run holds finite numbers only."""
    sub_run = state.sub_run(index)
    finite = {name: replica.finite for name, replica in sub_run.replicas.items() if replica.digest is not None}
    end = state.boundaries.get(index + 1)
    if state.started is not None and sub_run.replicas and end is not None and end.finite is not None:
        finite[state.started.primary] = end.finite
    return finite


def _doubts(name: str, state: AuditState, known: _Found, judgements: list[Judgement], choice: Choice) -> list[str]:
    """Why the evidence about a provider is not enough to call it consistent."""
    found: list[str] = []
    primary = state.started.primary if state.started else None
    for index, sub_run in known.sub_runs:
        if name != primary and name not in sub_run.replicas:
            continue
        if sub_run.undecided is not None:
            found.append(f"sub-run {index}: {sub_run.undecided}")
        found += [
            f"sub-run {index}: the metric {metric} failed: {reason}"
            for (metric, whose), reason in sub_run.failed_metrics.items()
            if whose in (None, name)
        ]
        found += [f"sub-run {index}: {words}" for words in _equal(name, sub_run)]
        own = sub_run.replicas.get(name)
        if own is not None and own.failure is not None:
            found.append(f"sub-run {index}: {own.failure}")
    found += [f"sub-run {judgement.sub_run}: {judgement.note}" for judgement in judgements if judgement.note]
    if choice.powerless:
        found.append(f"the {choice.decision.name} rule cannot flag anybody with this few providers")
    return found


def _equal(name: str, sub_run: SubRun) -> list[str]:
    """With whose model of a sub-run that of a provider is equal; a finding about both, which flags neither."""
    found = []
    for first, second, parameters in sub_run.equal:
        if name in (first, second):
            other = second if name == first else first
            what = "the same parameters as" if parameters else "the same model as"
            found.append(
                f"it returned {what} {other}, bit for bit, although each draws its own seeds: the two share seeds or "
                f"work ({first} committed first)"
            )
    return found


def _deviations(
    decided: list[Judgement], directions: list[Look], state: AuditState, assumptions: Assumptions, choice: Choice
) -> list[str]:
    """How often the provider deviates and where most, in plain words."""
    sub_runs = list(dict.fromkeys(judgement.sub_run for judgement in decided))
    thresholds = thresholds_of(decided, choice, assumptions)
    deviating = sorted({judgement.sub_run for judgement in decided if deviates(judgement, thresholds)})
    pulled = [
        f"its models are pulled the same way in {look.sub_runs} replicated sub-runs (p = {look.p_value:.1g})"
        for look in directions
        if look.p_value <= assumptions.false_alarm_rate * look.share
    ]
    if not deviating:
        return pulled or ["all replicated sub-runs together differ by more than chance explains"]
    strongest = min(decided, key=lambda judgement: judgement.p_value or 0.0).sub_run
    standard = "numerical noise explains" if assumptions.seeds is Seeds.SHARED else "these lie from one another"
    figures = [
        f"{_times(judgement.ratio)} as far under {judgement.metric} "
        f"(p = {judgement.p_value:.1g}{_remark(judgement, state)})"
        for judgement in decided
        if judgement.sub_run == strongest and judgement.ratio is not None and deviates(judgement, thresholds)
    ]
    numbers = ", ".join(str(index) for index in deviating)
    return [
        *pulled,
        f"deviates in {len(deviating)} of {len(sub_runs)} replicated sub-runs ({numbers})",
        f"in sub-run {strongest} its model lies further from the reference models than {standard}: "
        + ", ".join(figures),
    ]


def _remark(judgement: Judgement, state: AuditState) -> str:
    remark = state.sub_run(judgement.sub_run).remarks.get((judgement.metric, judgement.provider))
    return f"; {remark}" if remark else ""


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 1000 else "over 1,000 times"
