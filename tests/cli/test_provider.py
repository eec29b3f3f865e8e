"""`auditor provider`: the registry from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.job import parse_job
from tests import command
from tests.command import Auditor, Result
from tests.tui.recorded import beginning, ending, job_text, record


def auditor(home: Path, *arguments: str) -> Result:
    """A command in a folder that is its home, too."""
    return Auditor(home, home).here(*arguments)


def test_providers_are_added_listed_and_removed(tmp_path: Path) -> None:
    record(tmp_path, [*beginning(), *ending()])
    assert auditor(tmp_path, "provider", "add", "aurora", "local:cpu", "--price-per-hour", "2.5").code == 0
    listed = json.loads(auditor(tmp_path, "provider", "list", "--json").stdout)
    assert (listed["name"], listed["endpoint"], listed["price_per_hour"]) == ("aurora", "local:cpu", 2.5)
    assert (listed["runs"], listed["sub_runs_checked"], listed["flagged"]) == (1, 1, 1)
    assert auditor(tmp_path, "provider", "remove", "aurora").code == 0
    again = auditor(tmp_path, "provider", "remove", "aurora")
    assert again.code == 2
    assert "no provider 'aurora' is registered" in again.stderr


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [("x", "nonsense"), ("local:cpu", "local:cpu"), ("[b]", "local:cpu"), ("x", "http://plain:80"), ("", "local:cpu")],
)
def test_what_cannot_be_registered_is_refused(tmp_path: Path, name: str, endpoint: str) -> None:
    done = auditor(tmp_path, "provider", "add", name, endpoint)
    assert done.code == 2
    assert "is not an endpoint; give local:cpu" in done.stderr or "is not a valid name; use" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_provider_is_reported(tmp_path: Path) -> None:
    auditor(tmp_path, "provider", "add", "gone", "unix:/nowhere.sock")
    done = auditor(tmp_path, "provider", "test", "gone")
    assert done.code == 3
    assert "gone is unreachable" in done.stderr


def test_a_job_file_names_registered_providers(tmp_path: Path) -> None:
    job = tmp_path / "job.toml"
    job.write_text(job_text().replace('name = "aurora"\nendpoint = "local:cpu"', 'name = "aurora"\nendpoint = "auora"'))
    auditor(tmp_path, "provider", "add", "aurora", "local:cpu")
    wrong = auditor(tmp_path, "plan", str(job))
    assert wrong.code == 2
    line = job.read_text().splitlines().index('endpoint = "auora"') + 1
    assert f"{job}:{line}: providers.0.endpoint" in wrong.stderr
    assert "Did you mean 'aurora'?" in wrong.stderr
    job.write_text(job.read_text().replace("auora", "aurora"))
    assert auditor(tmp_path, "plan", str(job)).code == 0


def test_an_attack_needs_a_provider_that_turns_out_local(tmp_path: Path) -> None:
    job = tmp_path / "job.toml"
    job.write_text(job_text().replace('name = "aurora"\nendpoint = "local:cpu"', 'name = "aurora"\nendpoint = "far"'))
    auditor(tmp_path, "provider", "add", "far", "https://far:8443")
    done = auditor(tmp_path, "plan", str(job))
    assert done.code == 2
    assert "local provider" in done.stderr


def test_the_socket_of_a_registered_provider_means_the_same_from_every_folder(tmp_path: Path) -> None:
    assert auditor(tmp_path, "provider", "add", "near", "unix:agent.sock").code == 0
    (entry,) = auditor(tmp_path, "provider", "list", "--json").events
    assert entry["endpoint"] == f"unix:{tmp_path / 'agent.sock'}"


def test_the_socket_of_a_job_is_relative_to_the_job_file(tmp_path: Path) -> None:
    text = command.job_text(providers=("a", "b", "c"), endpoints={"b": "unix:../b.sock"})
    job = parse_job(text, folder=tmp_path / "jobs")
    assert job.providers[1].endpoint == f"unix:{tmp_path / 'b.sock'}"
