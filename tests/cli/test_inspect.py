"""`auditor inspect`: inspectors on a checkpoint or on what a run delivered, without a run."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from tests.command import Auditor
from tests.plugins.inspectors.trained import TARGET, trained

QUICK = '{ name = "neural_cleanse", epochs = 40, samples = 32, batch = 16, patience = 3, cost = 0.01 }'


def keep(folder: Path, name: str, tensors: dict[str, Tensor]) -> str:
    save_file(tensors, folder / name)
    return name


@pytest.mark.slow
def test_the_class_of_a_backdoor_is_suspected_drawn_and_saved(auditor: Auditor) -> None:
    """A checkpoint of auditor, by a command that reports progress and leaves no run behind."""
    file = keep(auditor.folder, "bad.safetensors", trained(True))
    options = ("--job", auditor.job(), "--with", QUICK, "--with", "fine_pruning", "--picture", "shown")
    result = auditor.here("inspect", file, *options)
    assert result.code == 10, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[1][0] == "neural_cleanse"
    assert rows[1][3:] == [str(TARGET), "✗", "suspicious"]
    assert rows[2][0] == "fine_pruning"
    assert "neural_cleanse, class 3 trigger:" in result.stdout
    assert "█" in result.stdout or "▓" in result.stdout
    assert "1/2 neural_cleanse: 100 of 100 %" in result.stderr
    saved = sorted(path.name for path in (auditor.folder / "shown").iterdir())
    assert saved[:2] == ["1-neural-cleanse-class-3-mask.png", "1-neural-cleanse-class-3-trigger.png"]
    mask = np.asarray(Image.open(auditor.folder / "shown" / saved[0]))
    assert mask.shape == (256, 256, 3)
    assert 0 < mask.mean() / 255 * 64 < 6  # pixels of 64
    assert auditor.here("runs", "--json").stdout == ""


def test_as_json_there_is_a_line_for_each_inspector(auditor: Auditor) -> None:
    """A file with the model alone, under the names of its own parameters."""
    bare = {name.removeprefix("model."): value for name, value in trained(False).items() if name.startswith("model.")}
    file = keep(auditor.folder, "bare.safetensors", bare)
    uses = ("--with", "fine_pruning", "--with", '{ name = "fine_pruning", loss = 0.5 }')
    result = auditor.here("inspect", file, "--job", auditor.job(), *uses, "--json")
    assert result.code == 0, result.stderr
    first, second = result.events
    assert (first["inspector"], first["options"], first["suspicious"]) == ("fine_pruning", {}, False)
    assert second["options"] == {"loss": 0.5}
    assert second["details"]["prunable"] > first["details"]["prunable"]
    assert (first["threshold"], first["confirmed"], first["pictures"]) == (10.0, True, {})


def test_what_a_run_delivered_is_inspected_with_the_job_that_the_run_kept(auditor: Auditor) -> None:
    job = auditor.job(steps=4, sub_run_steps=2, audit="fixed_selection = [0]")
    run = auditor.here("run", job, "--json").events[-1]["run"]
    (auditor.folder / job).unlink()
    found = [
        auditor.here("inspect", name, "--with", "fine_pruning", "--json") for name in (f"run:{run}", run[:6], "last")
    ]
    assert [result.code for result in found] == [0, 0, 0], found[0].stderr
    assert len({result.stdout for result in found}) == 1
    refused = auditor.here("inspect", run, "--job", "sample:quickstart")
    assert (refused.code, refused.stderr) == (2, "error: a run keeps its job; leave out --job.\n")


SILENT = """
from auditor.plugins import Inspection, Inspector

class Silent(Inspector):
    '''Says nothing.'''
    name = "silent"
    def inspect(self, model):
        raise ValueError("this model is too small")

class Broken(Silent):
    '''Fails.'''
    name = "broken"
    def inspect(self, model):
        return 1 / 0

class Endless(Silent):
    '''Not a number.'''
    name = "endless"
    def inspect(self, model):
        return Inspection(float("nan"), 1.0)

class Tensors(Silent):
    '''No JSON.'''
    name = "tensors"
    def inspect(self, model):
        return Inspection(0.0, 1.0, details={"of": model})

class Painter(Silent):
    '''No picture.'''
    name = "painter"
    def inspect(self, model):
        return Inspection(0.0, 1.0, pictures={"x": "y"})

class Quiet(Silent):
    '''No answer.'''
    name = "quiet"
    def inspect(self, model):
        return None
