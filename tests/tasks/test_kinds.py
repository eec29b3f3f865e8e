"""The bundled kinds of task hold to the contract of all kinds."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from auditor.job.task import Task
from auditor.job.training import AdamW, Training
from auditor.tasks.contract_tests import TaskContract
from tests.tasks.loading import network_task


class TestVision(TaskContract):
    def task(self) -> Task:
        return network_task("vision", dataset="digits", model="resnet8")


class TestRandomFourier(TaskContract):
    def task(self) -> Task:
        return network_task("random_fourier", dataset="digits", features=50, one_against_rest=3)


class TestRandomFourierByRidge(TaskContract):
    training = Training(steps=1, batch_size=8)

    def task(self) -> Task:
        return network_task("random_fourier", dataset="digits", features=50, classes=(3, 8), solver="ridge")


class TestRandomRelu(TaskContract):
    def task(self) -> Task:
        return network_task("random_relu", dataset="digits", features=50, classes=(0, 1))


class TestText(TaskContract):
    training = Training(steps=40, batch_size=8, optimizer=AdamW(name="adamw"))

    def task(self) -> Task:
        return network_task("text", dataset="reviews", model="transformer", max_length=16)


class TestFilesOfTexts(TaskContract):
    training = Training(steps=40, batch_size=8, optimizer=AdamW(name="adamw"))

    @pytest.fixture(autouse=True, scope="class")
    def _file(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        path = tmp_path_factory.mktemp("texts") / "a.jsonl"
        rows = [{"text": f"text number {number}", "label": number % 3 + 1} for number in range(60)]
        path.write_text("\n".join(map(json.dumps, rows)))
        type(self).dataset = f"jsonl:{path}"

    dataset = ""

    def task(self) -> Task:
        return network_task("text", dataset=self.dataset, model="embeddings", max_length=16, vocabulary_size=300)


class TestFoldersOfImages(TaskContract):
    @pytest.fixture(autouse=True, scope="class")
    def _folder(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        folder = tmp_path_factory.mktemp("images")
        noise = np.random.default_rng(0)
        for number in range(40):
            place = folder / "train" / str(number % 4) / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise.integers(0, 256, (8, 8), dtype=np.uint8)).save(place)
        type(self).dataset = f"images:{folder}"

    dataset = ""

    def task(self) -> Task:
        return network_task("vision", dataset=self.dataset, model="resnet8")
