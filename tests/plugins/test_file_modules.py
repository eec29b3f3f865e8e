"""Plugins in single files: found by name beside the installed ones, and never in place of one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditor.job.plugin_file import PluginFile, PluginFileError, read_plugin_file
from auditor.plugins import Catalogue, Metric, PluginError, create_plugin, installed

METRIC = """
from __future__ import annotations
from dataclasses import dataclass
from auditor.plugins import Attack, Inspection, Inspector, Metric, Options, option

class _Base(Metric[float]):
    def represent(self, model):
        return self.options.scale
    def distance(self, first, second):
        return abs(first - second)

@dataclass(frozen=True)
class Kept:
    value: float

class NameOptions(Options):
    scale: float = option(1.0, "what everything is multiplied with", gt=0)

class Mine(_Base):
    name = "mine"
    Options = NameOptions

class Patch(Attack):
    name = "patch"

class Glance(Inspector):
    name = "glance"
    def inspect(self, model):
        return Inspection(score=0.5, threshold=0.2)

Alias = Mine
"""


@pytest.fixture
def mine(tmp_path: Path) -> PluginFile:
    return written(tmp_path / "mine.py", METRIC)


def written(path: Path, text: str) -> PluginFile:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return read_plugin_file(path)


def test_the_named_classes_of_a_file_stand_beside_the_installed_ones(mine: PluginFile) -> None:
    plugins = Catalogue((mine,))
    before = {origin.name for origin in installed("metrics")}
    assert {origin.name for origin in plugins.origins("metrics")} == before | {"mine"}
    origin = plugins.origin("attacks", "patch")
    assert (origin.package, origin.file, origin.target) == ("mine.py", mine.path, f"{mine.path}:Patch")
    assert origin.version == mine.digest[:12]
    assert plugins.origin("inspectors", "glance").target == f"{mine.path}:Glance"
    assert type(plugins.create("inspectors", "glance", {})).name == "glance"
    assert {origin.name for origin in installed("metrics")} == before


def test_a_plugin_of_a_file_takes_options_like_any_other(mine: PluginFile) -> None:
    plugins = Catalogue((mine,))
    metric = plugins.create("metrics", "mine", {"scale": 2.0})
    assert isinstance(metric, Metric)
    assert metric.options.scale == 2.0
    with pytest.raises(PluginError, match=rf"metric 'mine' of file {mine.path}: has no option 'scal'.*'scale'\?"):
        plugins.create("metrics", "mine", {"scal": 2.0})
    with pytest.raises(PluginError, match=r"unknown metric 'mien'; use one of .*mine.*Did you mean 'mine'\?"):
        plugins.create("metrics", "mien", {})
    with pytest.raises(PluginError, match="unknown metric 'mine'"):
        create_plugin("metrics", "mine", {})


def test_a_wrapping_attack_finds_those_of_files(mine: PluginFile) -> None:
    assert type(Catalogue((mine,)).create_attack({"name": "patch"})).name == "patch"
    with pytest.raises(PluginError, match="unknown attack 'patch'"):
        Catalogue().create_attack({"name": "patch"})


def test_a_file_that_has_changed_is_used_as_it_was_read_and_tells_that_it_has(mine: PluginFile) -> None:
    assert mine.drift is None
    Path(mine.path).write_text(METRIC.replace('"mine"', '"other"'))
    assert mine.drift == "has been changed"
    assert Catalogue((mine,)).load("metrics", "mine").name == "mine"
    now = read_plugin_file(Path(mine.path))
    assert Catalogue((now,)).load("metrics", "other").name == "other"
    Path(mine.path).unlink()
    assert mine.drift == "does not exist"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('no such\\naccelerator')", "does not load: RuntimeError: no such accelerator$"),
        ("import sys\nsys.exit('goodbye')", "does not load: SystemExit: goodbye$"),
        ("def broken(:", "does not load: SyntaxError"),
        ("import neighbour", "does not load: ModuleNotFoundError"),
        ("from auditor.plugins import Metric", "contains no plugin: it has no subclass of .* with a `name`"),
        ("", "contains no plugin"),
    ],
)
def test_a_file_that_holds_no_plugin_is_one_line_that_names_it(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "neighbour.py").write_text("VALUE = 1")
    file = written(tmp_path / "broken.py", text)
    with pytest.raises(PluginError, match=words) as caught:
        Catalogue((file,)).check_files()
    assert str(caught.value).startswith(f"plugin file {file.path} ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("first", "second", "places"),
    [
        (METRIC.replace('"mine"', '"update"'), "", r"file .*one\.py \(Mine\) and package auditor \(UpdateDistance\)"),
        (
            METRIC,
            METRIC.replace('"patch"', '"spot"').replace('"glance"', '"gaze"'),
            r"file .*one\.py \(Mine\) and file .*two\.py \(Mine\)",
        ),
        (
            METRIC + "class Twin(_Base):\n    name = 'mine'\n",
            "",
            r"file .*one\.py \(Mine\) and file .*one\.py \(Twin\)",
        ),
    ],
)
def test_two_plugins_of_one_name_are_never_told_apart_in_silence(
    tmp_path: Path, first: str, second: str, places: str
) -> None:
    texts = {"one.py": first, "two.py": second}
    plugins = Catalogue(tuple(written(tmp_path / name, text) for name, text in texts.items() if text))
    with pytest.raises(PluginError, match=f"provided by {places}; give one of them another name"):
        plugins.check_files()
    assert plugins.load("metrics", "zest").name == "zest"


def test_a_file_is_executed_once_and_finds_itself_where_it_lies(tmp_path: Path) -> None:
    text = METRIC + "print('executed', __file__)\n"
    file = written(tmp_path / "talks.py", text)
    script = (
        "import sys\nfrom auditor.job import PluginFile\nfrom auditor.plugins import Catalogue\n"
        "plugins = Catalogue((PluginFile.model_validate_json(sys.argv[1]),))\n"
        "plugins.check_files()\nassert plugins.load('metrics', 'mine') is plugins.load('metrics', 'mine')\n"
    )
    command = [sys.executable, "-c", script, file.model_dump_json()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"executed {file.path}"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.py", "does not exist"),
        ("folder.py", "is a folder, not a file"),
        ("notes.txt", "name should end in .py"),
        ("binary.py", "is not UTF-8 text"),
        ("huge.py", "has more than 1,048,576 bytes"),
    ],
)
def test_what_is_not_a_python_file_is_refused(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "huge.py").write_text("#" * (1 << 20) + "\n")
    with pytest.raises(PluginFileError, match=words):
        read_plugin_file(tmp_path / name)
