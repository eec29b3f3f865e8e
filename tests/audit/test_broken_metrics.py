"""A metric that fails is one line naming it and its package; the others, and the run, go on without it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from auditor.audit.comparator import Comparator
from auditor.audit.job_plugins import check_plugins
from auditor.audit.measurement import Measurement
from auditor.audit.preparation import prepare
from auditor.audit.selection import Selection
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
    def represent(self, model):
        return math.fsum(float(tensor.square().sum()) for _, tensor in model.parameters())
    def distance(self, first, second):
        return abs(first - second)
"""

BODIES = {
    "raises": ("def represent(self, model): raise OSError('no\\n licence')", "OSError: no licence"),
    "leaves": ("def represent(self, model): sys.exit('goodbye')", "RuntimeError: SystemExit: goodbye"),
    "nan": ("def distance(self, first, second): return math.nan", "it returned the distance nan"),
    "negative": ("def distance(self, first, second): return -1.0", "it returned the distance -1.0"),
    "nothing": ("def distance(self, first, second): return None", "TypeError: "),
    "shape": ("def distance(self, first, second): return torch.zeros(3)", "ValueError: "),
}


def job(folder: Path, bodies: dict[str, str], audit: str = "", others: tuple[str, ...] = ("update", "output")) -> Job:
    """A job with metrics in a file: each is `Norm`, but for its body."""
    classes = [f"class {name.title()}(Norm):\n    name = {name!r}\n    {body}\n" for name, body in bodies.items()]
    (folder / "broken.py").write_text(PLUGIN + "\n".join(classes))
    text = 'plugins = ["broken.py"]\n' + job_text(metrics=str([*bodies, *others]), audit=audit)
    return parse_job(text, folder=folder)


def comparator(job: Job, folder: Path) -> Comparator:
    return prepare(job, Selection(job, b"secret"), folder)[1]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def returned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints by name: `start`, and two that were trained from it."""
    folder = tmp_path_factory.mktemp("models")
    Models(folder)
    return {name: folder / name for name in ("start", "one", "other")}


async def measured(
    comparator: Comparator, returned: dict[str, Path], given_up: dict[str, str] | None = None
) -> dict[str, Measurement]:
    models = {name: path for name, path in returned.items() if name != "start"}
    measurements = await comparator.measure(returned["start"], models, 4, 4, given_up)
    return {measurement.metric: measurement for measurement in measurements}


async def test_metrics_that_fail_are_named_with_their_file_and_the_others_measure(
    tmp_path: Path, returned: dict[str, Path]
) -> None:
    broken = job(tmp_path, {name: body for name, (body, _) in BODIES.items()})
    found = await measured(comparator(broken, tmp_path), returned)
    for name, (_, words) in BODIES.items():
        failure = found[name].failure
        assert failure is not None, name
        assert words in failure
        assert failure.endswith(f" (file {tmp_path / 'broken.py'})")
        assert "\n" not in failure
        assert found[name].values == ()
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
    stuck = job(tmp_path, {"stuck": body.strip()}, audit="metric_seconds = 1.5")
    yield stuck
    module(stuck).RELEASE.set()


def module(job: Job) -> Any:
    return sys.modules[Catalogue(job.plugins).load("metrics", "stuck").__module__]


async def test_a_metric_that_takes_for_ever_is_left_behind_and_not_called_again(
    tmp_path: Path, stuck: Job, returned: dict[str, Path]
) -> None:
    space = comparator(stuck, tmp_path)
    first = await measured(space, returned)
    given_up = {name: str(found.failure) for name, found in first.items() if found.given_up}
    second = await measured(space, returned, given_up)
    reason = f"it took longer than 1.5 s (file {tmp_path / 'broken.py'})"
    assert given_up == {"stuck": reason}
    assert second["stuck"].failure == f"it is no longer used, because in an earlier sub-run {reason}"
    assert not second["stuck"].given_up
    assert len(module(stuck).CALLS) == 1
    # The thread that was left behind now loads its weights into a network that nobody else uses.
    module(stuck).RELEASE.set()
    third = await measured(space, returned, given_up)
    assert first["output"].values == second["output"].values == third["output"].values
    assert first["output"].failure is None


async def test_an_interruption_does_not_wait_for_a_metric(
    tmp_path: Path, stuck: Job, returned: dict[str, Path]
) -> None:
    patient = stuck.audit.model_copy(update={"metric_seconds": 600.0})
    space = comparator(stuck.model_copy(update={"audit": patient}), tmp_path)
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
        ("tasks = frozenset({'text'})", "does not support vision tasks, only text"),
    ],
)
def test_a_metric_that_cannot_begin_is_refused_before_anything_is_started(
    tmp_path: Path, body: str, words: str
) -> None:
    with pytest.raises(PluginError, match=words) as caught:
        comparator(job(tmp_path, {"broken": body}, audit="metric_seconds = 0.3", others=()), tmp_path)
    assert str(caught.value).startswith(f"metric 'broken' of file {tmp_path / 'broken.py'} ")


def test_a_plugin_that_takes_for_ever_to_import_is_named(tmp_path: Path) -> None:
    stuck = job(tmp_path, {"broken": "threading.Event().wait(9)"}, audit="metric_seconds = 0.3", others=())
    with pytest.raises(PluginError, match=r"^plugin file .*broken\.py took longer than 0\.3 s to load"):
        check_plugins(stuck)
