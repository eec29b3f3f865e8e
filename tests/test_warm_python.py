"""What the tests start in Python's place does what Python does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

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


def version(**more: Any) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [interpreter(), "-m", "auditor", "--version"], env=environment, stdout=subprocess.PIPE, text=True, **more
    )


def test_a_command_is_forked_and_says_what_it_says_elsewhere(tmp_path: Path) -> None:
    with version(cwd=tmp_path) as process:
        said, _ = process.communicate()
        assert (process.returncode, said) == (0, f"auditor {auditor.__version__}\n")
    wrong = [interpreter(), "-m", "auditor", "plan", "nowhere.toml"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "AUDITOR_HOME": str(tmp_path)}
    done = subprocess.run(wrong, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere.toml" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_reaches_what_was_forked_and_ends_both(tmp_path: Path, number: signal.Signals) -> None:
    with fork_server(tmp_path) as process:
        assert process.stdout is not None
        process.send_signal(number)
        assert process.stdout.read() == "", "nobody holds its output any more"
    assert process.returncode == {signal.SIGINT: 1, signal.SIGTERM: 0, signal.SIGKILL: -9}[number]


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
