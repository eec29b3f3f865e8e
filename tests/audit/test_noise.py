"""With shared seeds noise is measured in the run, so that honest machines may differ; all of the state is compared."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT, Auditor, Result

METRIC = """
from auditor.plugins import Metric

class Norm(Metric[float]):
    "The difference of the norms of all weights; nobody has said how noisy it is."
    name = "norm"
    def represent(self, model):
        return float(sum(float(tensor.double().square().sum()) for _, tensor in model.parameters()) ** 0.5)
    def distance(self, first, second):
        return abs(first - second)
"""

MOMENTUM = """
from auditor.plugins import Attack

class Momentum(Attack):
    "Changes nothing but the momentum that it hands on."
    name = "momentum"
    def on_checkpoint(self, tensors, step):
        return {name: tensor * 2 if name.startswith("optimizer.") else tensor for name, tensor in tensors.items()}
"""


@pytest.fixture
def other_machine(tmp_path: Path) -> Iterator[str]:
    """The endpoint of an honest agent that rounds differently from the providers on this machine."""
    socket = tmp_path / "other.sock"
    environment = os.environ | {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "AUDITOR_HOME": str(tmp_path / "other home"),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "auditor", "agent", "--socket", str(socket), "--threads", "1"]
    agent = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert agent.stderr is not None
        assert "listens on" in agent.stderr.readline()
        while not socket.exists():
            assert agent.poll() is None, agent.stderr.read()
        yield f"unix:{socket}"
    finally:
        agent.terminate()
        agent.communicate()


@pytest.mark.slow
def test_an_honest_provider_on_another_machine_is_consistent_at_a_large_learning_rate_and_under_any_metric(
    auditor: Auditor, other_machine: str
) -> None:
    (auditor.folder / "norm.py").write_text(METRIC)
    text = auditor.job(
        providers=["a", "b", "c"],
        endpoints={"c": other_machine},
        steps=8,
        sub_run_steps=4,
        task='dataset = "digits"\nmodel = "resnet20"',
        training='optimizer = { name = "sgd", lr = 0.2 }',
        metrics='["update", "norm", "logits"]',
        audit="fixed_selection = [0, 1]\nfalse_alarm_rate = 0.05",
    )
    path = auditor.folder / text
    path.write_text('plugins = ["norm.py"]\n' + path.read_text())
    found = auditor.here("run", text, "--json")
    apart = [one for one in found.events if one["event"] == "distances_measured"]
    assert any(one["values"][0][2] > 0 for one in apart), "the other machine rounds as this one does"
    assert {one["metric"] for one in apart} == {"update", "norm", "logits", "buffers", "optimizer"}
    assert all(one["noise_floor"] > 0 for one in apart)
    assert "flagged" not in found.verdicts.values(), found.stdout


def run(auditor: Auditor, **parts: str) -> Result:
    return auditor.here("run", auditor.job(**parts), "--json")


@pytest.mark.slow
def test_a_change_of_the_momentum_alone_is_seen_whatever_metrics_the_job_names(auditor: Auditor) -> None:
    (auditor.folder / "momentum.py").write_text(MOMENTUM)
    name = auditor.job(
        attacks={"a": '{ name = "momentum" }'}, steps=62, sub_run_steps=2, audit="fixed_selection = [30]"
    )
    path = auditor.folder / name
    path.write_text('plugins = ["momentum.py"]\n' + path.read_text())
    found = auditor.here("run", name, "--json")
    assert found.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent"}
    by_metric = {one["metric"]: one for one in found.events if one["event"] == "distances_measured"}
    assert by_metric["update"]["values"][0][1] == 0
    reasons = next(one for one in found.verdict["providers"] if one["name"] == "a")["reasons"]
    assert any("optimizer" in reason for reason in reasons)


@pytest.mark.slow
def test_a_run_in_which_nothing_could_be_seen_is_not_called_clean(auditor: Auditor) -> None:
    found = run(
        auditor,
        steps=20,  # type: ignore[arg-type]
        sub_run_steps=20,  # type: ignore[arg-type]
        task='dataset = "digits"\nmodel = "resnet20"',
        training='optimizer = { name = "sgd", lr = 0.9 }',
        audit="fixed_selection = [0]",
    )
    assert found.code == 11
    reasons = [one["reasons"] for one in found.verdict["providers"]]
    assert all("nothing could be seen" in reason[0] for reason in reasons), reasons
