"""Tasks that name a dataset and a model by words."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from torch import Tensor

from auditor.job.network_task import FORM, NetworkTask
from auditor.job.task import Task
from auditor.plugins.catalogue import Catalogue
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.data.drift import drifted
from auditor.tasks.data.slices import cut
from auditor.tasks.errors import TrainingError
from auditor.tasks.ingredients import NamedIngredients
from auditor.tasks.inventory import Inventory
from auditor.tasks.network_program import NetworkProgram


class DatasetProgram(NetworkProgram):
    """A network and the dataset that its task names.

    Attributes:
        task: what is trained.
        dataset: what it is trained on, after its drift; of the training samples only the slice that the task names.
    """

    task: NetworkTask

    def __init__(self, task: Task, downloads: Path) -> None:
        super().__init__(task, downloads)
        dataset = self.read_dataset(downloads)
        if self.task.like is not None and dataset.form is None:
            raise TrainingError(f"task.like: {task.kind} tasks cannot read one dataset like another; remove this key.")
        if self.task.stream is not None:
            dataset = cut(dataset, self.task.stream, self.task.slice)
        self.dataset = dataset

    def let_drift(self, plugins: Catalogue) -> None:
        """See `Program`."""
        if self.task.drift is not None:
            self.dataset = drifted(self.dataset, self.task.drift, self.task, plugins)

    @abstractmethod
    def read_dataset(self, downloads: Path) -> Dataset:
        """Read the dataset of `task`, like the dataset `task.like` where it names one.

        Args:
            downloads: the folder that torchvision keeps its datasets in.

        Raises:
            TrainingError: it is not there or not a dataset; says what to do.
        """

    @cached_property
    def ingredients(self) -> NamedIngredients:
        """See `NetworkProgram`."""
        return NamedIngredients(self.task, self.dataset)

    @property
    def parts(self) -> Mapping[str, tuple[Tensor, ...] | bytes]:
        """See `Program`; what the tokenizer makes of sentences changes with it, so that it comes first."""
        data = self.dataset
        parts: dict[str, tuple[Tensor, ...] | bytes] = {}
        if data.tokenizer is not None:
            parts["tokenizer"] = data.tokenizer.definition.encode()
        if data.form is not None:
            parts[FORM] = data.form.encode()
        parts["training part"] = (data.samples, data.labels)
        parts["held-out part"] = (data.held_out_samples, data.held_out_labels)
        return parts

    @property
    def inventory(self) -> Inventory:
        """See `Program`."""
        return self.dataset.inventory

    @property
    def digest(self) -> str:
        """See `Program`."""
        return self.dataset.digest
