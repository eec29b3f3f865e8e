"""Commitments are signed: the client checks that, keeps it, and shows it to whoever verifies a run later."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auditor.providers.signed_commitment import is_signed, statement
from tests.audit.test_evolution import evolving
from tests.command import Auditor
from tests.providers.test_agent_state import agent

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("signatures")]  # one process has the run


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Auditor:
    """A finished run of local providers."""
    folder = tmp_path_factory.mktemp("signed")
    made = Auditor(folder, folder / "home")
    job = made.job(providers=["a", "b", "c"], steps=20, audit="fixed_selection = [1]")
    assert made.here("run", job).code == 0
    return made


def test_everything_that_is_committed_to_is_signed_as_the_documents_say(audited: Auditor) -> None:
    report = json.loads(audited.here("report", "last", "--format", "json").stdout)
    keys = {one["name"]: one["signing_key"] for one in report["providers"]}
    signed = report["commitments"]["signed"]
    assert [(one["provider"], one["step"], one["sub_run"]) for one in signed] == [
        ("a", 10, None),
        ("a", 20, None),
        ("b", 20, 1),
        ("c", 20, 1),
    ]
    for one in signed:
        parts = ["auditor commitment", "1", one["run"], one["provider"], str(one["step"]), one["digest"]]
        said = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        assert said == statement(one["run"], one["provider"], one["step"], one["digest"])
        assert is_signed(keys[one["provider"]], one["signature"], said)
    assert len(set(keys.values())) == 3
    markdown = audited.here("report", "last", "--format", "markdown").stdout
    assert f"`a`: 2 of 2, by the key `{keys['a']}` (the client started this agent itself)" in markdown


def test_verify_checks_the_signatures_again(audited: Auditor) -> None:
    done = audited.here("verify", "last", "--json")
    found = {check["subject"]: check for check in done.events}
    assert [found[f"signatures of {name}"]["holds"] for name in ("a", "b", "c")] == [True] * 3
    assert "2 of 2 are by the key" in found["signatures of a"]["detail"]


def _other_digest(payload: dict[str, Any]) -> None:
    payload["digest"] = "0" * 64


def _no_signature(payload: dict[str, Any]) -> None:
    payload["signature"] = None


def _other_key(payload: dict[str, Any]) -> None:
    payload["signature"] = Ed25519PrivateKey.generate().sign(b"").hex()


@pytest.mark.parametrize(
    ("change", "words"),
    [(_other_digest, "wrong at step 20"), (_no_signature, "missing at step 20"), (_other_key, "wrong at step 20")],
)
def test_verify_notices_a_commitment_that_was_changed(
    audited: Auditor, tmp_path: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    copy = Auditor(tmp_path, tmp_path / "home")
    copy.home.mkdir(0o700)
    with (
        closing(sqlite3.connect(audited.home / "auditor.db")) as source,
        closing(sqlite3.connect(copy.home / "auditor.db")) as target,
    ):
        source.backup(target)
        query = "SELECT seq, payload FROM events WHERE kind = 'committed' ORDER BY seq DESC LIMIT 1"
        ((seq, text),) = target.execute(query).fetchall()
        payload = json.loads(text)
        change(payload)
        target.execute("UPDATE events SET payload = ? WHERE seq = ?", (json.dumps(payload), seq))
        target.commit()
    done = copy.here("verify", "last", "--json")
    found = {check["subject"]: check for check in done.events}["signatures of a"]
    assert (done.code, found["holds"], words in found["detail"]) == (10, False, True), found


def test_an_agent_that_was_set_up_anew_is_not_taken_for_the_old_one_and_not_accused(auditor: Auditor) -> None:
    registered = ("provider", "add", "north", "unix:n.sock")
    assert auditor.here(*registered).code == 0
    job = auditor.job(providers=["a", "b"], endpoints={"b": "north"}, steps=10, audit="fixed_selection = [0]")
    with agent(auditor, "--socket", "n.sock", "--folder", "first"):
        assert auditor.here("run", job).code == 0  # pins the key
        (entry,) = auditor.here("provider", "list", "--json").events
        assert "the pinned one" in auditor.here("provider", "test", "north").stdout
    with agent(auditor, "--socket", "n.sock", "--folder", "second"):
        refused = auditor.here("run", job)
        assert (refused.code, f"and {entry['signing_key']} is expected" in refused.stderr) == (3, True), refused.stderr
        tested = auditor.here("provider", "test", "north")
        assert (tested.code, "it shows the signing key" in tested.stderr) == (3, True), tested.stderr
        assert auditor.here("provider", "remove", "north").code == 0
        assert auditor.here(*registered).code == 0
        assert "the first one seen" in auditor.here("provider", "test", "north").stdout
        result = auditor.here("run", job, "--json")
    assert result.code == 0, result.stderr
    ready = {event["provider"]: event["key_trust"] for event in result.events if event["event"] == "provider_ready"}
    assert ready == {"a": "ours", "b": "pinned"}


@pytest.mark.timeout(300)
def test_an_update_expects_the_signing_keys_of_the_update_before(auditor: Auditor) -> None:
    evolving(auditor.folder, updates=1, poisoned="")
    path = auditor.folder / "job.toml"
    local = 'name = "b"\nendpoint = "local:cpu"'
    path.write_text(path.read_text().replace(local, local.replace("local:cpu", "unix:b.sock")))
    with agent(auditor, "--socket", "b.sock"):
        result = auditor.here("run", "job.toml", "--json")
    assert result.code == 0, result.stderr
    ready = [event for event in result.events if event["event"] == "provider_ready" and event["provider"] == "b"]
    assert [event["key_trust"] for event in ready] == ["first use", "pinned"]
    assert len({event["signing_key"] for event in ready}) == 1
