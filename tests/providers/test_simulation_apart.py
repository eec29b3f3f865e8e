"""A simulated adversary does not see what the client keeps from providers."""

from __future__ import annotations

import multiprocessing
import textwrap
from pathlib import Path

import pytest

from auditor.providers.landlock import hide, landlock_version
from tests.command import Auditor

needs_landlock = pytest.mark.skipif(not landlock_version(), reason="the kernel has no Landlock")

SPY = """
    import os
    from pathlib import Path
    from auditor.plugins import Attack

    HOME = Path({home!r})

    def parent(process):
        lines = Path(f"/proc/{{process}}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("PPid"))

    def attempt(name, action):
        try:
            return f"{{name}}: {{action()!r:.60}}"
        except OSError as error:
            return f"{{name}}: no"

    class Spy(Attack):
        name = "spy"
        tasks = frozenset({{"vision"}})

        def on_update(self, update, step):
            fork_server = os.getppid()
            client = parent(fork_server)
            raise ValueError("; ".join([
                attempt("database", lambda: (HOME / "auditor.db").read_bytes()[:10]),
                attempt("list", lambda: os.listdir(HOME)),
                attempt("write", lambda: (HOME / "planted").write_text("x")),
                attempt("memory", lambda: open(f"/proc/{{client}}/mem", "rb")),
                "environment: " + str(os.environ.get("AUDITOR_HOME")),
                "folder: " + os.getcwd(),
            ]))
"""


@needs_landlock
@pytest.mark.slow
def test_a_simulated_attack_reaches_neither_the_store_nor_the_client(auditor: Auditor) -> None:
    (auditor.folder / "spy.py").write_text(textwrap.dedent(SPY.format(home=str(auditor.home))))
    job = auditor.job(attacks={"b": '{ name = "spy" }'}, steps=10, audit="fixed_selection = [0]")
    text = (auditor.folder / job).read_text()
    (auditor.folder / job).write_text('plugins = ["spy.py"]\n' + text)
    result = auditor("run", job, "--json")
    spied = next(one for one in result.verdict["providers"] if one["name"] == "b")["reasons"]
    assert "database: no; list: no; write: no; memory: no; environment: None; folder: /" in str(spied)
    assert not (auditor.home / "planted").exists()


@needs_landlock
def test_a_hidden_folder_is_out_of_reach_and_nothing_else_is(tmp_path: Path) -> None:
    hidden = tmp_path / "data" / "hidden"
    for folder in (hidden / "own", hidden / "shown", tmp_path / "data" / "beside"):
        folder.mkdir(parents=True)
        (folder / "file").write_text("text")
    (hidden / "secret").write_text("secret")
    (tmp_path / "link").symlink_to(hidden)

    def look(found: multiprocessing.SimpleQueue[dict[str, str]]) -> None:
        hide(hidden, but=(hidden / "own",), read_only=(hidden / "shown", tmp_path))
        results = {}
        for name in ("data/hidden/secret", "link/secret", "data/hidden/own/file", "data/beside/file"):
            results[name] = attempt(lambda name=name: (tmp_path / name).read_text())
        results["read"] = attempt(lambda: (hidden / "shown" / "file").read_text())
        results["write"] = attempt(lambda: (hidden / "shown" / "file").write_text("x"))
        results["own"] = attempt(lambda: (hidden / "own" / "new").write_text("x") and "written")
        results["list"] = attempt(lambda: str(list(hidden.iterdir())))
        found.put(results)

    context = multiprocessing.get_context("fork")
    found = context.SimpleQueue()
    process = context.Process(target=look, args=(found,))
    process.start()
    results = found.get()
    process.join()
    assert results == {
        "data/hidden/secret": "PermissionError",
        "link/secret": "PermissionError",
        "data/hidden/own/file": "text",
        "data/beside/file": "text",
        "read": "text",
        "write": "PermissionError",
        "own": "written",
        "list": "PermissionError",
    }


def attempt(action: object) -> str:
    """What comes of it, or the kind of error."""
    assert callable(action)
    try:
        return str(action())
    except OSError as error:
        return type(error).__name__
