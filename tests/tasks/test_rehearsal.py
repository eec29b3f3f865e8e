"""The client executes a sub-run in several honest ways: they differ, by no more than rounding, and leave no trace."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from auditor.job.training import Training
from auditor.planning.plan import REHEARSALS
from auditor.tasks.checkpoint import read
from auditor.tasks.ingredients import NamedIngredients
from auditor.tasks.rehearsal import rehearse
from auditor.tasks.trainer import Trainer
from auditor.tasks.variation import VARIATIONS
from tests.tasks.loading import load_dataset, network_task


@pytest.fixture(params=["vision", "text"])
def trainer(request: pytest.FixtureRequest) -> Trainer:
    names = {"vision": ("digits", "resnet8"), "text": ("reviews", "transformer")}
    dataset, model = names[request.param]
    task = network_task(request.param, dataset=dataset, model=model)
    return Trainer(
        NamedIngredients(task, load_dataset(task, Path())), Training(batch_size=16), device=torch.device("cpu"), seed=1
    )


def test_the_plan_knows_in_how_many_ways() -> None:
    assert len(VARIATIONS) == REHEARSALS


def test_ways_differ_by_rounding_and_the_usual_one_is_what_a_provider_executes(
    trainer: Trainer, tmp_path: Path
) -> None:
    start = trainer.checkpoint()
    for _ in range(3):
        trainer.execute_step()
    expected = trainer.checkpoint()
    found = rehearse(trainer, start, 3, precision="fp32", seconds=1000, folder=tmp_path)
    assert (found.steps, found.halfway) == (3, ())
    ends = [read(path, trainer.schema) for path in found.ends]
    assert all(torch.equal(ends[0][name], value) for name, value in expected.items())
    moved = sum(float((expected[name] - start[name]).square().sum()) for name in expected if name.startswith("model."))
    for end in ends[1:]:
        apart = sum(float((end[name] - value).square().sum()) for name, value in expected.items() if "model" in name)
        assert apart < 0.1 * moved
    assert any(not torch.equal(ends[2][name], value) for name, value in expected.items())
    trainer.load(start)
    for _ in range(3):
        trainer.execute_step()
    assert all(torch.equal(trainer.checkpoint()[name], value) for name, value in expected.items())


def test_where_time_is_short_fewer_steps_are_executed_and_half_of_them_kept(trainer: Trainer, tmp_path: Path) -> None:
    found = rehearse(trainer, trainer.checkpoint(), 10_000, precision="fp32", seconds=2.0, folder=tmp_path)
    assert 1 <= found.steps < 10_000
    assert len(found.ends) == len(found.halfway) == len(VARIATIONS)
    halves = {int(read(path, trainer.schema)["step"]) for path in found.halfway}
    assert halves == {max(1, found.steps // 2)}
