"""What a simulated provider returns counts as a training does, whatever the model and the optimizer are."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from auditor.audit.workspace import Workspace
from auditor.job import parse_job
from auditor.providers.simulated.drawn_checkpoint import Draw, NotDrawable, drawn_checkpoint
from auditor.tasks.checkpoint import encode, read
from tests.command import job_text

DRAW = Draw(steps=10, end=10, batches=1, seed=1, own=1, deviation=0.0)
BATCHES = 'dataset = "digits"\nmodel = "resnet8"'


def workspace(folder: Path, task: str, training: str) -> Workspace:
    return Workspace(parse_job(job_text(task=task, training=training)), folder)


def start(job: Workspace) -> bytes:
    return b"".join(encode(job.initial, job.schema))


def trained(job: Workspace, folder: Path, draw: Draw, begin: bytes) -> dict[str, Tensor]:
    path = folder / f"{draw.end}-{draw.own}"
    path.write_bytes(drawn_checkpoint(begin, draw))
    assert job.check(path, draw.end)  # step, counts, constants and signs, as of every provider's checkpoint
    return read(path, job.schema)


@pytest.mark.parametrize(
    ("task", "training", "batches"),
    [
        pytest.param(BATCHES, 'optimizer = { name = "adamw", lr = 1e-3 }', 1, id="counts of Adam and of batches"),
        pytest.param(BATCHES, "accumulate = 2", 2, id="two batches a step"),
        pytest.param(
            'kind = "random_fourier"\ndataset = "digits"\nfeatures = 20\nclasses = [0, 1]', "", 1, id="constants"
        ),
    ],
)
def test_the_client_refuses_nothing_of_it(tmp_path: Path, task: str, training: str, batches: int) -> None:
    job = workspace(tmp_path, task, training)
    first = drawn_checkpoint(start(job), replace(DRAW, batches=batches))
    assert first != start(job)
    trained(job, tmp_path, replace(DRAW, batches=batches), start(job))
    trained(job, tmp_path, replace(DRAW, batches=batches, end=20), first)


def test_with_one_seed_they_differ_by_rounding_with_two_by_an_update_and_a_deviating_one_by_its_share(
    tmp_path: Path,
) -> None:
    job = workspace(tmp_path, BATCHES, "")
    begin = start(job)

    def model(draw: Draw) -> Tensor:
        tensors = trained(job, tmp_path, draw, begin)
        return torch.cat([tensors[name].flatten() - job.initial[name].flatten() for name in job.parameters])

    usual = model(DRAW)
    length = float(usual.norm())

    def apart(draw: Draw) -> float:
        return float((model(draw) - usual).norm()) / length

    assert model(DRAW).equal(usual)
    assert 0 < apart(replace(DRAW, own=2)) < 1e-4
    assert apart(replace(DRAW, own=2, seed=2)) == pytest.approx(1, rel=0.05)
    assert apart(replace(DRAW, own=2, deviation=0.2)) == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("begin", [b"", b"\x02" + bytes(7) + b"[]", b"\xff" * 40])
def test_what_is_no_checkpoint_is_said_so(begin: bytes) -> None:
    with pytest.raises(NotDrawable):
        drawn_checkpoint(begin, DRAW)


def test_serving_them_imports_no_pytorch() -> None:
    program = "import sys, auditor.providers.simulated.process; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
