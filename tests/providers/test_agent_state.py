"""`auditor agent`: whose state is whose, and who can reach it."""

from __future__ import annotations

import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from auditor.job.endpoint import parse_endpoint
from auditor.providers.probe import probe
from tests.command import Auditor


@contextmanager
def agent(auditor: Auditor, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A running agent that listens."""
    process = auditor.start("agent", "--threads", "1", *arguments)
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert "listens on" in said, said + process.stderr.read()
        yield process
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.slow
def test_two_agents_without_names_are_two_providers_and_use_the_data_that_they_are_given(auditor: Auditor) -> None:
    images = torch.randint(0, 255, (200, 1, 8, 8), dtype=torch.uint8)
    save_file({"images": images, "labels": torch.arange(200) % 2}, auditor.folder / "mine.safetensors")
    (auditor.folder / "copy.safetensors").write_bytes((auditor.folder / "mine.safetensors").read_bytes())
    with ExitStack() as stack:
        for name in ("first", "second"):
            stack.enter_context(agent(auditor, "--socket", f"{name}.sock", "--data", "copy.safetensors"))
        again = auditor.here("agent", "--socket", "first.sock")
        assert again.code == 2
        assert "another agent keeps its checkpoints in" in again.stderr
        elsewhere = auditor.here("agent", "--socket", "first.sock", "--folder", "mine")
        assert elsewhere.code == 2
        assert "another agent already listens there" in elsewhere.stderr

        modes = {stat.S_IMODE((auditor.folder / f"{name}.sock").stat().st_mode) for name in ("first", "second")}
        assert modes == {0o600}
        states = sorted((auditor.home / "agents").iterdir())
        assert [stat.S_IMODE(state.stat().st_mode) for state in states] == [0o700, 0o700]

        job = auditor.job(
            providers=["first", "second", "third"],
            endpoints={name: f"unix:{auditor.folder / name}.sock" for name in ("first", "second")},
            steps=10,
            task='dataset = "tensors:mine.safetensors"',
            audit='fixed_selection = [0]\nrandomness = "provider"',
        )
        result = auditor.here("run", job, "--json")
        returned = [event for event in result.events if event["event"] == "replica_returned"]
        assert len(returned) == 2, result.stderr[-2000:]
        assert "flagged" not in result.verdicts.values(), result.stdout[-2000:]
        assert len({(state / "seed").read_text() for state in states}) == 2


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "-", "a/b", "a\nb", "x" * 65])
def test_a_name_that_is_none_is_refused(auditor: Auditor, name: str) -> None:
    refused = auditor.here("agent", "--socket", "a.sock", f"--name={name}")
    assert refused.code == 2
    assert "--name" in refused.stderr
    assert not auditor.home.exists()


@pytest.mark.parametrize("name", ["é", "a b", "東京 (2)"])
def test_a_name_is_no_part_of_a_path(auditor: Auditor, name: str) -> None:
    refused = auditor.here("agent", "--socket", "nowhere/a.sock", f"--name={name}", "--folder", "state")
    assert refused.code == 2
    assert "--socket nowhere/a.sock: there is no folder" in refused.stderr


def test_a_socket_that_others_could_replace_or_whose_path_is_too_long_is_refused(auditor: Auditor) -> None:
    (shared := auditor.folder / "shared").mkdir()
    shared.chmod(0o777)
    refused = auditor.here("agent", "--socket", "shared/a.sock")
    assert (refused.code, "other users can put their own socket into" in refused.stderr) == (2, True)
    refused = auditor.here("agent", "--socket", "x" * 120)
    assert (refused.code, "bytes; choose a shorter one" in refused.stderr) == (2, True)
    (auditor.folder / "file").write_text("mine")
    refused = auditor.here("agent", "--socket", "file")
    assert (refused.code, "a file that is not a socket" in refused.stderr) == (2, True)
    assert (auditor.folder / "file").read_text() == "mine"


def test_data_that_is_not_there_is_refused(auditor: Auditor) -> None:
    refused = auditor.here("agent", "--socket", "a.sock", "--data", "nothing.tsv")
    assert refused.code == 2
    assert "--data: nothing.tsv is not a readable file or folder" in refused.stderr


@pytest.mark.slow
async def test_local_providers_start_where_the_folder_for_temporary_files_has_a_long_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / ("long" * 30)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert (await probe(parse_endpoint("local:cpu"))).device == "cpu"
