"""Benchmark files: what may stand in one, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.base.seeds import Seeds
from auditor.experiments.bench_settings import settings_of
from auditor.experiments.specification import load_benchmark
from auditor.job.errors import JobError
from tests.command import ROOT, job_text


def bench(folder: Path, text: str) -> Path:
    (folder / "job.toml").write_text(job_text(("a", "b", "c", "d"), metrics='["update", "zest"]'))
    path = folder / "bench.toml"
    path.write_text(f'name = "small"\njob = "job.toml"\n{text}')
    return path


def test_a_job_file_is_a_benchmark_of_itself(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text(job_text(("a", "b", "c"), metrics='["update", "zest"]'))
    benchmark, job = load_benchmark(tmp_path / "job.toml")
    assert benchmark.name == "job"
    settings = settings_of(benchmark, job)
    assert {one.metric_names for one in settings} == {"update", "zest", "update+zest"}
    assert {(one.participants, one.malicious) for one in settings} == {(3, 1), (3, 0)}
    assert {one.sub_run_steps for one in settings} == {10}


def test_every_combination_of_the_grid_is_a_setting(tmp_path: Path) -> None:
    grid = (
        '[grid]\nrandomness = ["client", "provider"]\nsub_run_steps = [5, 10]\nreplicated = [1, 2]\n'
        'metrics = ["update", ["update", "zest"]]\ndecisions = ["ratio", "rttd"]\n'
        "committees = [{ participants = 4, malicious = 1 }, { participants = 4, malicious = 0 }]"
    )
    settings = settings_of(*load_benchmark(bench(tmp_path, grid)))
    assert len(settings) == len(set(settings)) == 2**6
    shares = {one.malicious: one.benign_fraction for one in settings}
    assert shares[1] == 0.75
    assert settings[0].extra_steps == 5 * 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("judgd = 5", ["judgd", "judged"]),
        ("[pool]\nbenigne = 5", ["benigne", "benign"]),
        ("[grid]\ncommittees = [{ participants = 4, malicous = 1 }]", ["malicous", "malicious"]),
        ('[grid]\ndecisions = ["kss"]', ["kss", "ks"]),
        ("[grid]\ncommittees = [{ participants = 4, malicious = 3 }]", ["fewer than two benign"]),
        ("[grid]\ncommittees = [{ participants = 2, malicious = 3 }]", ["more malicious members than members"]),
        ("[grid]\ncommittees = [{ participants = 4, referee = true }]", ["the third of three"]),
        (
            '[grid]\nrandomness = ["provider"]\ncommittees = [{ participants = 3, referee = true }]',
            ["grid.committees", "the client's seeds"],
        ),
        ("[pool]\nbenign = 2", ["pool.benign", "need 3 honest"]),
        ("[pool]\nstarts = [0]\n[grid]\nreplicated = [2]", ["pool.starts", "2 sub-runs"]),
        ('[pool]\nhistory = "attacked"\n[grid]\ncommittees = [{ participants = 6, malicious = 2 }]', ["0 or 1"]),
        ('[grid]\nmetrics = [["update", "update"]]', ["update is named twice"]),
        ('attacks = [{ name = "badnets", variants = 0 }]', ["variants"]),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(tmp_path: Path, text: str, words: list[str]) -> None:
    path = bench(tmp_path, text)
    with pytest.raises(JobError) as caught:
        settings_of(*load_benchmark(path))
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_job_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = bench(tmp_path, "")
    (tmp_path / "job.toml").unlink()
    with pytest.raises(JobError, match=r"job\.toml: cannot be read"):
        load_benchmark(path)


BENCHMARKS = [path for path in sorted((ROOT / "docs" / "benchmarks").glob("*.toml")) if "\njob = " in path.read_text()]


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_the_benchmarks_of_the_documents_can_be_carried_out(path: Path) -> None:
    benchmark, job = load_benchmark(path)
    assert benchmark.name == path.stem
    assert settings_of(benchmark, job)


@pytest.mark.parametrize("words", ['seeds = ["shared", "own"]', 'randomness = ["client", "provider"]'])
def test_seeds_are_named_in_either_form(tmp_path: Path, words: str) -> None:
    (tmp_path / "job.toml").write_text(job_text())
    (tmp_path / "bench.toml").write_text(f'name = "a"\njob = "job.toml"\n[grid]\n{words}\n')
    benchmark, _ = load_benchmark(tmp_path / "bench.toml")
    assert benchmark.grid.seeds == (Seeds.SHARED, Seeds.OWN)


def test_words_that_mean_no_seeds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text(job_text())
    (tmp_path / "bench.toml").write_text('name = "a"\njob = "job.toml"\n[grid]\nrandomness = ["clint"]\n')
    with pytest.raises(JobError, match="use 'client', 'provider' or 'coin'"):
        load_benchmark(tmp_path / "bench.toml")
