"""`auditor runs prune`: free the disk of checkpoints that no run needs."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import fail, output, say, user_errors

if TYPE_CHECKING:
    from auditor.audit.pruning import Prunable, PrunableRun

UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def prune(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs to prune. All runs if you name none.")
    ] = None,
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Prune only runs that are older, as in 12h, 30d or 8w.")
    ] = "0d",
    delivered: Annotated[bool, typer.Option("--delivered", help="Remove delivered models, too.")] = False,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Remove the checkpoints that speak against somebody, too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Write one JSON object per run, and one for all. Removes only with --yes.")
    ] = False,
) -> None:
    """Remove checkpoints that no run needs.

    It first says what it would remove. Runs, their events and their reports stay. So do delivered models, checkpoints
    that speak against somebody, and all that a run can be resumed from or starts from.
    """
    from auditor.audit.pruning import Wanted, prunable
    from auditor.audit.pruning import prune as carry_out
    from auditor.store import Store

    age = _age(older_than)
    with user_errors(), Store() as store:
        named = [store.find_run(name).id for name in names or []]
        wanted = Wanted(named or None, age, delivered=delivered, evidence=evidence)
        found = prunable(store, wanted)
        if not json:
            _say(found)
        if found.runs or found.copies:
            if yes or (not json and _agreed()):
                removed = carry_out(store, found, wanted)
                if json:
                    _write(removed, removed=True)
                else:
                    _done(removed, found)
                return
            if not json:
                say("Nothing was removed. Add --yes to remove it.")
    if json:
        _write(found, removed=False)


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if match is None:
        fail(f"--older-than: {text!r} is no age; write a number and h, d or w, as in 30d.", ExitCode.USAGE)
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def _agreed() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty() and typer.confirm("Remove them?", err=True)


def _say(found: Prunable) -> None:
    from auditor.report.number_text import bytes_text

    for run in found.runs:
        say(f"{run.run}: {_words(run)}, {bytes_text(run.bytes)}{_kept(run)}")
    if found.copies:
        copies = _count(len(found.copies), "checkpoint")
        say(f"{copies} that another run has, too, can share its room: {bytes_text(found.copied_bytes)}")
    if found.runs or found.copies:
        say(f"In all {_count(found.files, 'file')} would go, and {bytes_text(found.bytes)} would be free.")
    else:
        say("There is nothing that no run needs.")


def _words(run: PrunableRun) -> str:
    others = len(run.files) - run.checkpoints
    words = [_count(run.checkpoints, "checkpoint")] if run.checkpoints else []
    return " and ".join(words + ([_count(others, "left-over file")] if others else []))


def _kept(run: PrunableRun) -> str:
    kept = ", ".join(f"{count} ({why})" for why, count in sorted(run.kept.items()))
    return f"; keeps {kept}" if kept else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _done(removed: Prunable, found: Prunable) -> None:
    from auditor.report.number_text import bytes_text

    say(f"Removed {_count(removed.files, 'file')}; {bytes_text(removed.bytes)} are free.")
    if removed.files < found.files:
        say("Others are needed now, and stay.")


def _write(found: Prunable, *, removed: bool) -> None:
    import json as encoder

    for run in found.runs:
        row = {"run": run.run, "files": len(run.files), "checkpoints": run.checkpoints, "bytes": run.bytes}
        output(encoder.dumps(row | {"kept": dict(run.kept)}, ensure_ascii=False))
    shared = {"shared_files": len(found.copies), "shared_bytes": found.copied_bytes}
    output(encoder.dumps({"files": found.files, "bytes": found.bytes} | shared | {"removed": removed}))
