"""A wheel holds everything that a run needs, and nothing is forgotten when a folder is added."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {"auditor": "auditor", "plugins": "auditor_plugins", "sample_jobs": "auditor_sample_jobs"}


def test_every_package_folder_is_listed_in_pyproject() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {
        ".".join((FOLDERS[file.relative_to(ROOT).parts[0]], *file.relative_to(ROOT).parts[1:-1]))
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("__init__.py")
    }
    assert sorted(listed) == sorted(there)


def test_every_folder_with_modules_is_a_package() -> None:
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            assert (file.parent / "__init__.py").is_file(), file


@pytest.mark.slow
def test_a_wheel_holds_the_plugins_the_sample_jobs_and_the_data(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in (*FOLDERS, "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        entry_points = next(archive.read(name).decode() for name in held if name.endswith("/entry_points.txt"))
    expected = {
        "/".join((package, *file.relative_to(ROOT / folder).parts))
        for folder, package in FOLDERS.items()
        for suffix in ("*.py", "*.toml", "*.template", "*.npz", "py.typed", "*.LICENSE.md")
        for file in (ROOT / folder).rglob(suffix)
    }
    assert {
        "auditor/tasks/data/digits.npz",
        "auditor/tasks/data/digits.LICENSE.md",
        "auditor/py.typed",
        "auditor_plugins/py.typed",
        "auditor_plugins/attacks/badnets.py",
        "auditor_sample_jobs/quickstart.toml",
    } <= expected
    assert expected - held == set()
    assert not [name for name in held if name.partition("/")[0] in ("tests", "plugins", "sample_jobs")]
    assert "auditor = auditor.cli.app:main" in entry_points
    assert "badnets = auditor_plugins.attacks.badnets:BadNets" in entry_points
