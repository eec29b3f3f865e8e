"""A job file that is good, what is changed of it, and what is then said."""

from __future__ import annotations

import pytest

from auditor.job import JobError, Problem, parse_job

GOOD = """\
[task]
dataset = "digits"

[training]
steps = 100

[audit]
sub_run_steps = 10

[[providers]]
name = "anna"
endpoint = "local:cpu"
primary = true

[[providers]]
name = "bert"
endpoint = "local:cpu"

[[providers]]
name = "cleo"
endpoint = "local:cpu"
"""
STEPS, K, AUDIT, LAST = (
    "steps = 100\n\n",
    "sub_run_steps = 10\n",
    "[audit]\n",
    'name = "cleo"\nendpoint = "local:cpu"\n',
)
"""Parts of it that tests put something else for."""


def changed(old: str, new: str) -> str:
    """The file with one part of it replaced."""
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def only_problem(text: str) -> Problem:
    """The one thing that is wrong with a job file."""
    with pytest.raises(JobError) as caught:
        parse_job(text, source="job.toml")
    assert len(caught.value.problems) == 1, str(caught.value)
    return caught.value.problems[0]


def assert_refused(text: str, line: int, key: str, allowed: str, suggestion: str | None) -> None:
    """One problem is reported, with its line, its key, what is allowed, and the nearest word where one is given."""
    problem = only_problem(text)
    assert (problem.line, problem.key) == (line, key)
    assert allowed in problem.message
    if suggestion is not None:
        assert problem.suggestion == suggestion
