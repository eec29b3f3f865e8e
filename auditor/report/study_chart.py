"""The picture of a study under way: one curve for each attack of a cell, beside γ, drawn as updates are measured."""

from __future__ import annotations

from auditor.experiments.evolving.record import SettingProgress, StudyProgress
from auditor.report.survival_chart import Curve, SurvivalChart, SurvivalMarks


def study_chart(progress: StudyProgress, shown: int, marks: SurvivalMarks) -> SurvivalChart:
    """The curves of the settings that differ from one in the attack alone.

    Args:
        progress: the study, and what was measured.
        shown: the number of that setting. Its success is drawn over that of the others, and its accuracy with it.
        marks: the characters.
    """
    record, chosen = progress.record, progress.settings[shown]
    members = [setting for setting in progress.settings if _with(setting, chosen)]
    others = [_success(setting, progress, marks) for setting in members if setting is not chosen]
    accuracy = Curve(
        f"accuracy of {chosen.setting.attack}", marks.accuracy, "verdict.consistent", chosen.accuracy, said=""
    )
    curves = (*others, accuracy, _success(chosen, progress, marks, chosen=True))
    caption = "attack success after each update, mean of instances"
    if chosen.setting.cell:
        caption = f"{chosen.setting.cell}: {caption}"
    return SurvivalChart(tuple(curve for curve in curves if curve.values), record.gammas, record.updates, caption)


def sign_of(progress: StudyProgress, number: int, marks: SurvivalMarks) -> str:
    """The mark of a setting's curve: another for each attack within a cell."""
    chosen = progress.settings[number]
    place = [setting for setting in progress.settings if _with(setting, chosen)].index(chosen)
    return marks.attacks[place % len(marks.attacks)]


def busiest(progress: StudyProgress) -> int:
    """The number of the setting that is shown where nobody chooses: the first that is begun and not finished.

    Else the last that is finished, or the first of all where all or none are.
    """
    begun = [number for number, one in enumerate(progress.settings) if any(one.instances)]
    under_way = [number for number in begun if not finished(progress, number)]
    if under_way or not begun or len(begun) == len(progress.settings):
        return under_way[0] if under_way else 0
    return begun[-1]


def finished(progress: StudyProgress, number: int) -> bool:
    """Whether all instances of a setting are measured."""
    return all(len(instance) > progress.record.updates for instance in progress.settings[number].instances)


def poisoned_words(setting: SettingProgress) -> str:
    """When the attack of a setting acts."""
    poisoned = setting.setting.poisoned
    return f"in {', '.join(map(str, poisoned))}" if poisoned else "never"


def survival_words(setting: SettingProgress, progress: StudyProgress) -> str:
    """The γ-survivability of the instances that are finished; empty while none is, or where nobody poisons."""
    from auditor.report.study_table import survival_text

    record, found = progress.record, []
    for gamma in record.gammas:
        if (survival := setting.survival(gamma, record.updates, record.horizon)) is not None:
            name = f"γ = {gamma:g}: " if len(record.gammas) > 1 else ""
            found.append(f"{name}{survival_text(survival)}")
    return "; ".join(found)


def _success(setting: SettingProgress, progress: StudyProgress, marks: SurvivalMarks, *, chosen: bool = False) -> Curve:
    survives = survival_words(setting, progress) if chosen else ""
    said = f"; poisoned {poisoned_words(setting)}" + (f", survives {survives}" if survives else "")
    sign = sign_of(progress, progress.settings.index(setting), marks)
    style, acted = "verdict.flagged" if chosen else "dim", frozenset(setting.setting.poisoned)
    return Curve(setting.setting.attack, sign, style, setting.success, acted, said)


def _with(setting: SettingProgress, other: SettingProgress) -> bool:
    """Whether two settings differ in the attack alone."""
    return setting.setting.cell == other.setting.cell
