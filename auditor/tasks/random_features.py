"""Executing tasks that tell two classes apart by random features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from auditor.job.random_features import RandomFeaturesTask, RandomFourierTask
from auditor.job.training import Training
from auditor.tasks.closed_form import RidgeLearner
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.data.sources import load_image_dataset
from auditor.tasks.data.two_classes import one_against_rest, two_of
from auditor.tasks.dataset_program import DatasetProgram
from auditor.tasks.errors import TrainingError
from auditor.tasks.trainer import Trainer


class RandomFeaturesProgram(DatasetProgram):
    """Two classes of images and a classifier on random features of them."""

    task: RandomFeaturesTask

    def read_dataset(self, downloads: Path) -> Dataset:
        """See `DatasetProgram`."""
        task, dataset = self.task, load_image_dataset(self.task, downloads)
        if task.classes is not None:
            return two_of(dataset, task.classes)
        if task.one_against_rest is not None:
            return one_against_rest(dataset, task.one_against_rest)
        if dataset.classes != 2:
            raise TrainingError(
                f"{task.dataset}: has {dataset.classes} classes, and a {task.kind} task tells two apart. Name them, as "
                "in task.classes = [0, 1], or set task.one_against_rest to a class."
            )
        return dataset

    def trainer(self, training: Training, **arguments: Any) -> Trainer:
        """See `DatasetProgram`."""
        task = self.task
        if isinstance(task, RandomFourierTask) and task.solver == "ridge":
            return RidgeLearner(self.ingredients, training, ridge=task.ridge, **arguments)
        return super().trainer(training, **arguments)
