"""Data that is no data, or a few bytes that claim to be gigabytes: a sentence that names the file, soon."""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from auditor.tasks.errors import TrainingError
from tests.memory import Memory
from tests.tasks.loading import load_dataset, network_task

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"


def refused(dataset: str, folder: Path, **more: Any) -> str:
    kind = "text" if dataset.startswith(("tsv:", "csv:", "jsonl:")) else "vision"
    with Memory() as memory, pytest.raises(TrainingError) as caught:
        load_dataset(network_task(kind, dataset=dataset, **more), folder)
    assert memory.grown < 1 << 30
    words = str(caught.value)
    assert words.isprintable()
    assert len(words) < 1500
    return words


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *more: bytes, pixels: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + b"".join(more) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def folder_with(tmp_path: Path, content: bytes, name: str = "x.png") -> str:
    for label in ("a", "b"):
        (tmp_path / "data" / label).mkdir(parents=True)
        Image.new("L", (8, 8)).save(tmp_path / "data" / label / "0.png")
    (tmp_path / "data" / "b" / name).write_bytes(content)
    return f"images:{tmp_path / 'data'}"


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (EPS, "x.png cannot be read: it is not a PNG, JPEG"),
        (encoded("ICO"), "it is not a PNG, JPEG"),
        (encoded("PCX"), "it is not a PNG, JPEG"),
        (encoded("PDF"), "it is not a PNG, JPEG"),
        (png(40_000, 40_000), "x.png has too many pixels, and at most 16,777,216 are read"),
        (png(5000, 5000), "x.png has 5,000 × 5,000 pixels, and at most 16,777,216 are read"),
        (png(30_000, 1), "x.png cannot be read"),
        (b"P6\n100000 100000\n255\n", "x.png has too many pixels"),
        (b"P5\n9999999999 1\n255\n", "x.png"),
        (png(8, 8, chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(80 << 20)))), "x.png cannot be read"),
        (png(8, 8, chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(80 << 20))), pixels=b"\0"), "x.png cannot be read"),
        (png(8, 8, chunk(b"pHYs", b"")), "x.png cannot be read"),
        (encoded("PNG")[:40], "x.png"),
        (encoded("TIFF")[:60], "x.png"),
        (encoded("GIF")[:20], "x.png"),
        (encoded("JPEG")[:200], "x.png"),
        (b"", "x.png cannot be read: it is not a PNG, JPEG"),
    ],
    ids=range(17),
)
def test_an_image_that_is_none_or_too_large(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refused(folder_with(tmp_path, content), tmp_path)


def test_no_program_is_started_to_read_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("gs", "djpeg", "xv"):
        (programs / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    assert shutil.which("gs") == str(programs / "gs")
    for suffix in (".png", ".jpg", ".tif"):
        refused(folder_with(tmp_path / suffix, EPS, f"x{suffix}"), tmp_path)
    assert not (tmp_path / "started").exists()


def test_an_image_whose_name_tells_another_format_is_still_read(tmp_path: Path) -> None:
    dataset = load_dataset(network_task(dataset=folder_with(tmp_path, encoded("JPEG"))), tmp_path)
    assert len(dataset.samples) + len(dataset.held_out_samples) == 3


def strange(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "strange.png"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "endless":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path)
        case "sparse":
            with path.open("wb") as file:
                file.write(b"\xff" * 8)
                file.truncate(1 << 40)
        case "long":
            return tmp_path / ("x" * 5000)
    return path


@pytest.mark.parametrize("kind", ["pipe", "endless", "folder", "loop", "sparse", "long"])
@pytest.mark.parametrize("form", ["tensors", "tsv", "images", "tokenizer", "folder of images"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, form: str, kind: str) -> None:
    if kind == "loop" and form != "images":
        pytest.skip("the job is refused before")
    path = strange(tmp_path, kind)
    if form == "images":
        (tmp_path / "data" / "a").mkdir(parents=True)
        if kind == "long":
            pytest.skip("no folder holds it")
        (tmp_path / "data" / "a" / "x.png").symlink_to(path)
        refused(f"images:{tmp_path / 'data'}", tmp_path)
    elif form == "tokenizer":
        (tmp_path / "s.tsv").write_text("good\t1\nbad\t0\n" * 20)
        refused(f"tsv:{tmp_path / 's.tsv'}", tmp_path, tokenizer=str(path))
    else:
        refused(f"{form.removeprefix('folder of ')}:{path}", tmp_path)


def tokenizer(tmp_path: Path, **parts: Any) -> str:
    definition: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "good": 1}, "unk_token": "[UNK]"},
    }
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(definition | parts))
    return str(path)


def sentences(tmp_path: Path, text: str) -> str:
    (tmp_path / "s.tsv").write_text(f"{text}\t1\nbad\t0\n" * 5)
    return f"tsv:{tmp_path / 's.tsv'}"


SPLITTING = {"type": "Split", "behavior": "Removed", "invert": False}


GROWING = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 100}
BACKTRACKING = {"Regex": "(a+)+$"}
QUADRATIC = {"Regex": r"a*\d"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"pre_tokenizer": SPLITTING | {"pattern": BACKTRACKING}}, "cannot encode the sentences of this job: Onig"),
        ({"normalizer": {"type": "Replace", "pattern": BACKTRACKING, "content": ""}}, "cannot encode the sentences"),
        (
            {"pre_tokenizer": SPLITTING | {"pattern": QUADRATIC}},
            "s for the sentences of this job, as some regular",
        ),
        ({"normalizer": {"type": "Sequence", "normalizers": [GROWING] * 6}}, "more than 768 MB of memory"),
    ],
    ids=["splitting", "replacing", "quadratic", "growing"],
)
def test_a_tokenizer_that_takes_for_ever_or_all_memory(tmp_path: Path, parts: dict[str, Any], words: str) -> None:
    length = 40_000 if parts.get("pre_tokenizer", {}).get("pattern") == QUADRATIC else 100
    dataset = sentences(tmp_path, "a" * length + "b")
    assert words in refused(dataset, tmp_path, tokenizer=tokenizer(tmp_path, **parts))


def test_a_regular_expression_that_does_no_harm_is_taken(tmp_path: Path) -> None:
    given = tokenizer(tmp_path, pre_tokenizer=SPLITTING | {"pattern": {"Regex": r"\s+(?!\S)|\s+"}})
    task = network_task("text", dataset=sentences(tmp_path, "good good"), tokenizer=given, model="embeddings")
    assert sorted(set(load_dataset(task, tmp_path).samples.flatten().tolist())) == [0, 1, 2]


@pytest.mark.parametrize(
    "parts",
    [
        {"model": {"type": "WordLevel", "vocab": {}, "unk_token": "x"}},
        {"model": {"type": "WordLevel", "vocab": {"a": 4_000_000_000}, "unk_token": "x"}},
        {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}},
        {"model": {"type": "Unigram", "vocab": [], "unk_id": 7}},
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
        {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Removed", "invert": False}},
        {"model": {"type": "\u202e"}},
    ],
    ids=range(7),
)
def test_a_tokenizer_that_is_none(tmp_path: Path, parts: dict[str, Any]) -> None:
    refused(sentences(tmp_path, "good"), tmp_path, tokenizer=tokenizer(tmp_path, **parts))


def test_trying_a_tokenizer_imports_the_library_alone(tmp_path: Path) -> None:
    from auditor.tasks.data import tokenizer_trial

    script = f"import runpy, sys; runpy.run_path({tokenizer_trial.__file__!r}); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
