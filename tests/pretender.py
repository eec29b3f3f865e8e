"""Providers that never train: raw servers, one Unix socket for each trick, written without any of our own code.

A trick is named `PLACE.WHAT`: what it does, and to which question, as in `status.nan`. To all others a pretender
answers as an honest agent would, but that its checkpoints are random bytes.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import random
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SIZE = 633_056
"""Of a checkpoint of the job in `tests.command.job_text`."""
BLOB = random.Random(0).randbytes(SIZE)
DIGEST = hashlib.sha256(BLOB).hexdigest()
"""What its checkpoints are, unless its trick is in them."""
EVIL = "\u001b]0;owned\u0007\u001b[31m[bold]evil\u202e"
SLOW_SECONDS = 0.3
VALUE, SALT = b"\x01" * 32, b"\x02" * 32
"""What a pretender adds to every toss."""
IDENTITY = {"protocol": 1, "name": "p", "device": "cpu", "threads": 1, "software": "auditor"}

Writer = asyncio.StreamWriter


def crafted(table: str, length: int | None = None) -> bytes:
    """Bytes of the size of a checkpoint that begin with a header of tensors."""
    header = table.encode()
    size = len(header) if length is None else length
    return (size.to_bytes(8, "little") + header + bytes(SIZE))[:SIZE]


def _tensors(*offsets: tuple[int, int]) -> str:
    entry = {str(number): {"dtype": "F32", "shape": [4], "data_offsets": pair} for number, pair in enumerate(offsets)}
    return json.dumps(entry)


CRAFTED = {
    "overlaps": crafted(_tensors((0, 16), (8, 24))),
    "negative_offsets": crafted(_tensors((-16, 0))),
    "past_its_end": crafted(_tensors((0, 2**63))),
    "many_tensors": crafted("{" + ",".join(f'"{number:x}":{{}}' for number in range(1_000_000)) + "}"),
    "deep_header": crafted("[" * SIZE),
    "gigabyte_header": crafted("{", 2**30),
    "header_without_end": crafted("{", 2**64 - 1),
}
"""Checkpoints that are committed to and shown as they are, and are none."""


@dataclass
class Question:
    """One request that came in."""

    method: str
    path: str
    body: bytes
    count: int

    @property
    def place(self) -> str:
        """What it asks for."""
        if self.path.startswith("/v1/identity"):
            return "identity"
        if "/blobs/" in self.path:
            return {"GET": "blob", "HEAD": "has", "PUT": "put"}.get(self.method, "release")
        if "/tosses/" in self.path:
            return "reveal" if self.path.endswith("/reveal") else "toss"
        return {"GET": "status", "POST": "start"}.get(self.method, "cancel")


@dataclass
class Pretender:
    """One provider with one trick."""

    trick: str
    counts: dict[str, int] = field(default_factory=dict)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    async def serve(self, path: Path) -> asyncio.Server:
        """Listen on a Unix socket."""
        return await asyncio.start_unix_server(self._converse, path)

    async def _converse(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, UnicodeDecodeError):
            while await self._answer(reader, writer):
                await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: Writer) -> bool:
        """Answer one question; whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        length = next((int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")), 0)
        question = Question(method, path, b"", 0)
        place, _, what = self.trick.partition(".")
        if question.place == place and what == "never_reads":
            await asyncio.sleep(3600)
        question.body = await reader.readexactly(length)
        question.count = self.counts[question.place] = self.counts.get(question.place, 0) + 1
        status, body = self._honest(question)
        if question.place != place:
            writer.write(framed(status, b"" if method == "HEAD" else body))
            return True
        if what in WIRE:
            return await WIRE[what](writer, body)
        if what in STATUS:
            body = STATUS[what](json.loads(body), question.count)
        elif what in BODY:
            status, body = BODY[what](status, body, question.count)
        else:
            raise KeyError(self.trick)
        writer.write(framed(status, body))
        return True

    def _honest(self, question: Question) -> tuple[int, bytes]:
        if question.place == "identity":
            return 200, json.dumps(IDENTITY).encode()
        if question.place == "has":
            return 404, b""
        if question.place == "blob":
            return 200, self._blob
        if question.place == "start":
            run = json.loads(question.body)
            self.requests[run["id"]] = run
            return 200, json.dumps(self._status(run, finished=False)).encode()
        if question.place == "status":
            path, _, query = question.path.partition("?")
            run = self.requests[path.rpartition("/")[2]]
            known = int(query.partition("from=")[2].partition("&")[0] or 0)
            return 200, json.dumps(self._status(run, finished=True, known=known)).encode()
        if question.place == "toss":
            toss, asked = question.path.rpartition("/")[2], json.loads(question.body)
            self.names[toss] = asked["name"]
            made = asked["commitment"] if self.trick == "toss.copies" else committed(toss, asked["name"])
            return 200, json.dumps({"commitment": made}).encode()
        if question.place == "reveal":
            return 200, json.dumps({"value": VALUE.hex(), "salt": SALT.hex()}).encode()
        return 204, b""

    @property
    def _blob(self) -> bytes:
        """What it commits to and shows."""
        place, _, what = self.trick.partition(".")
        return CRAFTED[what] if place == "checkpoint" else BLOB

    def _status(self, run: dict[str, Any], *, finished: bool, known: int = 0) -> dict[str, Any]:
        digest = hashlib.sha256(self._blob).hexdigest()
        made = [{"step": step, "digest": digest} for step in run["boundaries"]] if finished else []
        step = run["boundaries"][-1] if finished else run["start_step"]
        state = "finished" if finished else "queued"
        return {
            "id": run["id"],
            "state": state,
            "version": 2 if finished else 0,
            "step": step,
            "loss": 1.5,
            "commitments": made[known:],
            "error": None,
        }


def committed(toss: str, name: str) -> str:
    """The commitment to `VALUE` with `SALT`, as the protocol describes it."""
    parts = (b"auditor toss commitment 1", toss.encode(), name.encode())
    encoded = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hashlib.sha256(encoded + VALUE + SALT).hexdigest()


@contextmanager
def serving(tricks: Sequence[str], folder: Path) -> Iterator[dict[str, str]]:
    """A pretender for each trick while the context lasts; where each is, by its trick."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        paths = {trick: folder / str(number) for number, trick in enumerate(tricks)}
        for trick, path in paths.items():
            asyncio.run_coroutine_threadsafe(Pretender(trick).serve(path), loop).result()
        yield {trick: f"unix:{path}" for trick, path in paths.items()}
    finally:
        loop.call_soon_threadsafe(_end, loop)
        thread.join()


def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Stop a loop once whatever still waits in it has been cancelled."""
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.call_soon(loop.stop)


def framed(status: int, body: bytes, length: int | None = None, *headers: bytes) -> bytes:
    """An answer as it goes over the wire; one that is longer or shorter than it says, where that is given."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status} X".encode(), f"content-length: {size}".encode(), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + (b"" if status == 204 else body)


async def _endless(writer: Writer, start: bytes, piece: bytes, pause: float = 0.0) -> bool:
    writer.write(start)
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


async def _once(writer: Writer, data: bytes, *, close: bool = True) -> bool:
    writer.write(data)
    await writer.drain()
    return not close


async def _drip(writer: Writer, body: bytes) -> bool:
    data = framed(200, body)
    for index in range(len(data)):
        writer.write(data[index : index + 1])
        await writer.drain()
        await asyncio.sleep(SLOW_SECONDS)
    return True


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
WIRE: dict[str, Callable[[Writer, bytes], Awaitable[bool]]] = {
    "never_answers": lambda writer, _: asyncio.sleep(3600, False),
    "closes": lambda writer, _: _once(writer, b""),
    "continues": lambda writer, _: _endless(writer, b"", b"HTTP/1.1 102 Processing\r\n\r\n", SLOW_SECONDS),
    "drips": _drip,
    "endless_spaces": lambda writer, _: _endless(writer, CHUNKED, b"1\r\n \r\n", SLOW_SECONDS),
    "endless_chunks": lambda writer, _: _endless(writer, CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "endless_headers": lambda writer, _: _endless(writer, OK, b"x: y\r\n" * 1000),
    "long_header": lambda writer, _: _endless(writer, OK + b"x: ", b"a" * 100_000),
    "cut_off": lambda writer, body: _once(writer, framed(200, body[: len(body) // 2], len(body))),
    "cut_off_unframed": lambda writer, body: _once(writer, OK + b"connection: close\r\n\r\n" + body[: len(body) // 2]),
    "huge_length": lambda writer, body: _once(writer, framed(200, body, 10**30)),
    "negative_length": lambda writer, body: _once(writer, framed(200, body, -5)),
    "two_lengths": lambda writer, body: _once(writer, framed(200, body, None, b"content-length: 5")),
    "old_http": lambda writer, _: _once(writer, b"hello"),
    "switches": lambda writer, _: _once(writer, b"HTTP/1.1 101 Y\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    "redirects": lambda writer, _: _once(writer, framed(307, b"", None, b"location: http://127.0.0.1:9/")),
    "redirects_badly": lambda writer, _: _once(writer, framed(307, b"", None, b"location: http://[/\x80")),
    "zips": lambda writer, body: _once(writer, framed(200, gzip.compress(body), None, b"content-encoding: gzip")),
    "bombs": lambda writer, _: _once(
        writer, framed(200, gzip.compress(bytes(5_000_000), 1), None, b"content-encoding: gzip")
    ),
    "sets_cookies": lambda writer, body: _once(
        writer, framed(200, body, None, *[b"set-cookie: a=b; domain=\x80"] * 50)
    ),
}
"""What is done to the connection, whatever was asked."""

BODY: dict[str, Callable[[int, bytes, int], tuple[int, bytes]]] = {
    "fails": lambda status, body, _: (500, b'{"error": "oh"}'),
    "fails_deeply": lambda status, body, _: (400, b"[" * 400_000),
    "refuses_evilly": lambda status, body, _: (400, json.dumps({"error": EVIL * 2000}).encode()),
    "fails_with_an_object": lambda status, body, _: (400, b'{"error": {"a": [1]}}'),
    "fails_with_a_page": lambda status, body, _: (502, b"<html>bad gateway</html>"),
    "says_nothing": lambda status, body, _: (204, b""),
    "invents_a_status": lambda status, body, _: (999, b"{}"),
    "says_no": lambda *_: (409, b'{"error": "I will not"}'),
    "says_no_later": lambda status, body, count: (status, body) if count == 1 else (409, b'{"error": "I will not"}'),
    "forgets": lambda *_: (404, b'{"error": "what toss?"}'),
    "is_refused_on_the_way": lambda *_: (403, b"<html>the proxy says no</html>"),
    "garbage": lambda status, body, _: (200, b"\xff\xfe<html>\x1b[2J"),
    "deep_objects": lambda status, body, _: (200, b'{"id":' * 150_000),
    "deep_lists": lambda status, body, _: (200, b"[" * 1_000_000),
    "huge": lambda status, body, _: (200, b'{"id": "' + b"x" * 3_000_000 + b'"}'),
    "utf16": lambda status, body, _: (200, body.decode().encode("utf-16")),
    "short": lambda status, body, _: (200, body[:-100]),
    "long": lambda status, body, _: (200, body + b"x"),
    "other": lambda status, body, _: (200, bytes(len(body))),
    "other_once": lambda status, body, count: (200, body if count > 1 else bytes(len(body))),
}
"""What is put in the place of an answer."""


def _changed(**changes: Any) -> Callable[[dict[str, Any], int], bytes]:
    return lambda answer, _: json.dumps({**answer, **changes}).encode()


def _inserted(key: str, text: str) -> Callable[[dict[str, Any], int], bytes]:
    return lambda answer, _: json.dumps({**answer, key: "HERE"}).replace('"HERE"', text).encode()


def _commitments(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[dict[str, Any], int], bytes]:
    return lambda answer, _: json.dumps({**answer, "commitments": change(answer["commitments"])}).encode()


STATUS: dict[str, Callable[[dict[str, Any], int], bytes]] = {
    "copies": lambda answer, _: json.dumps(answer).encode(),
    "other_value": _changed(value="00" * 32),
    "no_value": _changed(value=[1]),
    "nan": _changed(loss=float("nan")),
    "infinite": _inserted("loss", "1e999"),
    "long_number": _inserted("step", "1" * 5000),
    "over_64_bits": _changed(version=2**63),
    "negative_step": _changed(step=-1),
    "text_for_step": _changed(step="10"),
    "float_for_step": _changed(step=10.0),
    "true_for_step": _changed(step=True),
    "negative_seed": _changed(seed=-1),
    "text_for_seed": _changed(seed="5"),
    "draws": _changed(seed=5),
    "draws_again": lambda answer, count: json.dumps(
        {**answer, "state": "training", "commitments": [], "step": 0, "version": count, "seed": count}
    ).encode(),
    "negative_threads": _changed(threads=-1),
    "many_threads": _inserted("threads", "1" + "0" * 4000),
    "other_protocol": _changed(protocol=2),
    "evil_words": _changed(device=EVIL, software="x" * 900_000),
    "key_twice": lambda answer, _: json.dumps(answer)[:-1].encode() + b',"state":"training"}',
    "half_a_surrogate": _inserted("error", '"\\ud800"'),
    "unknown_state": _changed(state="dreaming"),
    "other_id": _changed(id="x"),
    "past_the_end": _changed(step=10**6),
    "backwards": lambda answer, count: json.dumps(
        {**answer, "state": "training", "commitments": [], "step": 15 - count}
    ).encode(),
    "finished_without": _changed(commitments=[]),
    "other_steps": _commitments(lambda made: [{**one, "step": one["step"] + 1} for one in made]),
    "twice": _commitments(lambda made: made * 2),
    "out_of_order": _commitments(lambda made: [{**made[0], "step": 0}, *made]),
    "ten_thousand": _commitments(lambda made: made * 10_000),
    "upper_case": _commitments(lambda made: [{**one, "digest": one["digest"].upper()} for one in made]),
    "path_for_digest": _commitments(lambda made: [{**one, "digest": "../../../../etc/passwd"} for one in made]),
    "cancels": _changed(state="cancelled"),
    "fails_evilly": _changed(state="failed", error=EVIL * 20_000),
    "queues": _changed(state="queued", commitments=[], step=10),
    "takes_its_time": lambda answer, count: json.dumps(
        answer
        if count > 40
        else {**answer, "state": "queued" if count < 20 else "preparing", "commitments": [], "step": 10}
    ).encode(),
    "flickers": lambda answer, count: json.dumps(
        {
            **answer,
            "state": ("queued", "training")[count % 2],
            "commitments": [],
            "step": 10,
            "version": count,
        }
    ).encode(),
    "hurries_nowhere": lambda answer, count: json.dumps(
        {**answer, "state": "training", "commitments": [], "step": 10, "version": count}
    ).encode(),
}
"""What is changed in an answer in JSON."""
