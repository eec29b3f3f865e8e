"""A job that no provider can train is refused before anybody is asked, with what to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from auditor.job.task import Task
from auditor.job.training import Training
from auditor.tasks.errors import TrainingError
from auditor.tasks.first_step import try_first_step
from tests.tasks.loading import network_program, network_task

CPU = torch.device("cpu")


def images(folder: Path, side: int) -> Task:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (40, 1, side, side), dtype=torch.uint8, generator=generator)
    save_file({"images": pixels, "labels": torch.arange(40) % 2}, folder / "data.safetensors")
    return network_task(dataset=f"tensors:{folder / 'data.safetensors'}", model="resnet8")


def tried(task: Task, *, whole_batch: bool = True, **training: Any) -> None:
    spec = Training.model_validate({"steps": 10, "batch_size": 16} | training)
    try_first_step(network_program(task), spec, device=CPU, seed=1, whole_batch=whole_batch)


@pytest.mark.parametrize("whole_batch", [True, False])
def test_one_sample_of_one_pixel_cannot_be_normalised(tmp_path: Path, whole_batch: bool) -> None:
    task = images(tmp_path, 1)
    with pytest.raises(TrainingError, match=r"set training\.batch_size to 2 or more"):
        tried(task, whole_batch=whole_batch, batch_size=1)
    tried(task, whole_batch=whole_batch, batch_size=2)


def test_one_sample_of_more_pixels_can(tmp_path: Path) -> None:
    tried(images(tmp_path, 8), batch_size=1)


@pytest.mark.parametrize("rate", [1e30, 3e38, 1e39])
def test_a_learning_rate_that_ends_in_no_finite_numbers_at_once_is_refused(tmp_path: Path, rate: float) -> None:
    with pytest.raises(TrainingError, match=r"set training\.optimizer\.lr lower than"):
        tried(images(tmp_path, 8), optimizer={"name": "sgd", "lr": rate})


def test_a_batch_larger_than_the_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"set training\.batch_size to at most 36"):
        tried(images(tmp_path, 8), batch_size=64)


def test_a_batch_that_fits_into_no_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 TiB.")

    monkeypatch.setattr("torch.nn.functional.cross_entropy", exhausted)
    with pytest.raises(TrainingError, match=r"set training\.batch_size lower than 16"):
        tried(images(tmp_path, 8))


def test_random_state_is_as_it_was(tmp_path: Path) -> None:
    task = images(tmp_path, 8)
    torch.manual_seed(7)
    undisturbed = torch.rand(3)
    torch.manual_seed(7)
    tried(task)
    assert torch.equal(torch.rand(3), undisturbed)
