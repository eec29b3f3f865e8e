"""`auditor data` says what was read, and the first lines of a run say it shorter."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from tests.command import Auditor, job_text


def pictures(root: Path) -> None:
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for index in range(20):
            Image.new("L", (8, 8), index * (3 if name == "cat" else 9)).save(root / name / f"{index}.png")
    (root / "cat" / ".DS_Store").write_bytes(b"x")
    (root / "dog" / "notes.txt").write_text("no image")


def job(auditor: Auditor, **more: str) -> str:
    pictures(auditor.folder / "data")
    text = job_text(steps=4, sub_run_steps=2, audit="fixed_selection = [0]").replace("digits", "images:data")
    (auditor.folder / "job.toml").write_text(text)
    return "job.toml"


def test_it_says_samples_classes_and_what_was_left_out(auditor: Auditor) -> None:
    result = auditor.here("data", job(auditor))
    assert result.code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "data resnet8: 36 gray images of 8 × 8 pixels in 2 classes, 4 more are held out"
    rows = [line.split() for line in lines[2:4]]
    assert [row[:2] for row in rows] == [["0", "cat"], ["1", "dog"]]
    assert sum(int(row[2]) for row in rows) == 36
    assert "- left out: 1 hidden file or folder of tools or the operating system, such as cat/.DS_Store" in lines
    assert "- left out: 1 file without a suffix of images: .txt (1)" in lines
    assert auditor.here("runs", "--json").stdout == ""


def test_as_json_it_is_one_object(auditor: Auditor) -> None:
    found = json.loads(auditor.here("data", job(auditor), "--json").stdout)
    assert (found["training"], found["held_out"]) == (36, 4)
    assert [known["name"] for known in found["classes"]] == ["cat", "dog"]
    assert {remark["kind"] for remark in found["remarks"]} == {"left out", "note"}


def test_data_that_cannot_be_used_is_one_line_and_code_2(auditor: Auditor) -> None:
    name = job(auditor)
    Image.new("I;16", (8, 8), 4000).save(auditor.folder / "data" / "dog" / "99.png")
    result = auditor.here("data", name)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "dog/99.png has values of more than 8 bits, from 4000 to 4000" in result.stderr


def test_a_run_says_it_in_its_first_lines_and_keeps_it(auditor: Auditor) -> None:
    result = auditor.here("run", job(auditor), "--json")
    (read,) = [event for event in result.events if event["event"] == "data_read"]
    assert result.events[1] == read
    assert [known["name"] for known in read["classes"]] == ["cat", "dog"]
    shown = auditor.here("report", "last", "--format", "json")
    assert json.loads(shown.stdout)["data"]["training"] == 36


def test_a_plan_takes_a_first_look_at_the_data(auditor: Auditor) -> None:
    name = job(auditor)
    plan = auditor.here("plan", name)
    assert plan.code == 0, plan.stderr
    words = " ".join(plan.stdout.split())
    assert "data 40 image files in 2 classes; left out: 1 hidden file" in words
    assert "no image has been decoded so far; `auditor data` reads all of them" in words
    found = json.loads(auditor.here("plan", name, "--json").stdout)["data"]
    assert [known["training"] for known in found["classes"]] == [20, 20]
    for image in (auditor.folder / "data" / "dog").glob("*.png"):
        image.unlink()
    broken = auditor.here("plan", name)
    assert broken.code == 0
    assert "warning: the data cannot be used:" in broken.stdout
    assert "dog has no images" in json.loads(auditor.here("plan", name, "--json").stdout)["data"]["problem"]


def test_a_first_look_says_which_class_a_held_out_part_lacks(auditor: Auditor) -> None:
    name = job(auditor)
    (auditor.folder / "aside" / "cat").mkdir(parents=True)
    (auditor.folder / "data" / "cat" / "0.png").rename(auditor.folder / "aside" / "cat" / "0.png")
    text = (auditor.folder / name).read_text()
    images = text.replace('"images:data"', '"images:data"\nheld_out = "images:aside"')
    (auditor.folder / name).write_text(images)
    assert "1 class without held-out samples: dog" in " ".join(auditor.here("plan", name).stdout.split())
    (auditor.folder / "a.csv").write_text("label,text\n" + "yes,one\nno,two\n" * 5)
    (auditor.folder / "b.csv").write_text("label,text\nyes,three\nyes,four\n")
    texts = text.replace("[task]", '[task]\nkind = "text"\nheld_out = "csv:b.csv"').replace("images:data", "csv:a.csv")
    (auditor.folder / name).write_text(texts)
    assert "1 class without held-out samples: no" in " ".join(auditor.here("plan", name).stdout.split())


def test_a_plan_takes_a_first_look_at_texts(auditor: Auditor) -> None:
    (auditor.folder / "a.csv").write_text("label,text\n" + "yes,one\nno,two\n" * 5)
    text = job_text().replace("[task]", '[task]\nkind = "text"').replace("digits", "csv:a.csv")
    (auditor.folder / "job.toml").write_text(text.replace('model = "resnet8"', ""))
    words = " ".join(auditor.here("plan", "job.toml").stdout.split())
    assert "data 10 texts in 2 classes; left out: the header in line 1: label, text" in words
