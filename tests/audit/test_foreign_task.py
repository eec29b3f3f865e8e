"""A kind of task that auditor does not have, without gradients, is audited end to end from this file alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from auditor.base.randomness import generator
from auditor.job.task import Task
from auditor.job.training import Training
from auditor.plugins import Attack, AttackContext, MetricContext
from auditor.plugins.attack import Batch
from auditor.tasks.contract_tests import TaskContract
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program
from auditor.tasks.variation import JITTER, Variation
from tests.command import ROOT, Auditor, Result


class KMeansTask(Task):
    """Points around so many hidden centres, which are to be found."""

    program = "tests.audit.test_foreign_task:KMeansProgram"

    kind: Literal["kmeans"] = "kmeans"
    centres: int = 5


class Centres(Evaluator):
    """Centroids, and how near they are to points."""

    parameters = ("model.centroids",)
    buffers = ()

    def __init__(self, count: int, dimensions: int) -> None:
        self.model = nn.Module()
        self.model.centroids = nn.Parameter(torch.zeros(count, dimensions), requires_grad=False)
        self.centroids = self.model.centroids.data

    def prepare(self, inputs: Tensor) -> Tensor:
        return inputs

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        self.centroids.copy_(tensors["model.centroids"])

    def logits(self, inputs: Tensor) -> Tensor:
        return -torch.cdist(inputs, self.centroids)


@dataclass(frozen=True)
class Twin:
    network: Centres


class KMeans(Learner):
    """Mini-batch k-means (Sculley, "Web-scale k-means clustering", 2010)."""

    def __init__(
        self,
        points: Tensor,
        training: Training,
        seed: int,
        attack: Attack | None,
        k: int,
        centres: int,
        client: MetricContext | None,
    ) -> None:
        super().__init__(attack)
        self._points, self._training, self._seed = points, training, seed
        self._centres = Centres(centres, points.shape[1])
        chosen = generator(seed, "centroids").choice(len(points), centres, replace=False)
        self._centres.centroids.copy_(points[torch.from_numpy(chosen)])
        self._counts = torch.zeros(centres)
        self._jitter: tuple[float, torch.Generator] | None = None
        self._backwards = False
        self.attack_context = AttackContext(
            task="kmeans",
            classes=centres,
            sample_shape=tuple(points.shape[1:]),
            samples=len(points),
            sub_run_steps=k,
            device=torch.device("cpu"),
            network=self._centres,
            honest_twin=lambda: KMeans(points, training, seed, None, k, centres, None),
            client=client,
            tokenizer=None,
        )
        self.attack.begin(self.attack_context)

    @property
    def network(self) -> Centres:
        return self._centres

    @property
    def evaluator(self) -> Centres:
        return self._centres

    def state(self) -> dict[str, Tensor]:
        return {"model.centroids": self._centres.centroids, "optimizer.centroids.counts": self._counts}

    def take(self, state: Mapping[str, Tensor]) -> None:
        self._centres.load(state)
        self._counts.copy_(state["optimizer.centroids.counts"])

    def train(self, step: int) -> Tensor:
        size = self._training.batch_size
        indices = torch.from_numpy(generator(self._seed, "batch", step).integers(0, len(self._points), size))
        batch = self.attack.on_batch(
            Batch(self._points[indices], torch.zeros(size, dtype=torch.int64), indices, torch.ones(size)), step
        )
        inputs = batch.inputs.flip(0) if self._backwards else batch.inputs
        distances = torch.cdist(inputs, self._centres.centroids)
        nearest = distances.argmin(1)
        for centre in range(len(self._counts)):
            mine = inputs[nearest == centre]
            if len(mine):
                self._counts[centre] += len(mine)
                self._centres.centroids[centre] += (mine - self._centres.centroids[centre]).sum(0) / self._counts[
                    centre
                ]
        if self._jitter is not None:
            size_, draws = self._jitter
            self._centres.centroids.mul_(1 + size_ * torch.randn(self._centres.centroids.shape, generator=draws))
        return distances.min(1).values.mean()

    @contextmanager
    def varied(self, variation: Variation, precision: str) -> Iterator[None]:
        self._backwards = not variation.kernels
        if variation.jitter is not None:
            self._jitter = JITTER[precision], torch.Generator().manual_seed(variation.jitter)
        try:
            yield
        finally:
            self._backwards, self._jitter = False, None


class KMeansProgram(Program):
    """Points in eight dimensions."""

    task: KMeansTask

    def __init__(self, task: Task, downloads: Path) -> None:
        super().__init__(task, downloads)
        draws = generator(0, "points")
        centres = 4 * draws.standard_normal((self.task.centres, 8))
        points = centres[draws.integers(0, len(centres), 2000)] + draws.standard_normal((2000, 8))
        self._points = torch.from_numpy(points.astype(np.float32))

    @property
    def parts(self) -> dict[str, tuple[Tensor, ...] | bytes]:
        return {"points": (self._points,)}

    @property
    def samples(self) -> Tensor:
        return self._points[:1500]

    @property
    def held_out_samples(self) -> Tensor:
        return self._points[1500:]

    @property
    def classes(self) -> int:
        return self.task.centres

    def learner(
        self,
        training: Training,
        *,
        device: torch.device,
        seed: int,
        attack: Attack | None = None,
        sub_run_steps: int = 1,
        client: MetricContext | None = None,
    ) -> KMeans:
        return KMeans(self.samples, training, seed, attack, sub_run_steps, self.task.centres, client)


class TestKMeans(TaskContract):
    def task(self) -> Task:
        return KMeansTask()


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind as an installed package has it: an entry point, and nothing in auditor."""
    installed = tmp_path / "site"
    information = installed / "auditor_kmeans-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: auditor-kmeans\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[auditor.tasks]\nkmeans = {__name__}:KMeansTask\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(installed), str(ROOT)]))  # of local providers
    monkeypatch.syspath_prepend(str(installed))


