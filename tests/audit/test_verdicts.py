"""Whole audits of small trainings: is the right provider flagged, and nobody else?"""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from tests.command import Auditor

pytestmark = pytest.mark.slow

BADNETS = '{ name = "badnets", rate = 0.2 }'
ONLY_IN_1 = f'{{ name = "intermittent", sub_runs = [1], attack = {BADNETS} }}'
VERDICT_FIELDS = {"name", "verdict", "p_value", "ratio", "sub_runs_checked", "reasons"}
COST_FIELDS = {"training_steps", "extra_steps", "overhead", "seconds", "bytes", "dollars"}


def test_a_malicious_primary_is_flagged_and_the_last_line_says_everything(auditor: Auditor) -> None:
    job = auditor.job(attacks={"a": BADNETS}, metrics='["update", "zest", "cka", "output"]')
    result = auditor.here("run", job, "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent"}
    assert result.verdict["outcome"] == "flagged"
    assert {"event", "run", "seq", "time", "outcome", "providers", "cost"} <= result.verdict.keys()
    assert all(provider.keys() == VERDICT_FIELDS for provider in result.verdict["providers"])
    assert result.verdict["cost"].keys() == COST_FIELDS
    assert (result.verdict["cost"]["training_steps"], result.verdict["cost"]["extra_steps"]) == (30, 40)
    assert [event["seq"] for event in result.events] == list(range(1, len(result.events) + 1))
    measured = {event["metric"] for event in result.events if event["event"] == "distances_measured"}
    assert measured == {"update", "zest", "cka", "output", "buffers", "optimizer"}


def test_a_malicious_replica_is_flagged_and_the_primary_is_not(auditor: Auditor) -> None:
    job = auditor.job(providers=["a", "b", "c", "d"], attacks={"c": BADNETS})
    result = auditor.here("run", job, "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts == {"a": "consistent", "b": "consistent", "c": "flagged", "d": "consistent"}


@pytest.mark.parametrize(("selection", "code", "primary"), [("[0, 1]", 10, "flagged"), ("[0, 2]", 0, "consistent")])
def test_an_attack_in_one_sub_run_is_seen_exactly_when_that_one_is_replicated(
    auditor: Auditor, selection: str, code: int, primary: str
) -> None:
    job = auditor.job(attacks={"a": ONLY_IN_1}, audit=f"fixed_selection = {selection}")
    result = auditor.here("run", job, "--json")
    assert (result.code, result.verdicts["a"]) == (code, primary), result.stderr
    assert "fixed" in result.events[0]["warnings"][0]


def test_two_providers_that_agree_are_consistent(auditor: Auditor) -> None:
    result = auditor.here("run", auditor.job(providers=["a", "b"]), "--json")
    assert result.code == 0, result.stderr
    assert result.verdicts == {"a": "consistent", "b": "consistent"}


def test_two_providers_that_disagree_are_inconclusive_and_a_third_is_asked_for(auditor: Auditor) -> None:
    result = auditor.here("run", auditor.job(providers=["a", "b"], attacks={"b": BADNETS}), "--json")
    assert result.code == 11, result.stderr
    assert result.verdicts == {"a": "inconclusive", "b": "inconclusive"}
    assert any("a third provider would settle" in reason for reason in result.verdict["providers"][0]["reasons"])


def test_a_rule_that_can_flag_nobody_calls_nobody_consistent(auditor: Auditor) -> None:
    audit = 'fixed_selection = [0]\ndecision = "ks"'
    result = auditor.here("run", auditor.job(attacks={"a": BADNETS}, audit=audit), "--json")
    assert result.code == 11, result.stderr
    assert "cannot flag anybody" in " ".join(result.events[0]["warnings"])
    assert set(result.verdicts.values()) == {"inconclusive"}


def test_the_report_for_people_names_the_culprit_and_says_why(auditor: Auditor) -> None:
    result = auditor.here("run", auditor.job(attacks={"a": BADNETS}))
    assert result.code == 10, result.stderr
    assert result.stdout.startswith("FLAGGED: a did not do what was asked.")
    assert "✗ flagged" in result.stdout
    assert "deviates in 2 of 2 replicated sub-runs (0, 2)" in " ".join(result.stdout.split())
    assert "✗ a deviates: it lies" in result.stdout
    assert result.stdout.count("●") >= 3
    assert "\x1b" not in result.stdout + result.stderr
    shown = auditor.here("show", "last")
    assert "Evidence" in shown.stdout
    listed = auditor.here("runs", "--json")
    assert [(row["status"], row["flagged"]) for row in listed.events] == [("flagged", ["a"])]


def test_a_job_that_nobody_can_train_is_the_clients_mistake_and_starts_nothing(auditor: Auditor) -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (40, 1, 1, 1), dtype=torch.uint8, generator=generator)
    save_file({"images": pixels, "labels": torch.arange(40) % 2}, auditor.folder / "data.safetensors")
    job = auditor.job(task='dataset = "tensors:data.safetensors"')
    path = auditor.folder / job
    path.write_text(path.read_text().replace("batch_size = 32", "batch_size = 1"))
    result = auditor.here("run", job, "--json")
    assert (result.code, result.stdout) == (2, "")
    assert "set training.batch_size to 2 or more" in result.stderr
    assert auditor.here("runs", "--json").stdout == ""
