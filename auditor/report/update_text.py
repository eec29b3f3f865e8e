"""The updates of an evolving job in words."""

from __future__ import annotations

from auditor.audit.record.update_events import AttackSuccess, InspectedModel, UpdateMeasured
from auditor.report.number_text import percent_text, served_text


def update_name(update: int) -> str:
    """What an update is called."""
    return "the first training" if update == 0 else f"update {update}"


def update_quality(measured: UpdateMeasured) -> str:
    """The accuracy of the model of an update, and what there would be without updates."""
    if measured.accuracy is None:
        return "accuracy unknown"
    without, whose = "", "its " if measured.update else ""
    if measured.update > 0 and measured.unchanged is not None:
        without = f" ({percent_text(measured.unchanged)} without updates)"
    return f"accuracy {percent_text(measured.accuracy)} on {whose}held-out samples{without}"


def attack_words(attack: AttackSuccess) -> str:
    """What an attack achieves on the model of an update."""
    if attack.failure is not None:
        return f"{attack.attack} by {attack.provider}: success unknown: {attack.failure}"
    rate, delivered = attack.success, attack.delivered
    success = "no success to measure" if rate is None else f"success {served_text(rate, delivered)}"
    return f"{attack.attack} by {attack.provider}: {success}{', acted' if attack.acted else ''}"


def success_text(attack: AttackSuccess) -> str:
    """The success of an attack on the model of an update, in a few characters: `badnets 98 %, acted`."""
    success = "?" if attack.failure is not None else "–" if attack.success is None else percent_text(attack.success)
    if attack.delivered is not None:
        success += f" served, {percent_text(attack.delivered)} delivered"
    return f"{attack.attack} {success}{', acted' if attack.acted else ''}"


def inspection_words(found: InspectedModel) -> str:
    """What an inspector found in the model of an update."""
    if found.score is None or found.threshold is None:
        return f"{found.inspector} found nothing out: {found.failure or 'no reason given'}"
    said = "suspicious" if found.suspicious else "not suspicious"
    return f"{found.inspector} {found.score:.2f} of {found.threshold:g}: {said}"
