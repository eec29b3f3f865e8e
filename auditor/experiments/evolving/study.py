"""Carries a study of models that keep learning out. What is there already is not done again."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from auditor.experiments.code import code_digest, plugin_version
from auditor.experiments.content_name import content_name
from auditor.experiments.evolving.checks import check_study
from auditor.experiments.evolving.findings import Chain, Finding
from auditor.experiments.evolving.labels import setting_labels
from auditor.experiments.evolving.record import RecordedSetting, StudyRecord
from auditor.experiments.evolving.settings import Lesson, Setting, lessons_of, settings_of
from auditor.experiments.evolving.specification import StudyFile
from auditor.experiments.evolving.survival import survival
from auditor.experiments.evolving.work import (
    AgingOrder,
    ChainOrder,
    Site,
    StartOrder,
    measure_aging,
    train_chain,
    train_start,
)
from auditor.experiments.progress import Progress
from auditor.experiments.stages import carry_out_stage
from auditor.experiments.workers import Workers
from auditor.plugins.catalogue import Catalogue, Kind


class StudyRun:
    """A study with everything it needs; `run` carries it out.

    Args:
        file: what to measure.
        folder: where models and what they can do are kept. Studies in one folder use one another's models.
        downloads: the folder for datasets.
        device: where models are trained.
        workers: processes.

    Raises:
        JobError: the study asks for something impossible; names the line.
    """

    def __init__(self, file: StudyFile, folder: Path, downloads: Path, *, device: str, workers: int) -> None:
        self.file = file
        self.study = file.study
        self.folder = folder
        self.settings = settings_of(self.study)
        self._workers = workers
        self._site = Site(downloads, Catalogue(self.study.plugins), device)
        whole = check_study(file, self._site)
        self._computing = {
            "code": code_digest(train_start.__module__),
            "PyTorch": version("torch"),
            "data": whole.digest,
        }
        self._versions: dict[tuple[str, str], str] = {}

    def record(self) -> StudyRecord:
        """What others need to follow the study while it runs."""
        study, labels = self.study, setting_labels(self.settings)
        settings = []
        for words, setting in zip(labels, self.settings, strict=True):
            chains = [self._orders(setting, instance)[1].folder.name for instance in range(study.instances)]
            name = words.attack or str(setting.attack["name"])
            settings.append(
                RecordedSetting(attack=name, cell=words.cell, poisoned=setting.poisoned, chains=tuple(chains))
            )
        return StudyRecord(
            name=study.name,
            source=self.file.source,
            started=datetime.now(UTC),
            updates=study.evolution.updates,
            gammas=study.gammas,
            horizon=study.horizon,
            settings=tuple(settings),
        )

    def run(self) -> Generator[Progress, None, list[Finding]]:
        """Train, update and measure, telling how far it is.

        Raises:
            Exception: whatever training raises; what was done is kept.
        """
        with Workers(self._workers) as workers:
            starts = {order.result: (order.lesson.training.steps, order) for order, _, _ in self._chains()}
            missing = [sized for path, sized in starts.items() if not path.exists()]
            yield from carry_out_stage(workers, "training first models", train_start, missing, "steps")
            chains = {order.folder: order for _, order, _ in self._chains()}
            last = self.study.evolution.updates
            left = [
                (sum(not order.facts(update).exists() for update in range(last + 1)), order)
                for order in chains.values()
                if not order.facts(last).exists()
            ]
            yield from carry_out_stage(workers, "updating", train_chain, left, "updates")
            aging = {order.result: order for _, _, order in self._chains()}
            unmeasured = [(1, order) for path, order in aging.items() if not path.exists()]
            yield from carry_out_stage(workers, "measuring first models", measure_aging, unmeasured, "models")
        return [self._finding(setting) for setting in self.settings]

    def _chains(self) -> Iterator[tuple[StartOrder, ChainOrder, AgingOrder]]:
        """What each instance of each setting needs; some of it is the same."""
        for setting in self.settings:
            for instance in range(self.study.instances):
                yield self._orders(setting, instance)

    def _orders(self, setting: Setting, instance: int) -> tuple[StartOrder, ChainOrder, AgingOrder]:
        lessons = tuple(lessons_of(self.study, setting, instance, self._site.plugins))
        first, site = self._content(lessons[0]), self._site
        start = StartOrder(site, lessons[0], self.folder / "starts" / f"{content_name(first)}.safetensors")
        contents = [self._content(lesson) for lesson in lessons]
        content = {"lessons": contents, "measured": [setting.attack, self._attack_versions(setting.attack)]}
        chain = ChainOrder(site, start.result, lessons, setting.attack, self.folder / "chains" / content_name(content))
        data = {"start": first, "tasks": [lesson["task"] for lesson in contents]}
        aging = AgingOrder(site, start.result, lessons, self.folder / "aging" / f"{content_name(data)}.json")
        return start, chain, aging

    def _content(self, lesson: Lesson) -> dict[str, Any]:
        """All that determines what a lesson makes of a model."""
        drift = lesson.task.drift
        return {
            "computing": self._computing,
            "task": [
                lesson.task.model_dump(mode="json"),
                None if drift is None else [drift.table, self._version("drifts", drift.name)],
            ],
            "training": lesson.training.model_dump(mode="json"),
            "epochs": lesson.epochs,
            "attack": None if lesson.attack is None else [lesson.attack, self._attack_versions(lesson.attack)],
            "seed": lesson.seed,
        }

    def _attack_versions(self, attack: Mapping[str, Any]) -> list[str]:
        """Of an attack and of those that it wraps."""
        found: list[str] = []
        table: object = attack
        while isinstance(table, Mapping):
            found.append(self._version("attacks", str(table["name"])))
            table = table.get("attack")
        return found

    def _version(self, kind: Kind, name: str) -> str:
        """Of a plugin; computed once, because it takes a look at all code that the plugin uses."""
        if (kind, name) not in self._versions:
            self._versions[kind, name] = plugin_version(self._site.plugins.origin(kind, name))
        return self._versions[kind, name]

    def _finding(self, setting: Setting) -> Finding:
        chains = []
        for instance in range(self.study.instances):
            start, chain, aging = self._orders(setting, instance)
            facts = [json.loads(chain.facts(update).read_text()) for update in range(len(chain.lessons))]
            chains.append(
                Chain(
                    tuple(fact["accuracy"] for fact in facts),
                    tuple(fact["success"] for fact in facts),
                    tuple(json.loads(aging.result.read_text())),
                    f"starts/{start.result.name}",
                    f"chains/{chain.folder.name}",
                )
            )
        successes = [chain.successes for chain in chains]
        survivals = tuple(survival(successes, setting.last, gamma, self.study.horizon) for gamma in self.study.gammas)
        return Finding(setting, tuple(chains), survivals if setting.poisoned else ())
