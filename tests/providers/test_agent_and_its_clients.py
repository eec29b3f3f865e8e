"""What an agent does for clients that it does not know, and what it does not."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from safetensors.torch import save_file

from auditor.providers.agent.app import make_app
from auditor.providers.agent.limits import Limits
from auditor.providers.agent.settings import AgentSettings
from auditor.providers.file_names import name_of, offered

START = b"a checkpoint, or so"
DIGEST = hashlib.sha256(START).hexdigest()


def client(folder: Path, word: str = "w" * 16, **settings: Any) -> httpx.AsyncClient:
    """A client of an agent of its own."""
    app = make_app(AgentSettings("a", "cpu", 1, folder / "agent", folder / "downloads", **settings))
    return of(httpx.ASGITransport(app), word)


def of(transport: httpx.AsyncBaseTransport, word: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=transport, base_url="http://a/v1", headers={"x-auditor-client": word}, timeout=60
    )


def order(run: str, boundaries: Sequence[int] = (10,), **task: Any) -> dict[str, Any]:
    return {
        "id": run,
        "task": {"kind": "vision", "dataset": "digits", "model": "resnet8", **task},
        "training": {"steps": 40},
        "dataset_digest": "a" * 64,
        "start": DIGEST,
        "start_step": 0,
        "boundaries": list(boundaries),
        "sub_run_steps": 10,
        "seed": 1,
    }


async def over(asking: httpx.AsyncClient, run: str) -> dict[str, Any]:
    """The last status of a run."""
    while True:
        status: dict[str, Any] = (await asking.get(f"/runs/{run}?version=9&wait=1")).json()
        if status["state"] in ("finished", "failed", "cancelled"):
            return status


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ({"dataset": "tensors:/etc/shadow"}, "by sha256-… and its digest, not by a path"),
        ({"dataset": "images:~/.ssh"}, "not by a path"),
        ({"dataset": "tensors:/dev/zero"}, "not by a path"),
        ({"kind": "text", "model": "embeddings", "dataset": "tsv:/proc/kmsg"}, "not by a path"),
        ({"kind": "text", "model": "embeddings", "dataset": "reviews", "tokenizer": "/etc/shadow"}, "not by a path"),
        ({"dataset": "tensors:sha256-" + "0" * 64 + "/../../etc/shadow"}, "not by a path"),
        ({"dataset": "tensors:sha256-" + "0" * 64}, "this agent offers no data with this digest"),
        ({"dataset": "torchvision:CIFAR10"}, "--downloads"),
    ],
)
async def test_a_request_opens_nothing_that_the_owner_has_not_offered(
    tmp_path: Path, task: dict[str, Any], words: str
) -> None:
    async with client(tmp_path) as asking:
        await asking.put(f"/blobs/{DIGEST}", content=START)
        answer = await asking.post("/runs", json=order("r", **task))
    assert (answer.status_code, words in answer.text) == (403, True), answer.text


async def test_an_error_tells_nothing_of_what_is_in_a_file_or_where_it_is(tmp_path: Path) -> None:
    secret = tmp_path / "secret.tsv"
    secret.write_text("alice\tS3cretPassw0rd\nbob\t1\n")
    async with client(tmp_path, data=offered([secret])) as asking:
        await asking.put(f"/blobs/{DIGEST}", content=START)
        named = f"tsv:{name_of(secret)}"
        answer = await asking.post("/runs", json=order("r", kind="text", model="embeddings", dataset=named))
        assert answer.status_code == 200, answer.text
        status = await over(asking, "r")
    assert status["state"] == "failed"
    assert "S3cret" not in status["error"]
    assert str(tmp_path) not in status["error"]


async def test_data_that_is_offered_is_found_by_its_digest(tmp_path: Path) -> None:
    images = torch.randint(0, 255, (40, 1, 8, 8), dtype=torch.uint8)
    save_file({"images": images, "labels": torch.arange(40) % 2}, tmp_path / "mine.safetensors")
    async with client(tmp_path, data=offered([tmp_path / "mine.safetensors"])) as asking:
        await asking.put(f"/blobs/{DIGEST}", content=START)
        named = f"tensors:{name_of(tmp_path / 'mine.safetensors')}"
        await asking.post("/runs", json=order("r", dataset=named))
        status = await over(asking, "r")
    # The digest in the order is not that of this dataset; that this is noticed shows that it was loaded.
    assert "the data of this agent differs from the client's" in status["error"]


@pytest.mark.parametrize("ship", [True, False])
async def test_data_that_the_client_sends_is_used_if_the_task_says_so(tmp_path: Path, ship: bool) -> None:
    images = torch.randint(0, 255, (40, 1, 8, 8), dtype=torch.uint8)
    save_file({"images": images, "labels": torch.arange(40) % 2}, tmp_path / "mine.safetensors")
    name = name_of(tmp_path / "mine.safetensors") or ""
    async with client(tmp_path) as asking:
        for digest, content in ((DIGEST, START), (name[7:], (tmp_path / "mine.safetensors").read_bytes())):
            await asking.put(f"/blobs/{digest}", content=content)
        answer = await asking.post("/runs", json=order("r", dataset=f"tensors:{name}", ship=ship))
        assert answer.status_code == (200 if ship else 403), answer.text
        if ship:
            assert "the data of this agent differs from the client's" in (await over(asking, "r"))["error"]


@pytest.mark.parametrize("name", ["../outside.py", "/tmp/outside.py", "a/../../outside.py"])
async def test_code_is_laid_out_in_a_folder_of_its_own(tmp_path: Path, name: str) -> None:
    code = b"raise SystemExit"
    digest = hashlib.sha256(code).hexdigest()
    async with client(tmp_path, allow_code=True, confiding=True) as asking:
        for blob, content in ((DIGEST, START), (digest, code)):
            await asking.put(f"/blobs/{blob}", content=content)
        task = {"kind": "python", "module": f"{name}=sha256-{digest}"}
        await asking.post("/runs", json={**order("r"), "task": task})
        status = await over(asking, "r")
    assert "leads out of the folder that the client's files are laid out in" in status["error"]


async def test_no_code_is_executed_that_the_owner_does_not_allow(tmp_path: Path) -> None:
    async with client(tmp_path, allowed_code=frozenset(["0" * 64])) as asking:
        await asking.put(f"/blobs/{DIGEST}", content=START)
        for module in (f"task.py=sha256-{DIGEST}", "os"):
            task = {"kind": "python", "module": module, "factory": "system", "options": {"command": "id"}}
            answer = await asking.post("/runs", json={**order("r"), "task": task})
            assert answer.status_code == 403
            assert "this agent does not execute clients' code" in answer.text


async def test_what_one_client_gives_up_another_keeps(tmp_path: Path) -> None:
    async with client(tmp_path) as first, of(first._transport, "v" * 16) as second:
        await first.put(f"/blobs/{DIGEST}", content=START)
        assert (await second.head(f"/blobs/{DIGEST}")).status_code == 404
        await second.put(f"/blobs/{DIGEST}", content=START)
        await first.delete(f"/blobs/{DIGEST}")
        assert (await first.head(f"/blobs/{DIGEST}")).status_code == 404
        assert (await second.get(f"/blobs/{DIGEST}")).content == START
        await second.post("/runs", json=order("mine"))
        assert (await first.get("/runs/mine")).status_code == 404
        assert (await first.delete("/runs/mine")).status_code == 404


async def test_who_does_not_say_who_asks_is_told_so(tmp_path: Path) -> None:
    async with client(tmp_path, word="short") as asking:
        assert (await asking.get("/identity")).status_code == 200
        answers = [await asking.head(f"/blobs/{DIGEST}"), await asking.get("/runs/r"), await asking.post("/runs")]
        assert {answer.status_code for answer in answers} == {401}


async def test_the_length_that_a_header_gives_is_not_believed(tmp_path: Path) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while taken < 100 << 20:
            taken += 1 << 16
            yield bytes(1 << 16)

    async with client(tmp_path) as asking:
        answer = await asking.post("/runs", content=endless(), headers={"content-length": "10"})
    assert answer.status_code == 413
    assert taken < 4 << 20


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 900_000,
        b'{"id":' * 100_000,
        b"\xff",
        b"null",
        json.dumps(order("../x")).encode(),
        json.dumps(order("r") | {"seed": 2**64}).encode(),
        json.dumps(order("r") | {"start_step": float("nan")}).encode(),
        json.dumps(order("r")).encode()[:-1] + b',"seed":2}',
    ],
)
async def test_a_request_that_is_none_is_refused(tmp_path: Path, body: bytes) -> None:
    async with client(tmp_path) as asking:
        answer = await asking.post("/runs", content=body)
    assert answer.status_code == 422
    assert len(answer.text) < 1000


async def test_disk_has_a_limit(tmp_path: Path) -> None:
    blobs = [bytes([number]) * 1000 for number in range(3)]
    async with client(tmp_path, limits=Limits(bytes=2500)) as asking:
        codes = [
            (await asking.put(f"/blobs/{hashlib.sha256(blob).hexdigest()}", content=blob)).status_code for blob in blobs
        ]
        assert codes == [201, 201, 507]
        await asking.delete(f"/blobs/{hashlib.sha256(blobs[0]).hexdigest()}")
        assert (await asking.put(f"/blobs/{hashlib.sha256(blobs[2]).hexdigest()}", content=blobs[2])).status_code == 201
    assert not list((tmp_path / "agent").rglob(".incoming*"))


async def test_what_a_crash_left_of_an_upload_is_removed(tmp_path: Path) -> None:
    async with client(tmp_path) as asking:
        await asking.put(f"/blobs/{DIGEST}", content=START)
    (blob,) = (tmp_path / "agent").rglob(DIGEST)
    (blob.parent / ".incoming-1").write_bytes(bytes(1000))
    async with client(tmp_path) as asking:
        assert (await asking.get(f"/blobs/{DIGEST}")).content == START
    assert not list((tmp_path / "agent").rglob(".incoming*"))


async def test_the_number_of_checkpoints_and_of_runs_has_a_limit(tmp_path: Path) -> None:
    async with client(tmp_path, limits=Limits(checkpoints=1, runs=2, boundaries=30)) as asking:
        assert (await asking.put(f"/blobs/{DIGEST}", content=START)).status_code == 201
        other = hashlib.sha256(b"other").hexdigest()
        assert (await asking.put(f"/blobs/{other}", content=b"other")).status_code == 507
        assert (await asking.post("/runs", json=order("long", tuple(range(1, 40))))).status_code == 507
        codes = [(await asking.post("/runs", json=order(f"r{number}"))).status_code for number in range(3)]
        assert codes == [200, 200, 507]
        assert (await asking.post("/runs", json=order("r0"))).status_code == 200  # the same again is no new one


async def test_what_nobody_asks_for_is_forgotten(tmp_path: Path) -> None:
    async with client(tmp_path, limits=Limits(forget_seconds=0)) as first, of(first._transport, "v" * 16) as second:
        await first.put(f"/blobs/{DIGEST}", content=START)
        await first.post("/runs", json=order("r"))
        await over(first, "r")
        assert (await first.head(f"/blobs/{DIGEST}")).status_code == 200
        await second.put(f"/blobs/{DIGEST}", content=START)
        assert (await first.get("/runs/r")).status_code == 404
        assert (await first.head(f"/blobs/{DIGEST}")).status_code == 404


async def test_a_run_that_is_cancelled_while_it_waits_is_never_prepared(tmp_path: Path) -> None:
    async with client(tmp_path) as asking:
        await asking.put(f"/blobs/{DIGEST}", content=START)
        for run in ("first", "second"):
            await asking.post("/runs", json=order(run))
        await asking.delete("/runs/second")
        begun = time.monotonic()
        assert (await over(asking, "second"))["state"] in ("cancelled", "failed")
        assert time.monotonic() - begun < 60


async def test_one_agent_draws_another_seed_for_each_client(tmp_path: Path) -> None:
    settings = AgentSettings("a", "cpu", 1, tmp_path / "agent", tmp_path)
    assert settings.own_seed("v" * 16) == settings.own_seed("v" * 16) != settings.own_seed("w" * 16)