"""

FAULTS = {
    "silent": "this model is too small",
    "broken": "ZeroDivisionError: division by zero",
    "endless": "it gave a score that is not finite",
    "tensors": "it gave what cannot be kept: ",
    "painter": "it gave a picture 'x' that is no small uint8 [H, W, 3]",
    "quiet": "it gave a NoneType, not an Inspection",
}


def test_where_nothing_can_be_said_it_is_not_called_clean(auditor: Auditor) -> None:
    (auditor.folder / "silent.py").write_text(SILENT)
    file = keep(auditor.folder, "model.safetensors", trained(False))
    given = ("inspect", file, "--job", auditor.job(), "--plugin", "silent.py", "--with", "fine_pruning")
    named = [part for name in FAULTS for part in ("--with", name)]
    result = auditor.here(*given, *named)
    assert result.code == 11, result.stderr
    assert "✓ not suspicious" in result.stdout
    assert result.stdout.count("? ") == len(FAULTS)
    lines = auditor.here(*given, *named, "--json").events
    assert [line["inspector"] for line in lines] == ["fine_pruning", *FAULTS]
    for line, words in zip(lines[1:], FAULTS.values(), strict=True):
        assert line["failure"].startswith(words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["good.safetensors", "--job", "job.toml", "--with", "neural_clean"], "Did you mean 'neural_cleanse'?"),
        (["good.safetensors", "--job", "job.toml", "--with", "{ name = 3"], "is neither a name nor a table"),
        (["good.safetensors", "--job", "job.toml", "--with", "{ success = 0.5 }"], "is neither a name nor a table"),
        (["good.safetensors", "--job", "job.toml", "--with", '{ name = "tabor", succes = 1 }'], "no option 'succes'"),
        (["good.safetensors", "--job", "job.toml", "--device", "cuda:77"], "there is no such device here"),
        (["good.safetensors", "--job", "job.toml", "--device", "abacus"], "there is no such device here"),
        (["good.safetensors", "--job", "wide.toml", "--with", "fine_pruning"], "good.safetensors is of another model"),
        (["good.safetensors", "--job", "texts.toml"], "does not support text tasks, only vision"),
        (["good.safetensors", "--job", "texts.toml", "--smoothing", "4"], "smoothing adds noise to images"),
        (["good.safetensors", "--job", "nowhere.toml"], "nowhere.toml"),
        (["good.safetensors"], "say with --job what it is a model of"),
        (["good.safetensors", "--job", "job.toml", "--picture", "job.toml/deeper"], "--picture"),
        (["nan.safetensors", "--job", "job.toml"], "nan.safetensors holds numbers that are not finite"),
        (["short.safetensors", "--job", "job.toml"], "is of another model: it has no "),
        (["text.safetensors", "--job", "job.toml"], "is not a safetensors file"),
        (["cut.safetensors", "--job", "job.toml"], "is not a safetensors file"),
        (["bomb.safetensors", "--job", "job.toml"], "is not a safetensors file"),
        (["folder.safetensors", "--job", "job.toml"], "folder.safetensors"),
        (["pipe.safetensors", "--job", "job.toml"], "pipe.safetensors"),
        (["absent.safetensors", "--job", "job.toml"], "absent.safetensors"),
        (["run:nothing"], "there is no run 'nothing'"),
        (["nothing"], "there is no run 'nothing'"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_line_and_code_2(auditor: Auditor, arguments: list[str], words: str) -> None:
    folder, good = auditor.folder, trained(False)
    auditor.job()
    auditor.job("wide.toml", task='dataset = "digits"\nmodel = "resnet20"')
    auditor.job("texts.toml", task='kind = "text"\ndataset = "reviews"')
    keep(folder, "good.safetensors", good)
    keep(
        folder,
        "nan.safetensors",
        good | {"model.linear.weight": torch.full_like(good["model.linear.weight"], math.nan)},
    )
    keep(folder, "short.safetensors", {name: value for name, value in good.items() if "linear" not in name})
    content = (folder / "good.safetensors").read_bytes()
    (folder / "text.safetensors").write_text("hello" * 100)
    (folder / "cut.safetensors").write_bytes(content[:-100])
    (folder / "bomb.safetensors").write_bytes((1 << 40).to_bytes(8, "little") + b"{}")
    (folder / "folder.safetensors").mkdir()
    os.mkfifo(folder / "pipe.safetensors")
    result = auditor.here("inspect", *arguments)
    assert (result.code, result.stdout) == (2, ""), result.stderr
    assert words in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_hostile_names_of_pictures_stay_in_the_folder(auditor: Auditor) -> None:
    hostile = SILENT.replace(
        'raise ValueError("this model is too small")',
        'return Inspection(2.0, 1.0, pictures={"../../\\x1b[31mup": np.zeros((2, 2, 3), np.uint8)})',
    ).replace("from auditor", "import numpy as np\nfrom auditor", 1)
    (auditor.folder / "silent.py").write_text(hostile)
    file = keep(auditor.folder, "model.safetensors", trained(False))
    given = ("--job", auditor.job(), "--plugin", "silent.py", "--with", "silent", "--picture", "shown/deep")
    result = auditor.here("inspect", file, *given)
    assert result.code == 10, result.stderr
    assert [path.name for path in (auditor.folder / "shown" / "deep").iterdir()] == ["1-silent-31mup.png"]
    assert "\x1b" not in result.stdout
    assert json.dumps(sorted(path.name for path in auditor.folder.glob("*.png"))) == "[]"
