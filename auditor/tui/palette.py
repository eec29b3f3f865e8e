"""Styles by what they mean, in the colours of the theme that is chosen."""

from __future__ import annotations

from collections.abc import Mapping

from rich.theme import Theme

VARIABLES = {
    "verdict.consistent": ("", "text-success"),
    "verdict.flagged": ("bold", "text-error"),
    "verdict.inconclusive": ("", "text-warning"),
    "verdict.unreachable": ("", "text-warning"),
    "distance.reference": ("", "text-primary"),
    "heat.0": ("", "text-primary"),
    "heat.1": ("", "text-success"),
    "heat.2": ("", "text-warning"),
    "heat.3": ("bold", "text-error"),
}
"""Each style's attributes, and the variable of Textual's themes that gives its colour."""


def palette(variables: Mapping[str, str], *, colours: bool) -> Theme:
    """The styles for a theme; without colours the attributes and the signs have to do."""
    return Theme(
        {
            name: f"{attributes} {variables[variable] if colours else ''}".strip() or "none"
            for name, (attributes, variable) in VARIABLES.items()
        }
    )
