"""`auditor cure`: a flagged model is rolled back, fine-tuned, or both, by providers that were not flagged."""

from __future__ import annotations

import shutil

import pytest

from tests.command import Auditor, Result

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cure")]  # one process has the flagged run

ATTACK = '{ name = "intermittent", sub_runs = [3, 4, 5], attack = { name = "badnets", rate = 0.5 } }'


@pytest.fixture(scope="module")
def flagged(tmp_path_factory: pytest.TempPathFactory) -> Auditor:
    """A run whose primary is honest in sub-runs 0 to 2 and plants a backdoor from there on; 1 and 4 are checked."""
    folder = tmp_path_factory.mktemp("flagged")
    auditor = Auditor(folder, folder / "home")
    job = auditor.job(providers=["a", "b", "c", "d"], steps=60, attacks={"a": ATTACK}, audit="fixed_selection = [1, 4]")
    result = auditor.here("run", job, "--json")
    assert result.verdicts["a"] == "flagged", result.stderr
    return auditor


@pytest.fixture
def patient(flagged: Auditor, auditor: Auditor) -> Auditor:
    """The same run in the home of this test."""
    shutil.copytree(flagged.home, auditor.home)
    return auditor


def shown(result: Result) -> dict[str, dict[str, object]]:
    return {row["way"]: row for row in result.events}


def test_every_way_is_shown_with_its_cost_before_anything_starts(patient: Auditor) -> None:
    ways = shown(patient.here("cure", "last", "--json"))
    assert {way: row["training_steps"] for way, row in ways.items()} == {"rollback": 40, "finetune": 30, "both": 70}
    assert ways["rollback"]["words"] == (
        "train steps 20 to 60 again by b, from the last verified checkpoint, of step 20 (1 earlier sub-run was not "
        "checked)"
    )
    assert "with a rate of up to 0.5" in str(ways["finetune"]["words"])
    assert all(row["measured"] for row in ways.values())
    result = patient.here("cure", "last", "--steps", "7", "--rate", "0.3", "--primary", "c")
    assert "for 7 steps by c, with a rate of up to 0.3" in result.stdout
    assert "Nothing was started" in result.stderr
    assert len(patient.here("runs", "--json").events) == 1


def test_both_leave_less_of_the_backdoor_and_are_audited(patient: Auditor) -> None:
    result = patient.here("cure", "last", "--by", "both", "--json")
    assert result.code == 0, result.stderr
    cured = result.events[-1]
    assert cured["event"] == "cured"
    (before,), (after,) = cured["before"]["attacks"], cured["after"]["attacks"]
    assert before["provider"] == "a"
    assert 0 <= after["success"] <= before["success"] <= 1
    rows = {row["run"]: row for row in patient.here("runs", "--json").events}
    tuned = rows[cured["run"]]
    rolled = rows[tuned["parent"]]
    assert (rolled["status"], rolled["steps"], tuned["status"], tuned["steps"]) == ("clean", 40, "clean", 30)
    started = [event for event in result.events if event["event"] == "run_started"]
    assert [event["primary"] for event in started] == ["b", "b"]
    assert all("a" not in event["replicas"] for event in started)


def test_a_model_that_nobody_audited_can_be_fine_tuned_and_nothing_else(patient: Auditor) -> None:
    path = next(
        event["path"] for event in patient.here("show", "last", "--json").events if event["event"] == "model_delivered"
    )
    shutil.copy(path, patient.folder / "mine.safetensors")
    job = patient.job("job.toml", steps=20, audit="fixed_selection = [0]")
    ways = shown(patient.here("cure", "mine.safetensors", "--job", job, "--json"))
    assert [way for way, row in ways.items() if row["possible"]] == ["finetune"]
    result = patient.here("cure", "mine.safetensors", "--job", job, "--by", "finetune", "--steps", "10")
    assert result.code == 0, result.stderr
    assert "accuracy" in result.stdout
    assert "The cured model is that of run small-fine-tuned" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "there is no run 'nowhere'"),
        (["last", "--primary", "a"], "--primary: 'a' was flagged; use one of b, c, d"),
        (["last", "--primary", "z"], "'z' is no provider of this job"),
        (["last", "--job", "job.toml"], "a run keeps its job"),
        (["mine.safetensors"], "say with --job what it is a model of"),
        (["last", "--by", "finetune", "--inspect", "neural_clean"], "unknown inspector 'neural_clean'"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_and_nothing_starts(patient: Auditor, arguments: list[str], words: str) -> None:
    result = patient.here("cure", *arguments)
    assert result.code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert len(patient.here("runs", "--json").events) == 1


def test_a_verified_model_needs_no_rollback(auditor: Auditor) -> None:
    assert auditor.here("run", auditor.job(steps=10, audit="fixed_selection = [0]"), "--json").code == 0
    ways = shown(auditor.here("cure", "last", "--json"))
    assert ways["rollback"]["words"] == "the last checkpoint itself was verified"
    result = auditor.here("cure", "last", "--by", "both")
    assert result.code == 2
    assert "--by both is not possible: the last checkpoint itself was verified" in result.stderr
