"""What is kept is its owner's alone from the moment it exists, whatever the umask, the folder and the links."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.store import Store, StoreError
from auditor.store.home import home

CREATOR = """
import os, sys
os.umask(int(sys.argv[2], 8))
from pathlib import Path
from auditor.store import Store
folder = Path(sys.argv[1])
with Store(folder) as store:
    run = store.create_run("first", "{}", "job.toml").id
    store.append(run, "kind", {})
    with store.lock(run), store.open_log(run):
        for path in (folder.parent, folder, *folder.rglob("*")):
            print(oct(os.lstat(path).st_mode & 0o777), path.relative_to(folder.parent))
"""

WATCHER = """
import os, sys, time
folder = sys.argv[1]
print("watching", flush=True)
loose = set()
while not os.path.exists(sys.argv[2]):
    for name in ("", "auditor.db", "auditor.db-wal", "auditor.db-shm"):
        try:
            mode = os.lstat(os.path.join(folder, name) if name else folder).st_mode & 0o777
        except OSError:
            continue
        if mode & 0o077:
            loose.add((name, oct(mode)))
print(sorted(loose))
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


@pytest.mark.parametrize("umask", ["0", "022", "077"])
def test_in_the_process_that_makes_a_home_everything_is_the_owners_alone(tmp_path: Path, umask: str) -> None:
    folder = tmp_path / "made too" / "home"
    made = subprocess.run(
        [sys.executable, "-c", CREATOR, str(folder), umask], capture_output=True, text=True, check=True
    )
    modes = dict(line.split(" ", 1)[::-1] for line in made.stdout.splitlines())
    folders = {path for path in modes if Path(path).name not in FILES}
    assert {path: modes[path] for path in folders} == dict.fromkeys(folders, "0o700")
    files = set(modes) - folders
    assert {Path(path).name for path in files} == FILES
    assert {path: modes[path] for path in files} == dict.fromkeys(files, "0o600")


FILES = {"auditor.db", "auditor.db-wal", "auditor.db-shm", "lock", "log.txt"}


def test_no_moment_shows_them_to_others(tmp_path: Path) -> None:
    folder, over = tmp_path / "home", tmp_path / "over"
    watcher = subprocess.Popen(
        [sys.executable, "-c", WATCHER, str(folder), str(over)], stdout=subprocess.PIPE, text=True
    )
    assert watcher.stdout is not None
    assert watcher.stdout.readline() == "watching\n"
    before = os.umask(0)
    try:
        for _ in range(20):
            with Store(folder) as store:
                store.append(store.create_run("a", "{}", "job.toml").id, "kind", {})
            for path in (*folder.glob("auditor.db*"), folder):
                path.rmdir() if path.is_dir() else path.unlink()
    finally:
        os.umask(before)
        over.touch()
    assert watcher.communicate(timeout=60)[0] == "[]\n"


def test_a_home_that_others_could_enter_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    with Store(folder) as store:
        run = store.create_run("kept", "{}", "job.toml")
    folder.chmod(0o777)
    (folder / "auditor.db").chmod(0o644)
    with Store(folder) as store:
        assert store.runs() == [run]
        assert [path.stat().st_mode & 0o777 for path in (folder, folder / "auditor.db")] == [0o700, 0o600]


def test_a_folder_with_datasets_put_there_beforehand_is_a_home(tmp_path: Path) -> None:
    (tmp_path / "home" / "datasets" / "CIFAR10").mkdir(parents=True)
    (tmp_path / "home").chmod(0o755)
    with Store(tmp_path / "home") as store:
        assert store.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o1777])
def test_a_folder_for_other_things_is_left_as_it_is(tmp_path: Path, mode: int) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "thesis.tex").touch()
    shared.chmod(mode)
    with pytest.raises(StoreError, match=r"left unchanged\. Set AUDITOR_HOME to .*shared/auditor"):
        Store(shared)
    assert shared.stat().st_mode & 0o7777 == mode
    assert [path.name for path in shared.iterdir()] == ["thesis.tex"]
    with Store(shared / "auditor") as store:
        assert store.folder.stat().st_mode & 0o777 == 0o700


@as_root
def test_the_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.mkdir(mode=0o700)
    os.chown(planted, 12345, 12345)
    with pytest.raises(StoreError, match="belongs to another user"):
        Store(planted)
    assert list(planted.iterdir()) == []


@as_root
def test_a_link_of_another_user_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    for name in ("own", "planted"):
        (tmp_path / name).symlink_to(target)
    os.lchown(tmp_path / "planted", 12345, 12345)
    for folder in (tmp_path / "planted", tmp_path / "planted" / "home"):
        with pytest.raises(StoreError, match="is a link that another user made"):
            Store(folder)
    assert list(target.iterdir()) == []
    with Store(tmp_path / "own" / "home") as store:
        assert store.folder.stat().st_mode & 0o777 == 0o700


def test_a_database_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "auditor.db")
    with pytest.raises(StoreError, match="Not a file"):
        Store(tmp_path)


def test_a_home_of_a_user_whom_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITOR_HOME", "~nosuchuser/runs")
    with pytest.raises(StoreError, match="has no such user"):
        home()


def test_a_file_name_that_is_no_text_can_be_kept(tmp_path: Path) -> None:
    with Store(tmp_path / os.fsdecode(b"h\xff")) as store:
        assert store.create_run("a", "{}", os.fsdecode(b"job\xff.toml")).source == "job\\udcff.toml"
