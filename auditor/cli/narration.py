"""Saying something to the person at the terminal: on stderr, and without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from auditor.cli.exit_codes import ExitCode


def say(text: str) -> None:
    """One or more lines of narration."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def output(text: str) -> None:
    """One or more lines of data."""
    print(text, flush=True)  # noqa: T201


def fail(message: object, code: ExitCode) -> NoReturn:
    """Say what is wrong and end with `code`."""
    say(f"error: {message}")
    raise typer.Exit(code)


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn errors that a user can correct into a message and an exit code: 2 while nothing was started."""
    from auditor.job.errors import JobError
    from auditor.plugins.catalogue import PluginError
    from auditor.store import StoreError
    from auditor.tasks.errors import TrainingError

    try:
        yield
    except JobError as error:
        for problem in error.problems:
            say(f"error: {problem.describe(error.source)}")
        raise typer.Exit(ExitCode.USAGE) from None
    except (PluginError, StoreError, TrainingError) as error:
        fail(error, ExitCode.USAGE)
