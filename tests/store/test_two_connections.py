"""Two connections in one process do not take each other's locks."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from auditor.store import Store

ELSEWHERE = """
import sys
from pathlib import Path
from auditor.store import Store
with Store(Path(sys.argv[1])) as store:
    store.create_run(sys.argv[2], "{}", "job.toml")
    print(len(store.runs()))
"""


def elsewhere(folder: Path, name: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(folder), name], capture_output=True, text=True, timeout=60, check=True
    )
    return int(done.stdout)


def test_a_second_connection_that_ends_leaves_the_first_one_its_journal(tmp_path: Path) -> None:
    with Store(tmp_path) as kept:
        kept.create_run("first", "{}", "job.toml")
        Store(tmp_path).close()
        assert elsewhere(tmp_path, "second") == 2  # the last connection there, but not the last of all
        kept.create_run("third", "{}", "job.toml")
        assert elsewhere(tmp_path, "fourth") == 4
        assert len(kept.runs()) == 4
    connection = sqlite3.connect(tmp_path / "auditor.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
