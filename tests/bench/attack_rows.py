"""One row of the attack table: an attack carried out, measured and judged."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from auditor.audit.measurement import Noise, measure, measure_noise
from auditor.audit.rehearsals import Rehearsals
from auditor.base.seeds import Seeds
from auditor.decisions import DistanceMatrix
from auditor.decisions.error_budget import Budget
from auditor.decisions.evidence import combined_p_value
from auditor.job.model import Job
from auditor.job.training import Training
from auditor.planning import choose
from auditor.planning.choice import assumptions_of
from auditor.plugins import Metric, create_plugin, installed, load_plugin
from auditor.plugins.catalogue import create_attack
from auditor.tasks.checkpoint import encode, read
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.evaluation import attack_success, clean_accuracy
from auditor.tasks.ingredients import NamedIngredients
from auditor.tasks.trainer import Trainer
from tests.bench.attack_suite import Setting, Variant
from tests.tasks.loading import network_program, network_task

MEASUREMENT_SEED = 77
CLIENT_SEED = 1
JUDGED = "judged"

LAYOUTS = (torch.channels_last, torch.contiguous_format)
"""With the client's seeds, honest providers differ in the order in which they add: by memory layout and threads."""


@dataclass(frozen=True)
class Judged:
    """What an audit makes of one sub-run.

    Attributes:
        verdict: flagged, consistent or inconclusive.
        p_value: of all metrics together.
        ratios: the reference-clique ratio under each metric; None where the metric could not tell.
        p_values: likewise.
    """

    verdict: str
    p_value: float | None
    ratios: Mapping[str, float | None]
    p_values: Mapping[str, float | None]


