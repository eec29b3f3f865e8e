"""The page of exit codes."""

from __future__ import annotations

from auditor.cli.exit_codes import ExitCode
from tests.docs.reference.tables import attribute_docstrings, table


def exit_codes_page() -> str:
    """Every exit code with its meaning."""
    meanings = attribute_docstrings(ExitCode)
    rows = [(str(int(code)), meanings[code.name]) for code in ExitCode]
    return (
        "# Exit codes\n\n"
        "`auditor run`, `auditor resume` and `auditor cure` end with one of these. Other commands use 0, 1, 2, 3 and\n"
        "130. `auditor inspect` also uses 10 if an inspector suspects the model, and 11 if it can say nothing.\n\n"
        + table(("code", "meaning"), rows)
        + "\n[Use it in CI](../how-to/ci.md) shows how a pipeline acts on them.\n"
    )
