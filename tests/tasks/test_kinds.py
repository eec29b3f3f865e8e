"""The bundled kinds of task hold to the contract of all kinds."""

from __future__ import annotations

from auditor.job.task import Task
from auditor.job.training import AdamW, Training
from auditor.tasks.contract_tests import TaskContract
from tests.tasks.loading import network_task


class TestVision(TaskContract):
    def task(self) -> Task:
        return network_task("vision", dataset="digits", model="resnet8")


class TestText(TaskContract):
    training = Training(steps=40, batch_size=8, optimizer=AdamW(name="adamw"))

    def task(self) -> Task:
        return network_task("text", dataset="reviews", model="transformer", max_length=16)
