"""What a user can get wrong: a clear error, exit code 2, no traceback, nothing started."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.command import Auditor, job_text


def refused(auditor: Auditor, *arguments: str, code: int = 2) -> str:
    result = auditor.here(*arguments)
    assert result.code == code, (result.code, result.stdout, result.stderr)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("error: ")
    assert auditor.here("runs").stdout == ""
    return result.stderr


def test_a_job_file_that_is_not_there(auditor: Auditor) -> None:
    assert "missing.toml: cannot be read: No such file" in refused(auditor, "run", "missing.toml")


def test_a_typing_error_is_shown_with_line_key_and_the_nearest_word(auditor: Auditor) -> None:
    job = auditor.job(audit='desicion = "ks"')
    message = refused(auditor, "run", job)
    assert "job.toml:12: audit.desicion: is not a known key here" in message
    assert "Did you mean 'decision'?" in message


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"metrics": '["zets"]'}, ["unknown metric 'zets'", "Did you mean 'zest'?"]),
        ({"metrics": '[{ name = "zest", image = 3 }]'}, ["has no option 'image'", "Did you mean 'images'?"]),
        ({"metrics": '[{ name = "zest", images = 0 }]'}, ["option 'images'", "greater than or equal to 1"]),
        ({"attacks": {"b": '{ name = "badnet" }'}}, ["unknown attack 'badnet'", "Did you mean 'badnets'?"]),
        (
            {"attacks": {"b": '{ name = "low_rate", attack = { name = "badnet" } }'}},
            ["attack 'low_rate' of package auditor wraps another: unknown attack 'badnet'"],
        ),
        (
            {"attacks": {"b": '{ name = "adaptive", metric = "angle", attack = { name = "badnets" } }'}},
            ["option 'metric': 'angle' cannot be followed", "use one of update, cka, output, zest, or give a bound."],
        ),
        ({"attacks": {"b": '{ name = "badnets", target = 10 }'}}, ["provider 'b'", "target 10 is not one of the 10"]),
        ({"task": 'dataset = "tensors:none.safetensors"'}, ["none.safetensors: there is no such file"]),
        ({"task": 'dataset = "digits"\nmodel = "torchvision:resnet19"'}, ["Did you mean 'resnet18'?"]),
        ({"task": 'dataset = "digits"\nmodel = "torchvision:vgg11"'}, ["does not take images of 1×8×8"]),
        ({"endpoints": {"b": "local:cuda:77"}}, ["provider 'b': this machine has no cuda:77", "or local:cpu"]),
        ({"metrics": '[{ name = "zest", masks = 4 }]'}, ["4 masks cannot determine 16 segments"]),
        ({"metrics": '[{ name = "cka", layers = ["conv9"] }]'}, ["no layer 'conv9'", "It has conv, bn, stages"]),
    ],
)
def test_what_only_shows_when_plugins_and_data_are_loaded(
    auditor: Auditor, parts: dict[str, Any], words: list[str]
) -> None:
    message = refused(auditor, "run", auditor.job(**parts))
    assert all(word in message for word in words), message


def test_a_store_of_a_newer_version_is_left_alone(auditor: Auditor) -> None:
    auditor.home.mkdir()
    with sqlite3.connect(auditor.home / "auditor.db") as database:
        database.execute("PRAGMA user_version = 99")
    result = auditor.here("run", auditor.job())
    assert result.code == 2
    assert "newer version of auditor" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_home_that_cannot_be_written(auditor: Auditor) -> None:
    auditor.home.write_text("a file where a folder should be")
    result = auditor.here("run", auditor.job())
    assert result.code == 2
    assert "Set AUDITOR_HOME to a writable folder" in result.stderr


def test_an_unknown_run(auditor: Auditor) -> None:
    assert "`auditor runs` lists" in refused(auditor, "resume", "nothing-like-it")


def test_nobody_to_be_reached(auditor: Auditor, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    somebody_elses = temporary / "file"
    somebody_elses.write_text("precious")
    endpoints = {name: f"unix:{tmp_path / name}.sock" for name in ("a", "b", "c")}
    result = auditor("run", auditor.job(endpoints=endpoints), environment={"TMPDIR": str(temporary)})
    assert result.code == 3
    assert "needs the primary and at least 2 other providers" in result.stderr
    assert "Traceback" not in result.stderr
    assert somebody_elses.read_text() == "precious"


def test_an_unknown_sample(auditor: Auditor) -> None:
    assert "Did you mean 'quickstart'?" in refused(auditor, "plan", "sample:quikstart")


def test_a_plugin_file_that_is_not_there(auditor: Auditor) -> None:
    assert "--plugin mine.py: does not exist." in refused(auditor, "run", auditor.job(), "--plugin", "mine.py")


def test_a_fixed_selection_can_be_planned(auditor: Auditor) -> None:
    result = auditor.here("plan", auditor.job(audit="fixed_selection = [0, 2]"))
    assert (result.code, "2 sub-runs" in result.stdout) == (0, True), result.stderr


def test_a_byte_order_mark_and_a_name_that_is_not_registered(auditor: Auditor) -> None:
    job = auditor.job(endpoints={"b": "nobody"})
    path = auditor.folder / job
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    message = refused(auditor, "plan", job)
    assert "job.toml:19: providers.1.endpoint: no provider 'nobody' is registered" in message


def test_an_image_that_is_too_large_leaves_no_run_behind(auditor: Auditor) -> None:
    for label in ("a", "b"):
        (auditor.folder / "data" / label).mkdir(parents=True)
        (auditor.folder / "data" / label / "x.ppm").write_bytes(b"P6\n40000 40000\n255\n")
    message = refused(auditor, "run", auditor.job(task='dataset = "images:data"'))
    assert "x.ppm has too many pixels, and at most 16,777,216 are read" in message


def test_names_that_are_no_text(auditor: Auditor) -> None:
    folder = auditor.folder / os.fsdecode(b"f\xff")
    folder.mkdir()
    (folder / "job.toml").write_text(job_text())
    (auditor.folder / os.fsdecode(b"job\xff.toml")).write_text(job_text())
    assert "whose name is not UTF-8 text" in refused(auditor, "plan", str(folder / "job.toml"))
    assert auditor("plan", os.fsdecode(b"job\xff.toml")).code == 0
