"""An agent that draws its own initial state, and commits to it before its first step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from auditor.job import Training
from auditor.tasks.checkpoint import digest_of
from tests.providers.test_agent_and_its_clients import client, order, over
from tests.tasks.loading import network_program, network_task

PROGRAM = network_program(network_task(dataset="digits", model="resnet8"))
TRAINING: dict[str, Any] = {"steps": 10, "batch_size": 8}


def own(run: str, **changes: Any) -> dict[str, Any]:
    given = order(run, (0, 2), dataset="digits") | {"training": TRAINING, "dataset_digest": PROGRAM.digest}
    return given | {"start": None, "seed": None} | changes


async def test_it_commits_to_what_its_seed_gives_whatever_it_executed_before(tmp_path: Path) -> None:
    async with client(tmp_path, seed=77) as asking:
        found = []
        for run in ("first", "again"):  # the second finds a learner that has trained
            assert (await asking.post("/runs", json=own(run, disclose=True))).status_code == 200
            found.append(await over(asking, run))
    learner = PROGRAM.learner(Training(**TRAINING), device=torch.device("cpu"), seed=77)
    for status in found:
        assert (status["state"], status["seed"]) == ("finished", 77), status
        assert [made["step"] for made in status["commitments"]] == [0, 2]
        assert status["commitments"][0]["digest"] == digest_of(learner.checkpoint(), learner.schema)
    first, again = ([made["digest"] for made in status["commitments"]] for status in found)
    assert first == again


async def test_it_tells_its_seed_only_to_who_asks(tmp_path: Path) -> None:
    async with client(tmp_path) as asking:
        await asking.post("/runs", json=own("r"))
        status = await over(asking, "r")
    assert (status["state"], status["seed"]) == ("finished", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"boundaries": [2, 4]},
        {"boundaries": [0]},
        {"start_step": 2, "boundaries": [2, 4]},
        {"training": TRAINING | {"initial": "mine.safetensors"}},
    ],
)
async def test_it_refuses_what_does_not_begin_at_the_beginning(tmp_path: Path, changes: dict[str, Any]) -> None:
    async with client(tmp_path) as asking:
        assert (await asking.post("/runs", json=own("r", **changes))).status_code == 422
