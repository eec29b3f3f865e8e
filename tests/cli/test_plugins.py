"""`auditor plugins`: what there is, whether it holds what it should, and the beginning of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT, Auditor
from tests.guide import save_examples

TALKS = """
import os
from auditor.plugins import Metric, option
from auditor.plugins import Options as Base
print("hello")
os.write(1, b"hello\\n")

class Choice(Base):
    share: float | None = option(None, "how much of it", gt=0, le=1)
    names: tuple[str, ...] = option(("a",), "which", min_length=1)
    size: int = option(..., "how many")

class Talks(Metric[int]):
    '''Talks.

    A lot.
    '''
    name = "talks"
    Options = Choice
    tasks = frozenset({"text", "vision"})
    def represent(self, model): return 0
    def distance(self, first, second): return 0.0
"""

NAN = """
from auditor.plugins import Metric

class Bad(Metric[int]):
    '''Not a number.'''
    name = "bad"
    def represent(self, model): return 0
    def distance(self, first, second): return float("nan")
"""


def install(folder: Path, package: str, points: dict[str, str]) -> dict[str, str]:
    """Put a package with these metrics, each in a module of its own, on the path that is returned."""
    information = folder / f"{package}-1.5.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.5\n")
    lines = [f"{name} = {package}_{name}:Plugin" for name in points]
    (information / "entry_points.txt").write_text("\n".join(["[auditor.metrics]", *lines, ""]))
    for name, text in points.items():
        (folder / f"{package}_{name}.py").write_text(text)
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def test_list_describes_what_loads_and_says_why_the_rest_does_not(auditor: Auditor, tmp_path: Path) -> None:
    cka = "from auditor_plugins.metrics.cka import LinearCKA as Plugin"
    strangers = {"raises": "raise OSError('no\\nlicence')", "update": cka}
    environment = install(tmp_path / "site", "strangers", strangers)
    (tmp_path / "talks.py").write_text(TALKS)
    (tmp_path / "quits.py").write_text("import os\nos._exit(3)\n")
    files = [part for name in ("quits.py", "talks.py") for part in ("--plugin", name)]
    result = auditor("plugins", "list", "--json", *files, environment=environment)
    assert (result.code, result.stderr) == (0, "")
    told = {(one["kind"], one["name"], one["package"]): one for one in result.events}
    badnets, talks = told["attacks", "badnets", "auditor"], told["metrics", "talks", "talks.py"]
    assert (badnets["error"], badnets["tasks"], badnets["file"]) == (None, ["vision"], None)
    assert "patch" in badnets["documentation"]
    assert {option["name"]: option["default"] for option in badnets["options"]}["rate"] == 0.1
    assert (talks["documentation"], talks["tasks"]) == ("Talks.\n\nA lot.", ["text", "vision"])
    assert talks["file"] == str(tmp_path / "talks.py")
    assert talks["options"] == [
        option("share", "number", False, None, {"gt": 0, "le": 1}, "how much of it"),
        option("names", "list of text", False, ["a"], {"min_length": 1}, "which"),
        option("size", "integer", True, None, {}, "how many"),
    ]
    quits = told["file", "quits.py", "quits.py"]
    assert quits["error"] == f"plugin file {tmp_path}/quits.py ended its process with code 3 while it was loaded."
    raises = told["metrics", "raises", "strangers"]
    assert raises["error"] == "metric 'raises' of package strangers does not load: OSError: no licence"
    for package in ("auditor", "strangers"):
        error = told["metrics", "update", package]["error"]
        assert "is provided by package auditor (UpdateDistance) and package strangers (Plugin)" in error
    assert all(one["error"] is None for one in result.events if one not in (quits, raises) and one["name"] != "update")


def option(name: str, kind: str, required: bool, default: Any, constraints: Any, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "required": required,
        "default": default,
        "constraints": constraints,
        "description": description,
    }


def test_the_examples_of_the_guide_pass_their_checks_and_a_bad_metric_does_not(
    auditor: Auditor, tmp_path: Path
) -> None:
    files = ["angle.py", "negative.py", "signature.py", "fog.py"]
    assert save_examples(tmp_path) == [*files, "friday.toml", "test_plugins.py"]
    (tmp_path / "bad.py").write_text(NAN)
    result = auditor("plugins", "check", *files, "bad.py", "--json")
    assert result.code == 1, result.stderr
    angle, negative, signature, fog, bad = result.events
    for one in (angle, negative, signature, fog):
        assert one["passed"], [check for check in one["checks"] if check["outcome"] != "passed"]
        left_out = [str(check) for check in one["checks"] if check["outcome"] != "passed"]
        assert all("it serves the model that it delivers" in check for check in left_out)
        assert len(one["checks"]) >= 10
    assert angle["costs"][0]["representation_seconds"] > angle["costs"][0]["distance_seconds"] > 0
    (eight, noise), (forty, more_noise) = angle["costs"][0]["noise"]
    assert (eight, forty) == (8, 40)
    assert 0 < noise < more_noise
    assert negative["costs"][0]["step_ratio"] > 0
    assert signature["kind"] == "inspectors"
    assert signature["costs"][0]["inspection_seconds"] > 0
    assert fog["kind"] == "drifts"
    assert fog["costs"][0]["drift_seconds"] > 0
    failed = {check["name"]: check["reason"] for check in bad["checks"] if check["outcome"] == "failed"}
    assert failed["distances are finite and not negative"].startswith("it returned the distance nan")
    assert (bad["passed"], bad["costs"], bad["file"]) == (False, [], str(tmp_path / "bad.py"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new", "metric", "Total-Variation"], "beginning with a letter, such as 'total_variation'."),
        (["list", "zets"], "there is no plugin 'zets'; the plugins are adaptive, badnets"),
        (["check", "zets"], "there is no plugin 'zets'; give a .py file, `all`, or one of adaptive, badnets"),
        (["check", "zets.py"], "zets.py: does not exist."),
        (["check", "zest", "--options", "3"], "--options '3' is not a table; write it as in a job file"),
    ],
)
def test_what_cannot_be_is_refused(auditor: Auditor, tmp_path: Path, arguments: list[str], words: str) -> None:
    result = auditor("plugins", *arguments)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_new_packages_install_without_a_network_and_pass_their_tests(auditor: Auditor, tmp_path: Path) -> None:
    made = auditor("plugins", "new", "metric", "total_variation")
    assert made.stdout.splitlines()[-1] == "auditor-total-variation/test_total_variation.py"
    assert "pip install -e . && pytest" in made.stderr
    assert auditor("plugins", "new", "attack", "white_line", "--folder", "mine/line").code == 0
    assert auditor("plugins", "new", "inspector", "noise_bias").code == 0
    assert auditor("plugins", "new", "drift", "dusty").code == 0
    # An environment of its own, which sees what is installed in that of the tests.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "tests.pth").write_text("\n".join(["import sys", *dict.fromkeys(part for part in sys.path if part)]))
    python = str(tmp_path / "venv" / "bin" / "python")
    folders = [
        str(tmp_path / name) for name in ("auditor-total-variation", "mine/line", "auditor-noise-bias", "auditor-dusty")
    ]
    editable = [part for folder in folders for part in ("-e", folder)]
    offline = ["--isolated", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]

    def run(*arguments: str) -> str:
        done = subprocess.run([python, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("-m", "pip", "install", *offline, *editable)
    assert "39 passed" in run("-m", "pytest", "-p", "no:cacheprovider", *folders)
    found = run(
        "-c",
        "from auditor.plugins import installed\n"
        "kinds = ('attacks', 'drifts', 'inspectors', 'metrics')\n"
        "print([str(one) for kind in kinds for one in installed(kind) if one.package != 'auditor'])",
    )
    assert "attack 'white_line' of package auditor-white-line" in found
    assert "drift 'dusty' of package auditor-dusty" in found
    assert "inspector 'noise_bias' of package auditor-noise-bias" in found
    assert "metric 'total_variation' of package auditor-total-variation" in found
