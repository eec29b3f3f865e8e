"""The pool of a benchmark is named after the code that computed it, so that changed code computes anew."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
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
    copies = []
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
        copies.append(copy)
    names = _starts(tmp_path / "job.toml", copies)
    assert names[0] == names[1]
    assert names[0] != names[2]


STARTS = """
import os, sys
from pathlib import Path
import torch, torch._inductor, scipy.stats  # once for all copies, each of which is imported in a process of its own

for code in sys.argv[2:]:
    sys.stdout.flush()
    if os.fork() == 0:
        break
    _, status = os.wait()
    assert status == 0
else:
    os._exit(0)
sys.path.insert(0, code)
import auditor; assert auditor.__file__.startswith(code)
from auditor.experiments.bench import Bench
from auditor.experiments.specification import load_benchmark
benchmark, job = load_benchmark(Path(sys.argv[1]))
made = Bench(benchmark, job, Path("bench"), Path("data"), device="cpu", workers=1)
print([order.results for _, order in made.orders.starts()])
"""


def _starts(job: Path, copies: Sequence[Path]) -> list[str]:
    """The files that a benchmark of a job would begin with, as each copy of the package names them."""
    command = [sys.executable, "-c", STARTS, str(job), *map(str, copies)]
    done = subprocess.run(command, cwd=job.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = done.stdout.splitlines()
    assert len(names) == len(copies)
    return names
