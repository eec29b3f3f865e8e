"""The pool of a benchmark is named after the code that computed it, so that changed code computes anew."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import ROOT, job_text

HELPER = "def double(x):\n    return 2 * x\n"
PLUGIN = '''"""A plugin."""

from stranger.inner.helper import double


def work(x):
    """What it does."""
    return double(x)  # twice
'''
DIGEST = "import sys; from auditor.experiments.code import code_digest; print(code_digest(sys.argv[1]))"


def digest(folder: Path, module: str = "stranger.plugin") -> str:
    """The digest as a process has it that finds the package in `folder`."""
    done = subprocess.run(
        [sys.executable, "-c", DIGEST, module], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A package of somebody else's, with a plugin that imports a module of its own."""
    inner = tmp_path / "stranger" / "inner"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "__init__.py").write_text("")
    (inner / "helper.py").write_text(HELPER)
    (inner.parent / "plugin.py").write_text(PLUGIN)
    return tmp_path


def _change(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "stranger" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def test_code_that_computes_something_else_has_another_digest(stranger: Path) -> None:
    digests = [digest(stranger)]
    for change in (
        _change("inner/helper.py", "2 * x", "3 * x"),
        _change("plugin.py", "return double(x)", "return double(x) + 1"),
        _change("plugin.py", "    return", "    from stranger.inner import later\n    return"),
        _change("__init__.py", "", "SCALE = 2\n"),
    ):
        (stranger / "stranger" / "inner" / "later.py").write_text("X = 1\n")
        change(stranger)
        digests.append(digest(stranger))
    _change("inner/later.py", "1", "2")(stranger)
    digests.append(digest(stranger))
    assert len(set(digests)) == len(digests)


def test_words_about_the_code_do_not_count(stranger: Path) -> None:
    before = digest(stranger)
    for change in (
        _change("plugin.py", "# twice", "# two times"),
        _change("plugin.py", "What it does.", "What it really does."),
        _change("inner/helper.py", "2 * x", "(2\n        * x)"),
    ):
        change(stranger)
    (stranger / "stranger" / "elsewhere.py").write_text("Y = 1\n")
    assert digest(stranger) == before


@pytest.mark.slow
def test_the_pool_of_a_benchmark_is_named_after_the_code(tmp_path: Path) -> None:
    """A benchmark whose trainer was changed finds no file of the one before."""
    (tmp_path / "job.toml").write_text(job_text())
    names = []
    for index, (file, old, new) in enumerate(
        (
            ("__init__.py", "__version__", "__version__"),
            ("cli/bench.py", "import typer\n", "import typer\n\nCHANGED = 1\n"),
            ("tasks/optimization.py", "import torch\n", "import torch\n\nCHANGED = 1\n"),
        )
    ):
        copy = tmp_path / str(index)
        shutil.copytree(ROOT / "auditor", copy / "auditor", ignore=shutil.ignore_patterns("__pycache__"))
        path = copy / "auditor" / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))
        names.append(_starts(tmp_path / "job.toml", copy))
    assert names[0] == names[1]
    assert names[0] != names[2]


def _starts(job: Path, code: Path) -> str:
    """The files that a benchmark of a job would begin with, as the package in `code` names them."""
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "import auditor; assert auditor.__file__.startswith(sys.argv[2])\n"
        "from auditor.experiments.bench import Bench\n"
        "from auditor.experiments.specification import load_benchmark\n"
        "benchmark, job = load_benchmark(Path(sys.argv[1]))\n"
        "made = Bench(benchmark, job, Path('bench'), Path('data'), device='cpu', workers=1)\n"
        "print([order.results for _, order in made.orders.starts()])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(job), str(code)], cwd=job.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
