"""A client's own program is audited like any other training: by local providers, by agents, with a model in Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.test_own_code import agent
from tests.command import ROOT, Auditor

SAMPLE = ROOT / "sample_jobs" / "command.py"
PROGRAM = ROOT / "tests" / "tasks" / "command" / "programs.py"
MODEL = '''
"""The network of command.py in PyTorch."""

import torch
from torch import nn

from auditor.tasks.own.workload import Workload
from command import spirals


class Layer(nn.Module):
    def __init__(self, fan_in, fan_out):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(fan_in, fan_out))
        self.bias = nn.Parameter(torch.zeros(fan_out))

    def forward(self, inputs):
        return inputs @ self.weight + self.bias


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer0, self.layer1, self.layer2 = Layer(2, 32), Layer(32, 32), Layer(32, 2)

    def forward(self, inputs):
        return self.layer2(torch.tanh(self.layer1(torch.tanh(self.layer0(inputs)))))


def workload():
    inputs, labels = spirals()
    return Workload(model=Model, training=(torch.from_numpy(inputs), torch.from_numpy(labels)))
'''


@pytest.fixture
def auditor(auditor: Auditor) -> Auditor:
    shutil.copy(SAMPLE, auditor.folder)
    shutil.copy(PROGRAM, auditor.folder)
    return auditor


def job(
    auditor: Auditor,
    *,
    attack: str = "",
    more: str = "",
    metrics: str = '["update"]',
    endpoint: str = "local:cpu",
    script: str = '"command.py", "train"',
    begin: str = '"command.py", "begin", "{checkpoint_out}", "{seed}"',
    steps: int = 40,
    initial: str = "",
) -> str:
    """Write a job of three providers, the first of which is the primary."""
    name, needs = "job.toml", sorted({word.strip('", ') for word in f"{script} {begin}".split() if ".py" in word})
    providers = "".join(
        f'[[providers]]\nname = "{one}"\nendpoint = "{endpoint if one == "c" else "local:cpu"}"\n'
        f"primary = {str(one == 'a').lower()}\n{attack if one == 'a' else ''}\n"
        for one in "abc"
    )
    python = json.dumps(sys.executable)  # one that starts fast; the one that executes these tests need not
    tail = '"{checkpoint_in}", "{checkpoint_out}", "{start_step}", "{steps}", "{seed}"'
    lines = [
        'name = "own program"',
        "seed = 2",
        "[task]",
        'kind = "command"',
        f"command = [{python}, {script}, {tail}]",
        f"begin = [{python}, {begin}]" if not initial else "",
        f"needs = {json.dumps(needs)}",
        more,
        "[training]",
        f"steps = {steps}",
        f'initial = "{initial}"' if initial else "",
        "[audit]",
        "sub_run_steps = 20",
        "fixed_selection = [1]",
        f"metrics = {metrics}",
        providers,
    ]
    (auditor.folder / name).write_text("\n".join(lines))
    return name


@pytest.mark.slow
def test_a_program_is_flagged_where_a_provider_deviates_and_clean_where_none_does(auditor: Auditor) -> None:
    """The honest ones start from a file of the client's, the others from what the program writes."""
    subprocess.run([sys.executable, "command.py", "begin", "start.safetensors", "4"], cwd=auditor.folder, check=True)
    for attack, code, initial in (("", 0, "start.safetensors"), ('attack = { name = "lazy", skip = 0.2 }', 10, "")):
        result = auditor.here("run", job(auditor, attack=attack, initial=initial), "--json")
        assert result.code == code, result.stderr
        assert result.verdicts == {"a": "flagged" if code else "consistent", "b": "consistent", "c": "consistent"}


@pytest.mark.slow
def test_another_program_and_a_changed_checkpoint_are_flagged(auditor: Auditor) -> None:
    other = auditor.folder / "other.py"
    other.write_text(SAMPLE.read_text().replace("RATE, MOMENTUM = 64, 0.05", "RATE, MOMENTUM = 64, 0.051"))
    for attack in (
        f'{{ name = "other_command", replace = {{ "command.py" = "{other}" }} }}',
        '{ name = "intermittent", sub_runs = [1], attack = { name = "tamper", names = "layer1.*", amount = 0.01 } }',
    ):
        result = auditor.here("run", job(auditor, attack=f"attack = {attack}"), "--json")
        assert result.code == 10, result.stderr
        assert result.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent"}


