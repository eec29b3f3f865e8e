"""What a run came to, in the words that every face shows."""

from __future__ import annotations

from auditor.audit.record.events import AuditFinished, ModelDelivered
from auditor.audit.record.findings import Cost, RecordedJudgement
from auditor.audit.record.state import AuditState
from auditor.report.number_text import bytes_text, p_text, percent_text, ratio_text, seconds_text, served_text

OUTCOMES = {
    "clean": "CLEAN: every provider is consistent with the others.",
    "flagged": "FLAGGED: {flagged} did not do what was asked.",
    "inconclusive": "INCONCLUSIVE: there is too little evidence for a verdict on {open}.",
}

SIMULATED = "SIMULATED: no provider trained anything, and this is no audit of anybody."


def outcome_sentence(finished: AuditFinished) -> str:
    """The outcome of a run as one sentence."""
    names = {
        kind: [verdict.name for verdict in finished.providers if verdict.verdict in verdicts]
        for kind, verdicts in {"flagged": ("flagged",), "open": ("inconclusive", "unreachable")}.items()
    }
    sentence = OUTCOMES[finished.outcome].format(flagged=_listed(names["flagged"]), open=_listed(names["open"]))
    if finished.outcome == "flagged" and names["open"]:
        sentence += f" There is no verdict on {_listed(names['open'])}."
    return f"{SIMULATED} {sentence}" if finished.simulated else sentence


def cost_sentence(cost: Cost) -> str:
    """What a run cost, as one line."""
    parts = [
        f"{cost.training_steps:,} training steps",
        f"{cost.extra_steps:,} extra ({percent_text(cost.overhead)})",
        seconds_text(cost.seconds),
        f"{bytes_text(cost.bytes)} of checkpoints transferred",
    ]
    if cost.dollars is not None:
        parts.append(f"${cost.dollars:.2f}")
    return ", ".join(parts)


def delivery_lines(state: AuditState) -> list[str]:
    """What was delivered, and what simulated attacks achieved with it."""
    lines = []
    if isinstance(state.delivered, ModelDelivered):
        accuracy = state.delivered.accuracy
        quality = "" if accuracy is None else f"{percent_text(accuracy)} accuracy on held-out samples, "
        drawn = "drawn at random and not trained, " if state.started is not None and state.started.simulated else ""
        lines.append(f"Delivered model: {drawn}{quality}in {state.delivered.path}")
    for name, attack in state.attacks.items():
        rate, delivered = attack.success_rate, attack.delivered_rate
        success = "" if rate is None else f", attack success {served_text(rate, delivered)}"
        success = success if attack.failure is None else f", attack success unknown: {attack.failure}"
        lines.append(
            f"Simulated: {name} carried out {attack.attack} ({_quality(attack.clean_accuracy)}{success}). "
            "The verdicts did not use this."
        )
    return lines


def _quality(accuracy: float | None) -> str:
    return "accuracy unknown" if accuracy is None else f"accuracy {percent_text(accuracy)}"


def sub_run_rows(state: AuditState, provider: str) -> list[tuple[int, str]]:
    """The number and the figures, in words, of each replicated sub-run that a provider took part in."""
    rows = []
    primary = state.started.primary if state.started else None
    for index, sub_run in sorted(state.sub_runs.items()):
        if not sub_run.replicated or (provider != primary and provider not in sub_run.replicas):
            continue
        replica = sub_run.replicas.get(provider)
        if replica is not None and replica.failure is not None:
            rows.append((index, f"failed: {replica.failure}"))
            continue
        own = [judgement for judgement in sub_run.judgements or () if judgement.provider == provider]
        figures = [
            f"{judgement.metric} {judgement.note or figure(judgement)}"
            if judgement.p_value is None
            else figure(judgement, named=True)
            for judgement in own
        ]
        rows.append((index, "; ".join(figures) or sub_run.undecided or "not judged yet"))
    return rows


def ratios(state: AuditState, provider: str) -> list[float]:
    """The largest ratio of a provider in each sub-run that was judged, in the order of the training."""
    found = []
    for _, sub_run in sorted(state.sub_runs.items()):
        own = [one.ratio for one in sub_run.judgements or () if one.provider == provider and one.ratio is not None]
        if own:
            found.append(max(own))
    return found


def figure(judgement: RecordedJudgement, *, named: bool = False) -> str:
    """The ratio and p-value of one judgement, such as `update 15.4× (p 3e-8)`, and noise that hides attacks."""
    name = f"{judgement.metric} " if named else ""
    hidden = f", hidden by noise of {percent_text(judgement.noise or 0.0)}" if judgement.blind else ""
    return f"{name}{ratio_text(judgement.ratio)}× (p {p_text(judgement.p_value)}{hidden})"


def _listed(names: list[str]) -> str:
    if len(names) <= 1:
        return "".join(names) or "some"
    return f"{', '.join(names[:-1])} and {names[-1]}"
