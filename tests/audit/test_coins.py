"""Who draws what is random, and what an audit sees of a primary that loads it."""

from __future__ import annotations

import json
import signal

import pytest
import torch
from safetensors.torch import save_file

from auditor.job import Training
from tests.command import Auditor, Result, job_text, until
from tests.pretender import serving
from tests.tasks.loading import network_program, network_task

pytestmark = pytest.mark.slow

LOADS = """
import torch
from auditor.plugins import Attack, Options, option

class Loads(Attack):
    '''Trains honestly from initial weights that it has changed.'''
    name = "loads"
    class Options(Options):
        size: float = option(0.5, "how much is added to the first weights")
    def on_initial(self, tensors, step):
        if step > 0:
            return tensors
        name = next(name for name in tensors if name.endswith("weight") and tensors[name].ndim == 4)
        return {**tensors, name: tensors[name] + self.options.size}
"""
ONE = "fixed_selection = [0]"
UNSEEN = "A backdoor that is in them cannot be seen by comparing executions: every replica starts from them."
MANY = "It can try many seeds in secret and take the one that suits it best."
DRAWS = {
    ("own", "provider"): (UNSEEN, "the primary drew it and did not say from which seed"),
    ("shared", "provider"): (MANY, "it follows from the seed that the primary disclosed"),
    ("shared", "coin"): (None, "it follows from the coin"),
    ("own", "coin"): (None, "it follows from the coin"),
    ("shared", "client"): (None, "it follows from the job's seed"),
    ("own", "client"): (None, "it follows from the job's seed"),
}


def draws(seeds: str, drawn_by: str) -> str:
    return f'{ONE}\nseeds = "{seeds}"\ndrawn_by = "{drawn_by}"'


def loading(auditor: Auditor, seeds: str, drawn_by: str) -> Result:
    (auditor.folder / "loads.py").write_text(LOADS)
    text = job_text(attacks={"a": '{ name = "loads" }'}, steps=10, audit=draws(seeds, drawn_by))
    (auditor.folder / "job.toml").write_text(f'plugins = ["loads.py"]\n{text}')
    return auditor.here("run", "job.toml", "--json")


@pytest.mark.parametrize(("seeds", "drawn_by"), DRAWS)
def test_honest_providers_are_consistent_whoever_draws(auditor: Auditor, seeds: str, drawn_by: str) -> None:
    warning, checked = DRAWS[seeds, drawn_by]
    result = auditor.here("run", auditor.job(steps=10, audit=draws(seeds, drawn_by)), "--json")
    assert (result.code, result.verdicts) == (0, dict.fromkeys("abc", "consistent")), result.stderr
    warnings = " ".join(result.events[0]["warnings"])
    assert [words for words in (UNSEEN, MANY) if words in warnings] == ([warning] if warning else [])
    verified = auditor.here("verify", "last")
    assert verified.code == 0
    assert f"initial state: {checked}" in verified.stdout
    (start, *_) = (event for event in result.events if event["event"] == "committed")
    assert (start["boundary"], start["step"]) == (0, 0)
    report = json.loads(auditor.here("report", "last", "--format", "json").stdout)
    assert report["asked"]["drawn_by"] == report["coins"]["drawn_by"] == drawn_by
    assert "Traceback" not in auditor.here("report", "last", "--format", "markdown").stdout


def test_initial_weights_that_the_primary_loaded_are_not_seen_where_it_draws_them_in_silence(auditor: Auditor) -> None:
    result = loading(auditor, "own", "provider")
    assert (result.code, result.verdicts) == (0, dict.fromkeys("abc", "consistent"))
    assert UNSEEN in " ".join(result.events[0]["warnings"])
    said = {one["name"]: " ".join(one["reasons"]) for one in result.verdict["providers"]}
    assert {name for name in said if "drew the initial weights itself, and nothing can check those" in said[name]} == {
        "a"
    }
    opened = [event["boundary"] for event in result.events if event["event"] == "boundary_opened"]
    assert sorted(opened) == [0, 1]
    report = json.loads(auditor.here("report", "last", "--format", "json").stdout)
    assert UNSEEN in " ".join(report["limits"])
    rollback = next(way for way in auditor.here("cure", "last", "--json").events if way["way"] == "rollback")
    assert "from the beginning, as nobody checked the initial weights" in rollback["words"]


