"""What can be seen to be impossible in a study before anything is trained: each mistake with its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic_core import PydanticCustomError

from auditor.base.hostile_text import cleaned
from auditor.experiments.evolving.settings import Lesson, poisoning, settings_of, task_of
from auditor.experiments.evolving.specification import Study, StudyFile
from auditor.experiments.evolving.work import Site, begin_attack, try_model
from auditor.job.dataset_slice import Stream
from auditor.job.errors import nearest
from auditor.job.evolution import least_slice
from auditor.job.network_task import NetworkTask, check_form
from auditor.plugins.catalogue import PluginError
from auditor.plugins.metric import fits
from auditor.tasks.errors import TrainingError
from auditor.tasks.program import Program, load_program

Found = TypeVar("Found")


def check_study(file: StudyFile, site: Site) -> Program:
    """Try every attack, model and drift of a study on its data; returns the data, not yet divided.

    Args:
        file: the study.
        site: where it is carried out.

    Raises:
        JobError: says what is impossible, and on which line.
    """
    study = file.study
    whole = _tried(file, "task.dataset", lambda: load_program(study.task, site.downloads, site.plugins))
    _check_sizes(file, len(whole.samples))
    _check_models(file, site)
    _check_attacks(file, site)
    _check_drifts(file, site)
    return whole


def _check_sizes(file: StudyFile, samples: int) -> None:
    study = file.study
    evolution = study.evolution
    least = least_slice(samples, _stream(study))
    if least < 1:
        words = f"{samples:,} training samples leave none for some updates; make fewer updates, or give more samples."
        raise file.error("evolution.updates", words)
    own = evolution.training.batch_size
    if least < (batch := own or study.training.batch_size):
        key = "evolution.updates" if own is None else "evolution.training.batch_size"
        raise file.error(
            key,
            f"an update has {least:,} training samples, fewer than a batch of {batch:,}; make fewer updates, or set "
            "batch_size in [evolution.training].",
        )
    first = samples - round(_stream(study).share * samples)
    if first < study.training.batch_size:
        words = f"the first training has {first:,} samples, fewer than a batch of {study.training.batch_size:,}."
        raise file.error("evolution.share", words)


def _stream(study: Study) -> Stream:
    stream = study.evolution.stream
    if stream is None:
        raise ValueError("a study divides one dataset")
    return stream


def _check_attacks(file: StudyFile, site: Site) -> None:
    study = file.study
    for number, use in enumerate(study.sweep.attacks):
        place = f"sweep.attacks.{number}"
        table = {"name": use.name, **use.options}
        attack = _tried(file, place, lambda table=table: site.plugins.create_attack(table))  # type: ignore[misc]
        if not fits(study.task.kind, attack.tasks, study.task.akin):
            words = f"{use.name} does not support {study.task.kind} tasks, only {', '.join(sorted(attack.tasks))}."
            raise file.error(place, words)
        for ratio in study.sweep.poison_ratios:
            poisoned = poisoning(table, ratio)
            _tried(file, "sweep.poison_ratios", lambda poisoned=poisoned: site.plugins.create_attack(poisoned))  # type: ignore[misc]
        lesson = _lesson(study, study.task.model_name if not study.sweep.models else study.sweep.models[0])
        _tried(file, place, lambda table=table, lesson=lesson: begin_attack(site, table, lesson))  # type: ignore[misc]


def _check_models(file: StudyFile, site: Site) -> None:
    study = file.study
    for number, model in enumerate(study.sweep.models):
        _check_name(file, f"sweep.models.{number}", model)
        lesson = _lesson(study, model)
        _tried(file, f"sweep.models.{number}", lambda lesson=lesson: try_model(site, lesson))  # type: ignore[misc]
    if not study.sweep.models:
        _tried(file, "task.model", lambda: try_model(site, _lesson(study, study.task.model_name)))


def _check_name(file: StudyFile, place: str, model: str) -> None:
    """What the key `model` of a task allows is allowed here."""
    kind = type(file.study.task)
    if issubclass(kind, NetworkTask):
        try:
            check_form(model, kind.models, "model")
        except PydanticCustomError as error:
            known = (error.context or {}).get("known", ())
            raise file.error(place, error.message(), nearest(model, known)) from None


def _check_drifts(file: StudyFile, site: Site) -> None:
    """Every drift as it is in the last update, where it is largest."""
    study = file.study
    places = {use.key: f"sweep.drifts.{number}" for number, use in enumerate(study.sweep.drifts)}
    for drift in {setting.drift.key: setting.drift for setting in settings_of(study)}.values():
        task = task_of(study, study.task.model_name, drift, study.evolution.updates)
        place = places.get(drift.key, "evolution.drift")
        _tried(file, place, lambda task=task: load_program(task, site.downloads, site.plugins))  # type: ignore[misc]


def _lesson(study: Study, model: str) -> Lesson:
    """A first training of a model, on data that have not drifted."""
    task = task_of(study, model, settings_of(study)[0].drift, 0)
    return Lesson(task, study.training, None, None, 0)


def _tried(file: StudyFile, place: str, attempt: Callable[[], Found]) -> Found:
    """What an attempt returns.

    Raises:
        JobError: it failed.
    """
    try:
        return attempt()
    except (PluginError, TrainingError) as error:
        raise file.error(place, str(error).removeprefix("task.drift: ")) from None
    except Exception as error:  # a plugin may raise anything
        raise file.error(place, f"it cannot be used in this study: {cleaned(error)}") from error
