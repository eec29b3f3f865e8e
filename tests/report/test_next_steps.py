"""What to do after a verdict, and how long it takes until there is one."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from auditor.audit.record import events as e
from auditor.audit.record.findings import Outcome
from auditor.audit.record.fold import fold
from auditor.audit.record.state import AuditState
from auditor.cli.app import app as command
from auditor.report.next_steps import next_steps
from auditor.report.time_left import seconds_left
from auditor.store import EventRecord
from tests.tui.recorded import beginning, ending, job


def state_of(*events: e.Event) -> AuditState:
    return fold(
        [
            EventRecord("run", seq, f"2026-11-20T09:30:{seq:02}.000Z", event.kind, event.payload())
            for seq, event in enumerate(events, start=1)
        ]
    )


@pytest.mark.parametrize("outcome", ["clean", "flagged", "inconclusive"])
def test_every_command_is_one_that_there_is(outcome: Outcome) -> None:
    *before, last = ending()
    assert isinstance(last, e.AuditFinished)
    steps = next_steps("run-1", job(), state_of(*beginning(), *before, replace(last, outcome=outcome)))
    assert steps
    for step in steps:
        if step.command:
            program, name, *rest = shlex.split(step.command)
            assert program == "auditor"
            told = CliRunner().invoke(command, [name, "--help"]).output
            assert all(option in told for option in rest if option.startswith("--"))


def test_a_flagged_primary_takes_the_model_with_it_and_a_flagged_replica_does_not() -> None:
    *before, last = ending()
    assert isinstance(last, e.AuditFinished)
    flagged = state_of(*beginning(), *before, last)
    assert next_steps("r", job(), flagged)[0].title == "Roll back"
    assert "sub-run seen to deviate is 0, and it began at step 0" in next_steps("r", job(), flagged)[0].words
    primary, replica, *others = last.providers
    swapped = (replace(primary, verdict="consistent"), replace(replica, verdict="flagged"), *others)
    other = state_of(*beginning(), *before, replace(last, providers=swapped))
    assert next_steps("r", job(), other)[0].title == "Keep the model"


def test_nothing_is_advised_before_the_end() -> None:
    assert next_steps("r", job(), state_of(*beginning())) == []


def test_the_time_left_is_that_of_the_training_and_of_one_replicated_sub_run() -> None:
    # Step 24 of 60 at 12 steps a second, then 10 steps of a replica.
    assert seconds_left(state_of(*beginning()), job()) == pytest.approx((60 - 24 + 10) / 12)
    assert seconds_left(state_of(*beginning(), *ending()), job()) is None
    assert seconds_left(AuditState(), job()) is None
