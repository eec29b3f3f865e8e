"""An audit with plugins from files: one that works, and others that fail in the middle of it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.command import Auditor, job_text, until
from tests.guide import save_examples

TROUBLE = """
import torch
from auditor.plugins import Attack, Metric

class Endless(Metric[int]):
    name = "endless"
    def represent(self, model):
        while True:
            model.logits(torch.zeros(8, 1, 8, 8, dtype=torch.uint8))
    def distance(self, first, second): return 0.0

class Breaks(Attack):
    name = "breaks"
    def on_update(self, model, step):
        raise ValueError(f"not at step {step}")
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_goes_on_with_the_plugins_that_it_began_with_and_without_those_that_fail(
    auditor: Auditor, tmp_path: Path
) -> None:
    save_examples(tmp_path)
    (tmp_path / "trouble.py").write_text(TROUBLE)
    text = job_text(
        providers=("a", "b", "c", "d"),
        attacks={"a": '{ name = "negative", target = 3, rate = 0.3 }', "d": '{ name = "breaks" }'},
        metrics='["update", "endless", { name = "angle", layers = "" }]',
        audit="fixed_selection = [0, 1]\nmetric_seconds = 2.0",
        sub_run_steps=15,
    )
    (tmp_path / "job.toml").write_text(f'plugins = ["angle.py", "./negative.py"]\n{text}')
    process = auditor.start("run", "job.toml", "--plugin", "trouble.py", "--json")
    run = [event["run"] for event in until(process, "committed")][-1]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (tmp_path / "angle.py").write_text("raise OSError('changed since')\n")
    (tmp_path / "negative.py").unlink()

    resumed = auditor("resume", run, "--json")
    # Were the endless metric's thread not left behind when the process ends, PyTorch would abort it.
    assert resumed.code == 10, resumed.stderr
    assert f"note: {tmp_path}/angle.py has been changed. The run continues with the plugin as it was" in resumed.stderr
    assert f"note: {tmp_path}/negative.py does not exist. The run continues" in resumed.stderr
    assert resumed.verdicts == {"a": "flagged", "b": "inconclusive", "c": "inconclusive", "d": "inconclusive"}
    reasons = {one["name"]: " ".join(one["reasons"]) for one in resumed.verdict["providers"]}
    assert "times as far under angle" in reasons["a"]
    assert f"the metric endless failed: it took longer than 2 s (file {tmp_path}/trouble.py)" in reasons["b"]
    assert "is no longer used, because in an earlier sub-run it took longer than 2 s" in reasons["b"]
    broken = f"attack 'breaks' of file {tmp_path}/trouble.py failed in on_update: ValueError: not at step"
    assert broken in reasons["d"]
    achieved = {one["provider"]: one["success_rate"] for one in resumed.events if one["event"] == "attack_measured"}
    assert achieved.keys() == {"a"}
    assert achieved["a"] > 0.5


SLOW = """
import time
from auditor.plugins import Metric

class Slow(Metric[float]):
    name = "slow"
    def represent(self, model):
        time.sleep(60)
        return 0.0
    def distance(self, first, second): return 0.0
"""


@pytest.mark.slow
def test_a_metric_that_took_too_long_is_not_tried_again_after_a_resume(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    text = job_text(metrics='["slow"]', audit="fixed_selection = [0, 1]\nmetric_seconds = 3.0", steps=20)
    (tmp_path / "job.toml").write_text(text)
    process = auditor.start("run", "job.toml", "--plugin", "slow.py", "--json")
    run = [event["run"] for event in until(process, "metric_failed")][-1]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    resumed = auditor.here("resume", run, "--json")
    assert resumed.code == 11, resumed.stderr
    events = auditor.here("show", run, "--json").events
    failures = [(event["given_up"], event["reason"]) for event in events if event["event"] == "metric_failed"]
    assert [given_up for given_up, _ in failures] == [True, False]
    assert failures[1][1].startswith("it is no longer used, because in an earlier sub-run it took longer than 3 s")
