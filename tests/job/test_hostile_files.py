"""Whatever a file holds that is given for a job: an error in a sentence, soon, that names the line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditor.base.user_file import UserFileError, open_user_file, read_user_file, read_user_text, typed_path
from auditor.job import JobError, load_job, parse_job
from auditor.job.errors import MAX_PROBLEMS
from auditor.job.impossibilities import MAX_OWN_SEEDS, MAX_SUB_RUNS
from auditor.job.job_file import MAX_DEPTH, MAX_KEY_PARTS
from auditor.job.plugin_file import PluginFileError, read_plugin_file
from auditor.planning import make_plan
from auditor.planning.chances import catch_probability, free_ride_probability

PROVIDERS = "".join(
    f'[[providers]]\nname = "p{index}"\nendpoint = "local:cpu"\nprimary = {str(index == 0).lower()}\n'
    for index in range(3)
)


def text(top: str = "", task: str = "", training: str = "", audit: str = "", last: str = "") -> str:
    return f'{top}\n[task]\ndataset = "digits"\n{task}\n[training]\n{training}\n[audit]\n{audit}\n{PROVIDERS}{last}\n'


DIGITS, REVIEWS = 'dataset = "digits"', 'dataset = "reviews"'
TEXT = 'kind = "text"\n'
OWN = "sub_run_steps = 1\nrandomness = 'provider'"
TRAINING, AUDIT, LAST = 6, 8, 21
"""The lines where `text` puts what it is given."""


@pytest.mark.parametrize(
    ("job", "line", "words"),
    [
        (".".join(["a"] * (MAX_KEY_PARTS + 1)) + " = 1", 1, "more than 100 parts"),
        ("\n[" + " . ".join(["'a b'"] * 50_00) + "]", 2, "more than 100 parts"),
        ("x = " + "[" * 50 + "]" * 50, 1, "nested too deeply"),
        ("x = " + "[" * 5000 + "]" * 5000, None, "nested too deeply"),
        ("\nx = " + "{a=" * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), 2, "nested too deeply"),
        ("\n" + ".".join(["a"] * (MAX_DEPTH + 1)) + " = 1", 2, "nested too deeply"),
        (text("seed = 9223372036854775808"), 1, "is a number that no key accepts"),
        (text("seed = 0x" + "f" * 5000), 1, "is a number that no key accepts"),
        (text("seed = " + "1" * 5000), None, "holds a number that no key accepts"),
        (text(training="optimizer = { name = 'sgd', lr = 1e999 }"), TRAINING, "finite"),
        (
            text(last="attack = { name = 'badnets', target = 0, rate = inf }"),
            LAST,
            "inf is not a valid value for an option",
        ),
        (
            text(last="attack = { name = 'badnets', target = 2020-01-01 }"),
            LAST,
            "2020-01-01 is not a valid value for an option",
        ),
        (text(audit="metrics = [{ name = 'zest', images = nan }]"), AUDIT, "nan is not a valid value for an option"),
        (text("name = 2020-01-01"), 1, "datetime.date(2020, 1, 1) is not allowed"),
        (text("name = 'a\\u202eb'".replace("'", '"')), 1, "change the direction of writing"),
        (text(task=f"{TEXT}tokenizer = ''").replace(DIGITS, REVIEWS), 5, "is empty"),
        (text(task=f'{TEXT}tokenizer = "a\\u0000b"').replace(DIGITS, REVIEWS), 5, "is not a path"),
        (text(task=f'{TEXT}held_out = "tsv:a"').replace(DIGITS, REVIEWS), 5, "has its own"),
        (text(task='held_out = "tsv:a"'), 4, "goes with dataset = 'images:PATH'"),
        (text(task="kind = 3"), 4, "should be a text"),
        (text(task='kind = "a\\u001bb"'), 4, "is not allowed; use 'command', 'python', 'random_fourier',"),
        (text(training="steps = 1000000000000"), TRAINING, "less than or equal to 1000000000"),
        (text(training="batch_size = 1000000000"), TRAINING, "less than or equal to"),
        (text(training="steps = 1000000000", audit="sub_run_steps = 1"), AUDIT, "set it to 100,000 or more"),
        (text(training="steps = 20000000", audit="sub_run_steps = 1"), AUDIT, "set it to 2,000 or more"),
        (text(training="steps = 5000", audit=f"{OWN}\nreplicated = 401"), AUDIT - 1, "this replicates 401 sub-runs"),
        (
            text(training="steps = 9000", audit=f"{OWN}\nreplicate_probability = 1.0"),
            AUDIT - 1,
            "this replicates 9,000 sub-runs",
        ),
        (text(audit="metrics = [" + "'update'," * 65 + "]"), AUDIT, "has 65 entries; give at most 64"),
        (text(last=PROVIDERS * 100), AUDIT + 1, "has 303 entries; give at most 256"),
    ],
    ids=range(29),
)
def test_it_is_refused_in_one_sentence_with_its_line(job: str, line: int | None, words: str) -> None:
    with pytest.raises(JobError) as caught:
        parse_job(job, source="job.toml")
    (problem,) = caught.value.problems
    assert words in problem.message, problem
    assert problem.line == line, problem


def test_of_thousands_of_problems_the_first_are_told_and_the_others_counted() -> None:
    keys = "".join(f"k{index} = 1\n" for index in range(5000))
    with pytest.raises(JobError) as caught:
        parse_job(text(task=keys))
    told = caught.value.problems
    assert len(told) == MAX_PROBLEMS + 1
    assert [problem.line for problem in told[:-1]] == list(range(4, 4 + MAX_PROBLEMS))
    assert told[-1].message == "4,980 more problems are not shown; correct these first."


@pytest.mark.parametrize(
    "job",
    [
        '[task]\ndataset = "digits"\n"\\u202e" = 1\n',
        '[task]\ndataset = "a\\u202eb"\n',
        text(last='endpoint2 = "\\u001b[31m"'),
        text(last='"\\u001b]0;x\\u0007" = 1'),
        text(audit='decision = "\\u2028\\u200b"'),
    ],
)
def test_what_would_be_invisible_is_shown_as_an_escape(job: str) -> None:
    with pytest.raises(JobError) as caught:
        parse_job(job, source="\u202ejob.toml")
    assert str(caught.value).replace("\n", "").isprintable(), str(caught.value)


@pytest.mark.parametrize(
    "job",
    [
        text(task=f'model = "{"x" * 100_000}"'),
        text(task=f"{'k' * 100_000} = 1"),
        text(last=f'attack = "{"y" * 100_000}"'),
        text(audit=f'decision = "{"z " * 50_000}"'),
    ],
)
def test_a_long_value_is_shortened(job: str) -> None:
    with pytest.raises(JobError) as caught:
        parse_job(job)
    assert len(str(caught.value)) < 4000


@pytest.mark.parametrize(("replicated", "share"), [(1, 0.05), (5000, 0.1), (9999, 1.0), (10_000, 0.5)])
def test_the_largest_training_can_be_planned(replicated: int, share: float) -> None:
    job = parse_job(text(training="steps = 1000000000", audit=f"sub_run_steps = 100000\nreplicated = {replicated}"))
    plan = make_plan(job)
    assert plan.sub_runs == MAX_SUB_RUNS
    assert plan.catch[share][replicated] >= 1 - (1 - replicated / MAX_SUB_RUNS) ** (share * MAX_SUB_RUNS) - 1e-9
    assert MAX_OWN_SEEDS < MAX_SUB_RUNS


def test_probabilities_are_those_of_the_binomials() -> None:
    from math import comb

    for sub_runs, deviating, replicated in ((10, 3, 4), (10, 7, 4), (60, 1, 59), (2000, 30, 1500), (500, 250, 250)):
        exact = comb(sub_runs - deviating, replicated) / comb(sub_runs, replicated)
        assert free_ride_probability(sub_runs, deviating, replicated) == pytest.approx(exact, rel=1e-9)
        assert catch_probability(sub_runs, deviating, replicated) == pytest.approx(1 - exact, rel=1e-9)


@pytest.fixture
def strange(tmp_path: Path) -> dict[str, Path]:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    (tmp_path / "endless.py").symlink_to("/dev/zero")
    with (tmp_path / "sparse.py").open("wb") as file:
        file.truncate(1 << 40)
    return {path.stem: path for path in tmp_path.iterdir()} | {
        "long": tmp_path / ("x" * 5000 + ".py"),
        "nul": Path("a\0b.py"),
    }


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("pipe", "is a pipe or a device, not a file"),
        ("endless", "is a pipe or a device, not a file"),
        ("folder", "is a folder, not a file"),
        ("loop", "symbolic links"),
        ("sparse", "has more than"),
        ("long", "File name too long"),
        ("nul", "null byte"),
    ],
)
def test_what_is_no_file_is_refused_and_not_waited_for(strange: dict[str, Path], kind: str, words: str) -> None:
    path = strange[kind]
    for read in (lambda: read_user_file(path, 100), lambda: read_user_text(path, 100), lambda: open_user_file(path, 9)):
        with pytest.raises(UserFileError, match=words):
            read()
    with pytest.raises(JobError, match=words):
        load_job(path)
    if kind != "endless":  # what it leads to has another name
        with pytest.raises(PluginFileError, match=words.replace("symbolic links", "Symlink loop|symbolic links")):
            read_plugin_file(path)


def test_a_file_that_has_more_than_it_says_is_not_read_to_its_end() -> None:
    with pytest.raises(UserFileError, match="has more than 10 bytes"):
        read_user_file(Path("/proc/self/maps"), 10)


def test_the_home_of_a_user_whom_nobody_knows() -> None:
    with pytest.raises(UserFileError, match="home of 'nosuchuser', a user that this machine does not have"):
        typed_path("~nosuchuser/job.toml")
    assert typed_path(" ~/job.toml ") == Path.home() / "job.toml"


def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"f\xff")
    folder.mkdir()
    (folder / "job.toml").write_text(text())
    (folder / "mine.py").write_text("")
    with pytest.raises(JobError, match="name is not UTF-8 text"):
        load_job(folder / "job.toml")
    with pytest.raises(PluginFileError, match="not UTF-8 text"):
        read_plugin_file(folder / "mine.py")
