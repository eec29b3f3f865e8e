"""What the tests start in Python's place does what Python does."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

import auditor
from tests.warm_python import ROOT, START, interpreter

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Python itself is started here")


def test_for_anything_else_it_is_python() -> None:
    script = "import os, sys, auditor; print(auditor.__file__, os.getpid(), *sys.argv[1:]); sys.exit(7)"
    asked = subprocess.Popen([interpreter(), "-c", script, "a b"], stdout=subprocess.PIPE, text=True)
    told, _ = asked.communicate()
    assert (asked.returncode, told) == (7, f"{auditor.__file__} {asked.pid} a b\n")


def test_what_it_starts_is_started_in_the_same_way(tmp_path: Path) -> None:
    script = "import subprocess, sys; print(subprocess.run([sys.executable, *sys.argv[1:]], input=b'').returncode)"
    inner = [interpreter(), "-c", script, *START, str(tmp_path)]
    with subprocess.Popen(inner, env=like_a_launcher(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"ready": True}
        assert process.stdout.readline() == "0\n"
    script = "import sys; print(sys.executable)"
    assert subprocess.check_output([interpreter(), "-c", script], text=True).strip() == interpreter()


def like_a_launcher() -> dict[str, str]:
    """The environment that a fork server gets."""
    return os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def fork_server(folder: Path, **more: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [interpreter(), *START, str(folder)],
        env=like_a_launcher() | more,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"ready": True}
    return process


def command_of(process: subprocess.Popen[str]) -> str:
    return Path(f"/proc/{process.pid}/cmdline").read_text()


def test_a_fork_server_is_forked_unless_something_else_is_to_be_imported(tmp_path: Path) -> None:
    different = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    for index, (more, forked) in enumerate((({}, True), ({"SOMETHING": "else"}, True), (different, False))):
        (sockets := tmp_path / str(index)).mkdir()
        with fork_server(sockets, **more) as process:
            assert ("warm_python.py" in command_of(process)) == forked
            process.kill()


def test_a_fork_server_ends_when_its_input_closes(tmp_path: Path) -> None:
    (sockets := tmp_path / "sockets").mkdir()
    with fork_server(sockets) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0
    assert not sockets.exists()


def test_a_fork_server_that_is_killed_is_gone(tmp_path: Path) -> None:
    with fork_server(tmp_path) as process:
        assert process.stdout is not None
        process.kill()
        assert process.stdout.read() == "", "nobody holds its output any more"
