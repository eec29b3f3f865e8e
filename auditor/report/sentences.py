"""Events in plain words, one line each."""

from __future__ import annotations

from auditor.audit.record import events as e
from auditor.audit.record.state import AuditState
from auditor.report.coins import coin_sentence
from auditor.report.data_text import data_summary
from auditor.report.number_text import p_text, percent_text, ratio_text, seconds_text
from auditor.report.update_text import attack_words, inspection_words, update_name, update_quality


def sentence(event: e.Event, state: AuditState) -> str | None:
    """What happened, in plain words; None for what only a progress bar would show."""
    match event:
        case e.RunStarted():
            return (
                f"{event.name}: {event.primary} trains {event.steps:,} steps in {event.sub_runs:,} sub-runs; the "
                f"{event.decision} rule judges, because {event.reason}"
            )
        case e.DataRead():
            return f"the data: {data_summary(event)}"
        case e.UpdateDataRead():
            return f"the data of {update_name(event.update)}, {event.dataset}: {data_summary(event)}"
        case e.RunResumed():
            return f"resumed at step {state.step:,}"
        case e.RunInterrupted():
            return "interrupted"
        case e.ProviderReady():
            threads = f"{event.threads} thread{'' if event.threads == 1 else 's'}"
            first = "; its signing key is the first that it showed" if event.key_trust == "first use" else ""
            return f"{event.provider} is ready: {event.device}, {threads}, {event.software}{first}"
        case e.ProviderLost():
            return f"{event.provider} is lost: {event.reason}"
        case e.ProviderMisbehaved():
            return f"{event.provider} misbehaved: {event.reason}"
        case e.PrimaryStarted():
            return f"{event.provider} trains from step {event.step:,}"
        case e.PrimaryFinished():
            return f"{event.provider} finished training in {seconds_text(event.seconds)}"
        case e.Committed() if event.boundary > 0 or state.draws_start:
            return _committed(event)
        case e.Drawn() if event.replicated:
            return f"sub-run {event.sub_run} was drawn; other providers will execute it again"
        case e.ModelDelivered():
            if event.accuracy is None:
                return "the model was delivered"
            return f"the model was delivered; its accuracy on held-out samples is {percent_text(event.accuracy)}"
        case e.TossCommitted() | e.TossRevealed() | e.SeedDisclosed() | e.StartCompared():
            return coin_sentence(event)
        case e.UpdateStarted() | e.UpdateMeasured() | e.UpdateFinished():
            return _about_update(event, state)
        case _:
            return _about_replication(event, state)


def _about_update(event: e.UpdateStarted | e.UpdateMeasured | e.UpdateFinished, state: AuditState) -> str:
    match event:
        case e.UpdateStarted():
            drift = "" if event.drift is None else f", on data that has drifted ({event.drift})"
            return f"{update_name(event.update)} begins: {event.steps:,} steps{drift}"
        case e.UpdateMeasured():
            found = [update_quality(event), *map(attack_words, event.attacks), *map(inspection_words, event.inspected)]
            return f"{update_name(event.update)}: {'; '.join(found)}"
        case e.UpdateFinished():
            flagged = [verdict.name for verdict in event.providers if verdict.verdict == "flagged"]
            whom = f" ({', '.join(flagged)})" if flagged else ""
            return f"{update_name(event.update)} ended: {event.outcome}{whom}"


def _committed(event: e.Committed) -> str:
    loss = "" if event.loss is None else f", loss {event.loss:.4f}"
    return f"step {event.step:,} committed, digest {event.digest[:12]}{loss}"


def _about_replication(event: e.Event, state: AuditState) -> str | None:
    match event:
        case e.CheckpointDamaged():
            whose = "" if event.provider is None else f" that {event.provider} returned for sub-run {event.sub_run}"
            return (
                f"the checkpoint of step {event.step:,}{whose} is damaged in the store or missing; no provider is to "
                "blame"
            )
        case e.EqualModels():
            what = "a model with the same parameters as" if event.parameters else "the same model as"
            return f"sub-run {event.sub_run}: {event.second} returned {what} {event.first}, which committed first"
        case e.ReplicaReturned():
            return f"sub-run {event.sub_run}: {event.provider} returned its model after {seconds_text(event.seconds)}"
        case e.ReplicaFailed():
            return f"sub-run {event.sub_run}: {event.provider} failed: {event.reason}"
        case e.MetricFailed():
            whose = f" for the model of {event.provider}" if event.provider is not None else ""
            return f"sub-run {event.sub_run}: the metric {event.metric} failed{whose}: {event.reason}"
        case e.SubRunUndecided():
            return f"sub-run {event.sub_run} is undecided: {event.reason}"
        case e.SubRunJudged():
            return f"sub-run {event.sub_run} was judged: {_judgements(event, state)}"
    return None


def _judgements(event: e.SubRunJudged, state: AuditState) -> str:
    decided = [judgement for judgement in event.judgements if judgement.p_value is not None]
    if not decided:
        return "it says nothing about any provider"
    worst = min(decided, key=lambda judgement: judgement.p_value or 0.0)
    remark = state.sub_run(event.sub_run).remarks.get((worst.metric, worst.provider))
    return (
        f"{worst.provider} lies furthest off ({worst.metric}: ratio {ratio_text(worst.ratio)}, "
        f"p {p_text(worst.p_value)}{f'; {remark}' if remark else ''})"
    )