def test_an_attack_that_acts_inside_steps_is_refused(auditor: Auditor) -> None:
    for attack, words in (
        ('{ name = "badnets", rate = 0.1 }', "does not support command tasks"),
        ('{ name = "lazy", batch = 0.5 }', "a command task makes its batches by itself; use skip or return_given"),
    ):
        result = auditor.here("run", job(auditor, attack=f"attack = {attack}"))
        assert result.code == 2, result.stderr
        assert words in " ".join(result.stderr.split())


@pytest.mark.slow
def test_a_model_in_python_opens_the_metrics_that_compute(auditor: Auditor) -> None:
    (auditor.folder / "model.py").write_text(MODEL)
    python = 'python = { module = "model.py", needs = ["command.py"] }'
    refused = auditor.here("run", job(auditor, metrics='["update", "logits"]'))
    assert refused.code == 2
    assert "does not support command tasks" in " ".join(refused.stderr.split())
    name = job(auditor, more=python, metrics='["update", "logits", "output"]', attack='attack = {name="lazy",skip=0.2}')
    result = auditor.here("run", name, "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent"}
    measured = {event["metric"] for event in result.events if event["event"] == "distances_measured"}
    assert measured == {"update", "logits", "output", "optimizer"}
    delivered = next(event for event in result.events if event["event"] == "model_delivered")
    assert 0.4 < delivered["accuracy"] <= 1
    (auditor.folder / "model.py").write_text(MODEL.replace("layer0", "layerA"))
    other = auditor.here("run", name)
    assert other.code in (1, 2)
    assert "the model of task.python has layerA.weight" in " ".join(other.stderr.split())


@pytest.mark.slow
def test_an_agent_executes_the_program_if_its_owner_allows_it(auditor: Auditor) -> None:
    for options, allowed in (((), False), (("--allow-code",), True)):
        with agent(auditor, *options) as address:
            result = auditor.here("run", job(auditor, endpoint=address), "--json")
        verdict = next(one for one in result.verdict["providers"] if one["name"] == "c")
        assert (verdict["verdict"] == "consistent") is allowed, result.stderr
        assert ("--allow-digest" in " ".join(verdict["reasons"])) is not allowed


@pytest.mark.slow
def test_a_program_that_fails_at_a_provider_alone_accuses_nobody(auditor: Auditor) -> None:
    """One replica's program exits with 3, for instance because its disk is full."""
    failing = auditor.folder / "sometimes.py"
    stop = "    if 'providers/02' in os.getcwd():\n        sys.exit('no space left here')\n"
    failing.write_text(PROGRAM.read_text().replace("def main() -> None:\n", f"def main() -> None:\n{stop}"))
    script = '"sometimes.py", "tell"'
    begin = '"sometimes.py", "begin", "-", "{checkpoint_out}", "0", "0", "{seed}"'
    result = auditor.here("run", job(auditor, script=script, begin=begin), "--json")
    verdict = next(one for one in result.verdict["providers"] if one["name"] == "c")
    assert verdict["verdict"] in ("unreachable", "inconclusive")
    assert "no space left here" in " ".join(verdict["reasons"])
    assert {one["verdict"] for one in result.verdict["providers"] if one["name"] != "c"} == {"consistent"}


def test_a_program_that_cannot_work_is_refused_before_anybody_is_asked(auditor: Auditor) -> None:
    begin = '"programs.py", "begin", "-", "{checkpoint_out}", "0", "0", "{seed}"'
    result = auditor.here("run", job(auditor, script='"programs.py", "fail"', begin=begin))
    assert result.code == 2, result.stderr
    assert "the command ended with status 3 in step 0: the disk is gone" in " ".join(result.stderr.split())
    assert "is ready" not in result.stderr


def test_the_plan_says_what_is_missing(auditor: Auditor) -> None:
    name = job(auditor)
    assert auditor.here("plan", name).code == 0
    (auditor.folder / "command.py").unlink()
    result = auditor.here("plan", name)
    assert "there is no such file. Name files beside" in " ".join((result.stdout + result.stderr).split())
    path = Path(auditor.folder / name)
    path.write_text(
        path.read_text().replace(f"command = [{json.dumps(sys.executable)}", 'command = ["no-such-program"')
    )
    (auditor.folder / "command.py").write_text("")
    result = auditor.here("plan", name)
    assert "there is no program 'no-such-program' here" in " ".join((result.stdout + result.stderr).split())
