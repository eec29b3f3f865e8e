"""What starts fast stays fast: planning and help import neither PyTorch nor any plugin. Each folder says its walls."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import auditor

QUICKSTART = str(Path(__file__).parents[1] / "sample_jobs" / "quickstart.toml")

COMMAND = """
import atexit, sys
def report():
    print(*sorted(sys.modules), file=sys.stderr)
atexit.register(report)
sys.argv[0] = "auditor"
from auditor.cli.app import main
main()
"""

PACKAGE = Path(auditor.__file__).parent
PLUGINS = Path(__file__).parents[1] / "plugins"
WITHOUT_TORCH = ("base", "cli", "decisions", "job", "planning", "report", "store", "tui")

IMPORT = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sorted(sys.modules), file=sys.stderr)
"""


def modules(script: str, *arguments: str) -> tuple[str, set[str]]:
    """What a process printed, and the modules that it had imported at its end."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    return done.stdout, set(done.stderr.splitlines()[-1].split())


def packages(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--help",), "Audit outsourced model training"),
        (("plan", "--help"), "without starting anything"),
        (("run", "--help"), "JOB"),
        (("plan", QUICKSTART), "quickstart"),
        (("plan", "--json", QUICKSTART), '"sub_runs": 200'),
        (("plan", "--catch", "0.99", "--share", "0.1", "--power", "0.9", QUICKSTART), "replicate_probability = "),
    ],
    ids=lambda value: " ".join(value).replace(QUICKSTART, "quickstart") if isinstance(value, tuple) else "",
)
def test_help_and_planning_import_neither_torch_nor_plugins(arguments: tuple[str, ...], words: str) -> None:
    printed, names = modules(COMMAND, *arguments)
    assert words in printed
    assert "auditor.cli.app" in names
    assert packages(names) & {"torch", "torchvision", "auditor_plugins", "textual"} == set()


@pytest.mark.parametrize("module", ["auditor.job", "auditor.store", "auditor.plugins"])
def test_the_lower_layers_load_no_torch_and_no_interface_library(module: str) -> None:
    _, names = modules(IMPORT, module)
    assert module in names
    assert packages(names) & {"torch", "torchvision", "rich", "typer", "textual", "auditor_plugins"} == set()


def test_no_module_of_the_faces_or_of_what_they_read_loads_torch() -> None:
    paths = [path for folder in WITHOUT_TORCH for path in (PACKAGE / folder).rglob("*.py")]
    names = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths]
    _, loaded = modules(IMPORT, *(name.removesuffix(".__init__") for name in names))
    assert {"auditor.cli.foreground_run", "auditor.tui.screens.live", "auditor.report.markdown"} <= loaded
    assert packages(loaded) & {"torch", "torchvision", "auditor_plugins"} == set()


@pytest.mark.parametrize(
    "file",
    [*PACKAGE.rglob("__init__.py"), *PLUGINS.rglob("__init__.py")],
    ids=lambda path: str(path.parent.relative_to(PACKAGE.parent)),
)
def test_every_folder_says_what_belongs_there_and_what_may_import_it(file: Path) -> None:
    words = " ".join((ast.get_docstring(ast.parse(file.read_text())) or "").split())
    assert re.search(r"belongs here.*\b(import|imports|import only from) (it|them|those)\b", words), words
