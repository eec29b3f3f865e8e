"""What the tests start in Python's place does what Python does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warm_python import ROOT, START, interpreter

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Python itself is started here")


def test_for_anything_else_it_is_python() -> None:
    script = "import sys; print(sys.prefix, *sys.argv[1:]); sys.exit(7)"
    done = subprocess.run([interpreter(), "-c", script, "a b"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, f"{sys.prefix} a b\n")


def fork_server(folder: Path, **more: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [interpreter(), *START, str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"} | more,
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
