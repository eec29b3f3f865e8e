"""An agent that is asked anything its own document allows, and much that it does not: it answers by the document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.schemas import BaseSchema

from auditor.providers.json_reader import Nonsense, read_message
from auditor.providers.operations import OPERATIONS
from auditor.providers.protocol import CLIENT_HEADER, PREFIX, ErrorMessage, RunRequest
from tests.command import ROOT, Auditor
from tests.properties.test_messages import GOOD
from tests.providers.remote import remote_agent

DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs/reference/provider-protocol.json").read_text())
KINDS = {PREFIX + one.path: one for one in OPERATIONS}
QUESTIONS = [
    pytest.param(path, method, mode, id=f"{method} {path} {mode.value}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or operation["parameters"] or "requestBody" in operation
]
"""Each as the document allows it, and as it does not, where there is anything to do wrong."""
BLOB, WORD = b"blob", "a" * 32
KNOWN = {"id": "r.1", "digest": hashlib.sha256(BLOB).hexdigest()}
"""What the agent knows, so that questions do not end at a name that it does not."""
RUN = GOOD[RunRequest] | {"start": None, "start_step": 0, "boundaries": [0, 10], "id": KNOWN["id"]}
FULL = 507
"""The one failure of an agent that is its right."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """The document, with the address of an agent that listens; nothing went wrong inside the agent in the end."""
    folder = tmp_path_factory.mktemp("agent")
    auditor = Auditor(folder, folder / "home")
    without_limits = ("--no-tls", "--no-token", "--requests-per-minute", "1000000000")
    with remote_agent(auditor, "p", "127.0.0.1", *without_limits) as agent:
        schema = schemathesis.openapi.from_dict(DOCUMENT)
        schema.config.update(base_url=agent.url)
        with httpx.Client(base_url=agent.url + PREFIX, headers={CLIENT_HEADER: WORD}, timeout=120) as client:
            client.put(f"/blobs/{KNOWN['digest']}", content=BLOB).raise_for_status()
            client.post("/runs", json=RUN).raise_for_status()  # it has other data, and fails at once
            client.post(f"/tosses/{KNOWN['id']}", json={"name": "p", "commitment": "0" * 64}).raise_for_status()
        yield schema
        assert agent.process.poll() is None
        agent.process.terminate()
        _, log = agent.process.communicate()
    assert "Traceback" not in log, log[-3000:]
    assert "\x1b" not in log


@pytest.mark.slow
@pytest.mark.parametrize(("path", "method", "mode"), QUESTIONS)
@given(data=st.data())
def test_it_answers_by_its_document(
    asked: BaseSchema, path: str, method: str, mode: GenerationMode, data: st.DataObject
) -> None:
    case: Any = data.draw(asked[path][method].as_strategy(generation_mode=mode))
    if data.draw(st.integers(0, 3)):  # else the header is whatever was drawn
        case.headers = {**(case.headers or {}), CLIENT_HEADER: WORD}
        known = data.draw(st.booleans())
        case.path_parameters = {
            name: KNOWN[name] if known else value for name, value in (case.path_parameters or {}).items()
        }
    answer = case.call(allow_redirects=False, timeout=60)
    assert answer.status_code < 500 or answer.status_code == FULL, answer.text
    allowed = DOCUMENT["paths"][path][method]["responses"]
    routed = KINDS[path].path.count("/") == case.formatted_path.count("/") - 1
    assert str(answer.status_code) in allowed or not routed, (answer.status_code, answer.text, case.as_curl_command())
    if answer.status_code >= 400 and routed:
        try:
            read_message(answer.content, ErrorMessage)
        except Nonsense as error:
            raise AssertionError((answer.status_code, answer.text, case.as_curl_command())) from error


@pytest.mark.slow
def test_parts_that_are_not_there_are_refused_in_a_message_and_those_that_are_none_are_not_heeded(
    asked: BaseSchema,
) -> None:
    with httpx.Client(base_url=f"{asked.config.base_url}{PREFIX}", headers={CLIENT_HEADER: WORD}) as client:
        client.put(f"/blobs/{KNOWN['digest']}", content=BLOB).raise_for_status()
        for part, status in (
            ("bytes=1-", 206),
            ("bytes=0-2", 206),
            ("bytes=4-", 416),
            *((none, 200) for none in ("x", "bytes=3-1", "bytes=-2", "bytes=0-1,2-3")),
        ):
            answer = client.get(f"/blobs/{KNOWN['digest']}", headers={"range": part})
            assert answer.status_code == status, part
            if status == 416:
                assert read_message(answer.content, ErrorMessage).error == "the checkpoint ends after 4 bytes"
                assert answer.headers["content-range"] == "bytes */4"
