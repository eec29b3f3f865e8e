"""A client's own training is audited like any other: on this machine, and by agents that execute clients' code."""

from __future__ import annotations

import difflib
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT, Auditor

SAMPLE = ROOT / "sample_jobs" / "own_code.py"
BEFORE = ROOT / "docs" / "how-to" / "own-code" / "before.py"
TASK = 'kind = "python"\nmodule = "own_code.py"'


@pytest.fixture
def auditor(auditor: Auditor) -> Auditor:
    shutil.copy(SAMPLE, auditor.folder)
    return auditor


@contextmanager
def agent(auditor: Auditor, *options: str) -> Iterator[str]:
    """The address of an agent with these options."""
    socket = auditor.folder / "agent.sock"
    process = auditor.start("agent", "--socket", str(socket), *options)
    try:
        assert process.stderr is not None
        while "listens on" not in (line := process.stderr.readline()):
            assert line, "the agent ended"
        yield f"unix:{socket}"
    finally:
        process.terminate()
        process.communicate()


def test_the_guides_script_needs_at_most_ten_lines_to_be_audited() -> None:
    before, after = (path.read_text().split('"""', 2)[2].splitlines() for path in (BEFORE, SAMPLE))
    changed = [line for line in difflib.ndiff(before, after) if line[:2] in ("+ ", "- ") and line[2:].strip()]
    assert 0 < len(changed) <= 10
    assert all(line.startswith("+ ") for line in changed)


@pytest.mark.slow
def test_own_code_is_flagged_where_a_provider_deviates_and_clean_where_none_does(auditor: Auditor) -> None:
    for attacks, code in (({}, 0), ({"a": '{ name = "lazy", skip = 0.2 }'}, 10)):
        job = auditor.job(task=TASK, attacks=attacks, audit="fixed_selection = [0, 1, 2]")
        result = auditor.here("run", job, "--json")
        assert result.code == code, result.stderr
        assert result.verdicts == {"a": "flagged" if code else "consistent", "b": "consistent", "c": "consistent"}


@pytest.mark.slow
def test_an_agent_executes_the_code_that_its_owner_allows_and_gets_it_from_the_client(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(auditor.folder))
    told = auditor.here("data", auditor.job(task=TASK), "--json")
    assert told.code == 0, told.stderr
    digest = re.search(r"[0-9a-f]{64}", json.dumps(json.loads(told.stdout)["remarks"]))
    assert digest is not None
    cases: list[tuple[tuple[str, ...], bool]] = [(("--allow-digest", "0" * 64), False)]
    cases += [(("--allow-digest", digest[0]), True), (("--allow-code",), True)]
    for options, allowed in cases:
        with agent(auditor, *options) as address:
            job = auditor.job(task=TASK, steps=10, endpoints={"c": address}, audit="fixed_selection = [0]")
            result = auditor.here("run", job, "--json")
        assert not list(auditor.folder.glob("auditor-code-*"))
        verdict = next(one for one in result.verdict["providers"] if one["name"] == "c")
        assert (verdict["verdict"] == "consistent") is allowed, result.stderr
        assert (f"--allow-digest {digest[0]}" in " ".join(verdict["reasons"])) is not allowed


@pytest.mark.slow
def test_a_run_whose_code_was_changed_is_not_resumed(auditor: Auditor) -> None:
    job = auditor.job(task=TASK, steps=4000, sub_run_steps=100, audit="replicated = 2")
    process = auditor.start("run", job, "--json")
    assert process.stdout is not None
    run = ""
    for line in process.stdout:
        event = json.loads(line)
        run = event["run"]
        if event["event"] == "committed":
            break
    process.send_signal(2)
    process.communicate()
    code = auditor.folder / "own_code.py"
    code.write_text(code.read_text().replace("lr=3e-3", "lr=2e-3"))
    result = auditor.here("resume", run, "--json")
    assert result.code == 1, result.stderr
    assert "the code of this job's data, module = 'own_code.py', has changed since this run started" in result.stderr


ADAPTED = """
import os
import torch
from torch import nn
from auditor.tasks.own.workload import Workload

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.base = nn.Linear(64, 4096).requires_grad_(False)
        drawn = torch.randn(4096, 64, generator=torch.Generator().manual_seed(1))
        self.base.weight.data = drawn * float(os.environ.get("SCALE", "0.1"))
        self.base.bias.data = torch.zeros(4096)
        self.head = nn.Linear(4096, 2)

    def forward(self, inputs):
        return self.head(torch.relu(self.base(inputs)))

def workload(travels_whole=False):
    inputs = torch.randn(300, 64, generator=torch.Generator().manual_seed(2))
    return Workload(Net, (inputs, (inputs[:, 0] > 0).long()), travels_whole=travels_whole)
"""


def adapted(auditor: Auditor, keys: str = "", **parts: Any) -> str:
    """A job whose model has 266,240 numbers that are not trained and 8,194 that are."""
    (auditor.folder / "adapted.py").write_text(ADAPTED)
    return auditor.job(task=f'kind = "python"\nmodule = "adapted.py"\n{keys}', audit="fixed_selection = [1]", **parts)


@pytest.mark.slow
def test_what_is_not_trained_does_not_travel(auditor: Auditor) -> None:
    travelled = {}
    for whole in ("true", "false"):
        result = auditor.here("run", adapted(auditor, f"options = {{ travels_whole = {whole} }}"), "--json")
        assert result.code == 0, result.stderr
        delivered = next(Path(event["path"]) for event in result.events if event["event"] == "model_delivered")
        travelled[whole] = result.verdict["cost"]["bytes"], delivered.stat().st_size
    again = auditor.here("run", adapted(auditor, training='initial = "run:last"'), "--json")
    assert again.code == 0, again.stderr
    assert travelled["false"][0] < travelled["true"][0] / 10
    assert travelled["false"][1] < travelled["true"][1] / 10


@pytest.mark.slow
def test_a_malicious_provider_is_flagged_by_what_travelled(auditor: Auditor) -> None:
    result = auditor.here("run", adapted(auditor, attacks={"a": '{ name = "lazy", skip = 0.3 }'}), "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent"}


@pytest.mark.slow
def test_a_provider_with_another_base_says_so_before_it_trains(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCALE", "0.2")
    with agent(auditor, "--allow-code") as address:
        monkeypatch.delenv("SCALE")
        result = auditor.here("run", adapted(auditor, endpoints={"c": address}), "--json")
    assert result.verdicts == {"a": "consistent", "b": "consistent", "c": "inconclusive"}
    reasons = next(" ".join(one["reasons"]) for one in result.verdict["providers"] if one["name"] == "c")
    assert "the data of this agent differs from the client's: the frozen base" in reasons