def test_they_are_seen_at_once_where_it_discloses_the_seed(auditor: Auditor) -> None:
    result = loading(auditor, "shared", "provider")
    assert (result.code, result.verdicts["a"]) == (10, "flagged")
    assert "flagged" not in (result.verdicts["b"], result.verdicts["c"])
    reasons = next(one["reasons"] for one in result.verdict["providers"] if one["name"] == "a")
    assert "started from an initial state that does not follow from the seed that it disclosed" in reasons
    (compared,) = (event for event in result.events if event["event"] == "start_compared")
    assert compared["agrees"] is False
    verified = auditor.here("verify", "last")
    assert verified.code == 10
    assert (
        "does not hold  initial state: it does not follow from the seed that the primary disclosed" in verified.stdout
    )


@pytest.mark.parametrize("drawn_by", ["client", "coin"])
def test_they_are_seen_where_others_draw_them(auditor: Auditor, drawn_by: str) -> None:
    result = loading(auditor, "shared", drawn_by)
    assert (result.code, result.verdicts) == (10, {"a": "flagged", "b": "consistent", "c": "consistent"})
    assert auditor.here("verify", "last").code == 0


@pytest.mark.parametrize(("seeds", "moment"), [("shared", "seed_disclosed"), ("own", "committed")])
def test_a_run_whose_primary_draws_goes_on_after_a_kill_with_what_was_drawn(
    auditor: Auditor, seeds: str, moment: str
) -> None:
    audit = f'fixed_selection = [0, 2]\nseeds = "{seeds}"\ndrawn_by = "provider"'
    process = auditor.start("run", auditor.job(steps=30, audit=audit), "--json")
    run = [event["run"] for event in until(process, moment)][-1]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    resumed = auditor.here("resume", run, "--json")
    assert (resumed.code, resumed.verdicts) == (0, dict.fromkeys("abc", "consistent")), resumed.stderr
    everything = auditor.here("show", run, "--json").events
    kinds = [event["event"] for event in everything]
    assert kinds.count("seed_disclosed") == kinds.count("start_compared") == (seeds == "shared")
    committed = [event["boundary"] for event in everything if event["event"] == "committed"]
    assert committed == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("trick", "words"),
    [
        ("put.honest", "committed to a checkpoint before it disclosed the seed that it drew"),
        ("status.draws", "committed to a checkpoint that no training of this job produces at step 0"),
        ("status.draws_again", "disclosed another seed than before"),
    ],
)
def test_a_primary_that_does_not_keep_to_one_seed_is_flagged(auditor: Auditor, trick: str, words: str) -> None:
    with serving([trick], auditor.folder) as endpoints:
        job = auditor.job(
            providers=["p", "b", "c"], endpoints={"p": endpoints[trick]}, steps=10, audit=draws("shared", "provider")
        )
        result = auditor.here("run", job, "--json")
    assert (result.code, result.verdicts) == (10, {"p": "flagged", "b": "inconclusive", "c": "inconclusive"})
    assert words in " ".join(result.verdict["providers"][0]["reasons"])


def test_with_a_file_to_start_from_only_seeds_are_drawn(auditor: Auditor) -> None:
    program = network_program(network_task(dataset="digits", model="resnet8"))
    learner = program.learner(Training(), device=torch.device("cpu"), seed=99)
    save_file(learner.checkpoint(), auditor.folder / "mine.safetensors")
    for audit in (draws("shared", "provider"), draws("own", "coin")):
        result = auditor.here(
            "run", auditor.job(steps=10, audit=audit, training='initial = "mine.safetensors"'), "--json"
        )
        assert (result.code, result.verdicts) == (0, dict.fromkeys("abc", "consistent")), result.stderr
        assert not any(UNSEEN in warning for warning in result.events[0]["warnings"])
        verified = auditor.here("verify", "last")
        assert verified.code == 0
        assert "initial state: it follows from the file that the job names" in verified.stdout