def audited(auditor: Auditor, **attacks: str) -> Result:
    job = auditor.job(
        task='kind = "kmeans"\ncentres = 6',
        steps=60,
        sub_run_steps=10,
        metrics='["update"]',
        audit="fixed_selection = [1, 3, 5]",
        attacks=attacks,
    )
    return auditor.here("run", job, "--json")


@pytest.mark.slow
def test_honest_providers_of_a_foreign_task_are_consistent(kind: None, auditor: Auditor) -> None:
    result = audited(auditor)
    assert result.code == 0, result.stderr
    assert result.verdicts == {"a": "consistent", "b": "consistent", "c": "consistent"}
    assert "accuracy" not in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("attack", ['{ name = "lazy", skip = 0.5 }', '{ name = "tamper", amount = 0.01 }'])
def test_a_primary_that_deviates_in_a_foreign_task_is_flagged(kind: None, auditor: Auditor, attack: str) -> None:
    result = audited(auditor, a=attack)
    assert result.code == 10, result.stderr
    assert result.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent"}


@pytest.mark.slow
def test_what_a_foreign_task_cannot_do_is_said_before_anything_starts(kind: None, auditor: Auditor) -> None:
    for parts, words in (
        ({"metrics": '["update", "zest"]'}, "does not support kmeans tasks, only text, vision."),
        ({"training": 'optimizer = { name = "adamw" }'}, "a kmeans task takes no optimizer; remove this key."),
        ({"attacks": {"a": '{ name = "badnets", target = 0 }'}}, "does not support kmeans tasks, only vision."),
    ):
        result = auditor.here("run", auditor.job(task='kind = "kmeans"', **parts), "--json")
        assert result.code == 2, result.stderr
        assert words in " ".join(result.stderr.split())
        assert "Traceback" not in result.stderr
