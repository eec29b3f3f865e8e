"""Messages of the protocol: each is read, or refused in words that do no harm."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from auditor.base.hostile_text import cleaned
from auditor.job.job_file import parse_job
from auditor.providers import protocol
from auditor.providers.answers import declared_length
from auditor.providers.json_reader import MAX_JSON, Nonsense, read_message
from auditor.providers.signed_commitment import is_signed, statement
from auditor.store.errors import DamagedRun
from auditor.store.payload import read_payload, write_payload
from tests.command import job_text
from tests.properties.foreign import is_plain, json_bytes, texts, values

JOB = parse_job(job_text())
DIGEST = "0123456789abcdef" * 4
MADE = {"step": 20, "digest": DIGEST, "signature": "ab" * 64}
GOOD: dict[type[BaseModel], dict[str, Any]] = {
    protocol.ErrorMessage: {"error": "no"},
    protocol.Identity: {
        "protocol": 1,
        "name": "p",
        "device": "cpu",
        "threads": 1,
        "software": "s",
        "signing_key": DIGEST,
    },
    protocol.RunRequest: {
        "id": "r.1",
        "task": JOB.task.model_dump(mode="json"),
        "training": JOB.training.model_dump(mode="json"),
        "dataset_digest": DIGEST,
        "part_digests": {"code": DIGEST},
        "start": DIGEST,
        "start_step": 10,
        "boundaries": [20],
        "sub_run_steps": 10,
        "seed": 1,
        "disclose": False,
        "provider": "p",
    },
    protocol.RunStatus: {
        "id": "r.1",
        "state": "training",
        "version": 3,
        "step": 20,
        "loss": 1.5,
        "commitments": [MADE],
        "error": None,
        "seed": 5,
    },
    protocol.Simulation: {
        "attack": "a",
        "clean_accuracy": 0.5,
        "success_rate": None,
        "delivered_rate": 1.0,
        "failure": "x",
    },
    protocol.TossRequest: {"name": "p", "commitment": DIGEST},
    protocol.TossCommitted: {"commitment": DIGEST},
    protocol.TossList: {"commitments": [{"name": "", "commitment": DIGEST}, {"name": "p", "commitment": DIGEST}]},
    protocol.TossReveal: {"value": DIGEST, "salt": DIGEST},
}
KINDS = list(GOOD)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_comes_is_a_message_that_reads_the_same_again_or_nonsense(
    kind: type[BaseModel], data: st.DataObject
) -> None:
    body = data.draw(json_bytes(GOOD[kind]))
    try:
        message = read_message(body, kind)
    except Nonsense as error:
        assert is_plain(str(error))
        assert len(str(error)) <= 600
        return
    assert read_message(message.model_dump_json().encode(), kind) == message


def test_the_good_ones_are_good() -> None:
    for kind, good in GOOD.items():
        read_message(json.dumps(good).encode(), kind)
    with pytest.raises(Nonsense, match="more than"):
        read_message(b" " * (MAX_JSON + 1), protocol.ErrorMessage)


@given(text=texts(2000) | values(), limit=st.integers(1, 600))
def test_what_is_shown_is_one_short_line_without_anything_that_a_terminal_obeys(text: object, limit: int) -> None:
    shown = cleaned(text, limit)
    assert len(shown) <= limit
    assert is_plain(shown)
    assert not {"\u202e", "\x1b", "\n", "\u2028"} & set(shown)


@given(length=texts(30) | st.integers().map(str))
def test_a_stated_length_is_a_number_or_none(length: str) -> None:
    try:
        answer = httpx.Response(200, headers={"content-length": length})
    except UnicodeEncodeError:
        return  # no header has such characters
    found = declared_length(answer)
    assert found is None or (0 <= found < 10**20 and int(length) == found)


Said = tuple[str, str, int, str]
SAID = st.tuples(texts(20), texts(20), st.integers(0, 2**53), texts(70))


@given(one=SAID, other=SAID)
def test_no_two_commitments_are_signed_by_one_signature(one: Said, other: Said) -> None:
    assert (statement(*one) == statement(*other)) == (one == other)


@given(key=texts(70), signature=texts(140), said=SAID)
def test_what_is_no_signature_is_refused(key: str, signature: str, said: Said) -> None:
    assert not is_signed(key, signature, statement(*said))
    assert not is_signed(DIGEST, "ab" * 64, statement(*said))


@given(stored=json_bytes({"provider": "a", "step": 3}))
def test_a_stored_event_is_an_object_that_is_stored_the_same_again_or_damaged(stored: bytes) -> None:
    try:
        payload = read_payload("run", 1, stored)
    except DamagedRun as error:
        assert is_plain(str(error))
        return
    try:
        again = write_payload(payload)
    except ValueError:
        return  # a number like 1e999
    assert read_payload("run", 1, again.encode()) == payload
