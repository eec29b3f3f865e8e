"""A metric that fails is one line naming it and its package; the others, and the run, go on without it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.audit.measuring import Measured
from auditor.audit.selection import Selection
from auditor.audit.workspace import Workspace, check_plugins
from auditor.job import Job, parse_job
from auditor.plugins import Catalogue, PluginError
from tests.command import job_text
from tests.plugins.models import Models

PLUGIN = """
import math, sys, threading
import torch
from auditor.plugins import Metric

RELEASE = threading.Event()
CALLS = []

class Norm(Metric[float]):
    name = "broken"
    def represent(self, model):
        return math.fsum(float(tensor.square().sum()) for _, tensor in model.parameters())
    def distance(self, first, second):
        return abs(first - second)

class Broken(Norm):
    {body}
del Norm.name
Broken.name = "broken"
"""

BODIES = {
    "raises": ("def represent(self, model): raise OSError('no\\n        licence')", "OSError: no licence"),
    "leaves": ("def represent(self, model): sys.exit('goodbye')", "RuntimeError: SystemExit: goodbye"),
    "nan": ("def distance(self, first, second): return math.nan", "nan for a distance"),
    "negative": ("def distance(self, first, second): return -1.0", "-1.0 for a distance"),
    "nothing": ("def distance(self, first, second): return None", "TypeError: "),
    "shape": ("def distance(self, first, second): return torch.zeros(3)", "ValueError: "),
    "noise": ("noise = 0.1", "AttributeError"),
}


def job(folder: Path, body: str, audit: str = "", metrics: str = '["update", "broken", "output"]') -> Job:
    (folder / "broken.py").write_text(PLUGIN.replace("{body}", body).replace("\\n        ", "\\n"))
    text = 'plugins = ["broken.py"]\n' + job_text(metrics=metrics, audit=audit)
    return parse_job(text, folder=folder)


def workspace(job: Job, folder: Path) -> Workspace:
    return Workspace(job, Selection(job, b"secret"), folder)


@pytest.fixture(scope="module")
def returned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints by name: `start`, and two that were trained from it."""
    folder = tmp_path_factory.mktemp("models")
    Models(folder)
    return {name: folder / name for name in ("start", "one", "other")}


async def measured(space: Workspace, returned: dict[str, Path]) -> dict[str, Measured]:
    models = {name: path for name, path in returned.items() if name != "start"}
    return {one.metric: one for one in await space.measure(returned["start"], models, 4, 4)}


@pytest.mark.parametrize("case", BODIES)
async def test_a_metric_that_fails_is_named_with_its_file_and_the_others_measure(
    case: str, tmp_path: Path, returned: dict[str, Path]
) -> None:
    body, words = BODIES[case]
    found = await measured(workspace(job(tmp_path, body), tmp_path), returned)
    failure = found["broken"].failure
    assert failure is not None
    assert words in failure
    assert failure.endswith(f" (file {tmp_path / 'broken.py'})")
    assert "\n" not in failure
    assert found["broken"].values == ()
    for name in ("update", "output"):
        assert found[name].failure is None
        assert found[name].values[0][1] > 0


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[Job]:
    """A job whose metric, in the middle of computing, does not return before the test ends."""
    body = """
    def represent(self, model):
        CALLS.append(model)
        model.logits(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))
        RELEASE.wait()
        return model.logits(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))
"""
    stuck = job(tmp_path, body.strip(), audit="metric_seconds = 1.5")
    yield stuck
    module(stuck).RELEASE.set()


def module(job: Job) -> Any:
    return sys.modules[Catalogue(job.plugins).load("metrics", "broken").__module__]


async def test_a_metric_that_takes_for_ever_is_left_behind_and_not_called_again(
    tmp_path: Path, stuck: Job, returned: dict[str, Path]
) -> None:
    space = workspace(stuck, tmp_path)
    first, second = await measured(space, returned), await measured(space, returned)
    assert first["broken"].failure == f"it took longer than 1.5 s (file {tmp_path / 'broken.py'})"
    assert "in an earlier sub-run and is not used any more (file" in str(second["broken"].failure)
    assert len(module(stuck).CALLS) == 1
    # The thread that was left behind now loads its weights into a network that nobody else uses.
    module(stuck).RELEASE.set()
    third = await measured(space, returned)
    assert first["output"].values == second["output"].values == third["output"].values
    assert first["output"].failure is None


async def test_an_interruption_does_not_wait_for_a_metric(
    tmp_path: Path, stuck: Job, returned: dict[str, Path]
) -> None:
    patient = stuck.audit.model_copy(update={"metric_seconds": 600.0})
    space = workspace(stuck.model_copy(update={"audit": patient}), tmp_path)
    waiting = asyncio.create_task(measured(space, returned))
    while not module(stuck).CALLS:
        await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not module(stuck).RELEASE.is_set()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("def begin(self, context): raise ValueError('12 classes')", "cannot be used for this job: 12 classes"),
        ("def begin(self, context): threading.Event().wait(9)", r"for this job: took longer than 0\.3 s"),
        ("def __init__(self, options): raise OSError('no licence')", "cannot be made: OSError: no licence"),
        ("Options = 3", "cannot be made: AttributeError"),
        ("tasks = frozenset({'text'})", "is not defined for vision tasks, only for text"),
    ],
)
def test_a_metric_that_cannot_begin_is_refused_before_anything_is_started(
    tmp_path: Path, body: str, words: str
) -> None:
    with pytest.raises(PluginError, match=words) as caught:
        workspace(job(tmp_path, body, audit="metric_seconds = 0.3", metrics='["broken"]'), tmp_path)
    assert str(caught.value).startswith(f"metric 'broken' of file {tmp_path / 'broken.py'} ")


def test_a_plugin_that_takes_for_ever_to_import_is_named(tmp_path: Path) -> None:
    stuck = job(tmp_path, "threading.Event().wait(9)", audit="metric_seconds = 0.3", metrics='["update"]')
    with pytest.raises(PluginError, match=r"^plugin file .*broken\.py took longer than 0\.3 s to load"):
        check_plugins(stuck)