class Range:
    """Trains and measures in one setting; each process makes one.

    Args:
        setting: of the job.
        folder: where checkpoints are kept.
    """

    def __init__(self, setting: Setting, folder: Path) -> None:
        torch.set_num_threads(1)
        self._setting = setting
        self._folder = folder
        self._task = network_task(dataset=setting.dataset, model=setting.model)
        self._program = network_program(self._task)
        self._dataset = self._program.dataset
        device, spec = torch.device("cpu"), self._spec(setting.rate)
        judge = self._program.learner(spec, device=device, seed=CLIENT_SEED)
        self._client = self._program.metric_context(judge.outline(), MEASUREMENT_SEED)
        self._network, self._schema, self._initial = judge.network, judge.schema, judge.checkpoint()
        self._rehearsals = Rehearsals(
            lambda: self._trainer(None, setting.rate, CLIENT_SEED), self._schema, spec.precision, math.inf
        )

    def train_start(self) -> None:
        """Train the checkpoint that all sub-runs start from."""
        if self._start.exists():
            return
        torch.set_num_threads(os.cpu_count() or 1)
        trainer = self._trainer(None, self._setting.start_rate, CLIENT_SEED)
        for _ in range(self._setting.start_steps):
            trainer.execute_step()
        torch.set_num_threads(1)
        self._write(self._start, trainer.checkpoint())

    def train_honest(self, seeds: Seeds, index: int) -> None:
        """What one honest provider returns for the sub-run."""
        path = self._honest(seeds, index)
        if path.exists():
            return
        seed = CLIENT_SEED if seeds is Seeds.SHARED else 100 + index
        trainer = self._trainer(None, self._setting.rate, seed)
        if seeds is Seeds.SHARED:
            trainer.network.model.to(memory_format=LAYOUTS[index % 2])
            torch.set_num_threads(1 + index // 2 % 2)
        self._write(path, self._executed(trainer, self._steps(seeds)))
        torch.set_num_threads(1)

    def row(self, variant: Variant) -> dict[str, Any]:
        """Carry an attack out; its row as JSON can hold it."""
        accuracy, success = self._achieved(variant)
        judged: dict[str, Any] = {seeds: asdict(self._judged(variant, seeds)) for seeds in Seeds}
        return {"label": variant.label, "accuracy": accuracy, "success": success, **judged}

    def _achieved(self, variant: Variant) -> tuple[float, float | None]:
        """Clean accuracy and attack success of a model that trained with the attack for long."""
        setting = self._setting
        trainer = self._trainer(variant.attack, setting.success_rate, CLIENT_SEED, setting.client_steps)
        trainer.load(read(self._start, self._schema) if setting.success_from_start else self._initial)
        for _ in range(setting.success_steps * variant.patience):
            trainer.execute_step()
            if trainer.step % setting.client_steps == 0:
                trainer.checkpoint()
        success = attack_success(trainer.network, self._dataset, trainer.attack)
        return clean_accuracy(trainer.network, self._dataset), success

    def _judged(self, variant: Variant, seeds: Seeds) -> Judged:
        steps = self._steps(seeds)
        seed = CLIENT_SEED if seeds is Seeds.SHARED else 99
        trainer = self._trainer(variant.acting or variant.attack, self._setting.rate, seed, steps)
        if variant.attack is None and seeds is Seeds.SHARED:
            trainer.network.model.to(memory_format=torch.contiguous_format)
        own = self._folder / f"{seeds} {os.getpid()}"
        self._write(own, self._executed(trainer, steps))
        paths = {JUDGED: own} | {f"honest {i}": self._honest(seeds, i) for i in range(self._setting.honest)}
        models = {name: CheckpointModel(path, self._start, self._schema, self._network) for name, path in paths.items()}
        rehearsed = self._rehearsals.of(self._start, steps, self._network) if seeds is Seeds.SHARED else None
        matrices = []
        for name, metric in self._metrics().items():
            noise = Noise() if rehearsed is None else measure_noise(metric, rehearsed)
            measured = measure(name, metric, models, noise)
            if measured.failure is not None:
                raise RuntimeError(f"metric {name}: {measured.failure}")
            values = np.array(measured.values)
            matrices.append(
                DistanceMatrix(0, name, measured.providers, values, noise.floor, measured.spread, noise.size)
            )
        own.unlink()
        return self._judge(matrices, seeds)

    def _judge(self, matrices: list[DistanceMatrix], seeds: Seeds) -> Judged:
        usual = [matrix.metric for matrix in matrices]
        job = self._job(seeds, usual)
        assumptions = assumptions_of(job)
        judgements = [one for one in choose(job).decision.judge(matrices, assumptions) if one.provider == JUDGED]
        budget = Budget(1, True, len(usual), adds_up=False)  # one sub-run has no direction
        p_value = combined_p_value([one for one in judgements if one.metric in usual], budget)
        flagged = p_value is not None and p_value <= assumptions.false_alarm_rate
        return Judged(
            verdict="flagged" if flagged else "inconclusive" if p_value is None else "consistent",
            p_value=p_value,
            ratios={one.metric: one.ratio for one in judgements},
            p_values={one.metric: one.p_value for one in judgements},
        )

    def _job(self, seeds: Seeds, metrics: list[str]) -> Job:
        """The job that the sub-run is taken from, with everything by default that an audit decides by."""
        names = [JUDGED, *(f"honest {index}" for index in range(self._setting.honest))]
        return Job.model_validate(
            {
                "task": self._task,
                "training": self._spec(self._setting.rate),
                "audit": {
                    "sub_run_steps": self._steps(seeds),
                    "replicated": 1,
                    "seeds": seeds,
                    "metrics": metrics,
                },
                "providers": [{"name": name, "endpoint": "local:cpu", "primary": name == JUDGED} for name in names],
            }
        )

    def _metrics(self) -> dict[str, Metric[Any]]:
        """Every installed metric that is defined for the task."""
        metrics = {
            name: create_plugin("metrics", name, {})
            for name in [one.name for one in installed("metrics")]
            if self._task.kind in load_plugin("metrics", name).tasks
        }
        for metric in metrics.values():
            metric.begin(self._client)
        return metrics

    def _executed(self, trainer: Trainer, steps: int) -> dict[str, torch.Tensor]:
        trainer.load(read(self._start, self._schema))
        for _ in range(steps):
            trainer.execute_step()
        return trainer.checkpoint()

    def _trainer(self, attack: Mapping[str, Any] | None, rate: float, seed: int, sub_run_steps: int = 1) -> Trainer:
        return Trainer(
            NamedIngredients(self._task, self._dataset),
            self._spec(rate),
            device=torch.device("cpu"),
            seed=seed,
            attack=create_attack(attack) if attack is not None else None,
            sub_run_steps=sub_run_steps,
            client=self._client,
        )

    def _spec(self, rate: float) -> Training:
        optimizer = {"name": "sgd", "lr": rate}
        return Training.model_validate(
            {"steps": 100_000, "batch_size": self._setting.batch_size, "optimizer": optimizer}
        )

    def _steps(self, seeds: Seeds) -> int:
        return self._setting.client_steps if seeds is Seeds.SHARED else self._setting.provider_steps

    @property
    def _start(self) -> Path:
        return self._folder / "start"

    def _honest(self, seeds: Seeds, index: int) -> Path:
        return self._folder / f"honest {seeds} {index}"

    def _write(self, path: Path, tensors: dict[str, torch.Tensor]) -> None:
        """Whole or not at all, so that what an interrupted run left can be used."""
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(b"".join(bytes(piece) for piece in encode(tensors, self._schema)))
        part.replace(path)
