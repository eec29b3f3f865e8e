"""`auditor verify`: check a run from its events and checkpoints alone."""

from __future__ import annotations

from typing import Annotated

import typer

from auditor.base.hostile_text import cleaned
from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import output, user_errors
from auditor.cli.run_argument import RunArgument

SIGNS = {True: "holds", False: "does not hold", None: "not checked"}


def verify(
    run: RunArgument,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object per check.")] = False,
) -> None:
    """Check a run again: its tosses, its initial state and its checkpoints.

    Each line says what was checked and whether it holds. It asks no provider, and changes nothing.

    Exit codes: 0 everything that could be checked holds, 10 something does not hold, 2 usage error.
    """
    from dataclasses import asdict

    from auditor.audit.verification import verify_run
    from auditor.store import Store

    wrong = False
    with user_errors(), Store() as store:
        record = store.find_run(run)
        for check in verify_run(record, store):
            wrong = wrong or check.holds is False
            if json:
                import json as written

                output(written.dumps(asdict(check), ensure_ascii=False))
            else:
                update = "" if check.run == record.id else f"{check.run}: "
                output(f"{SIGNS[check.holds]:<13}  {cleaned(f'{update}{check.subject}: {check.detail}', 1000)}")
    raise typer.Exit(ExitCode.FLAGGED if wrong else ExitCode.CLEAN)
