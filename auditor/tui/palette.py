"""Styles by what they mean, in the colours of the theme that is chosen, made strong enough to be read in any theme."""

from __future__ import annotations

from collections.abc import Mapping

from rich.theme import Theme
from textual.color import Color, ColorParseError

STRONGEST = 7.0
READABLE = 4.5

SIGNS = {
    "sign-flagged": ("text-error", STRONGEST),
    "sign-failed": ("text-error", READABLE),
    "sign-consistent": ("text-success", READABLE),
    "sign-undecided": ("text-warning", READABLE),
    "sign-busy": ("text-warning", READABLE),
    "sign-known": ("text-accent", READABLE),
    "sign-reference": ("text-primary", READABLE),
    "sign-waiting": ("background", READABLE),
    "sign-selected": ("foreground", STRONGEST),
}
"""Variables for style sheets: the variable of Textual's themes that each begins with, and the contrast that it has at
least to the background and to the surface (WCAG 2.1: 4.5 for text, 7 for what must not be missed)."""

VARIABLES = {
    "verdict.consistent": ("", "sign-consistent"),
    "verdict.flagged": ("bold", "sign-flagged"),
    "verdict.inconclusive": ("", "sign-undecided"),
    "verdict.unreachable": ("", "sign-undecided"),
    "distance.reference": ("", "sign-reference"),
    "heat.0": ("", "sign-reference"),
    "heat.1": ("", "sign-consistent"),
    "heat.2": ("", "sign-undecided"),
    "heat.3": ("bold", "sign-flagged"),
}
"""Each style's attributes, and the variable that gives its colour."""


def sign_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of `SIGNS` for a theme.

    Where the ground is the terminal's own, nobody knows its colour, and none has a contrast of 5 to black and to white.
    There signs have the colour of the terminal's text, which the person reads, and are told apart by themselves.
    """
    grounds = [_parsed(variables[name]) for name in ("background", "surface")]
    found = {}
    for name, (origin, least) in SIGNS.items():
        colour = _parsed(variables.get(origin, variables["foreground"]))
        opaque = [ground for ground in grounds if ground is not None]
        if colour is None or len(opaque) < len(grounds):
            found[name] = variables["foreground"]
        else:
            found[name] = _strengthened(colour, opaque, least).hex
    return found


def _parsed(text: str) -> Color | None:
    try:
        colour = Color.parse(text)
    except ColorParseError:
        return None
    return None if colour.ansi is not None or colour.a < 1 else colour


def _strengthened(colour: Color, grounds: list[Color], least: float) -> Color:
    """The colour, as far towards white or black as it takes."""
    dark = max(ground.brightness for ground in grounds) < 0.5
    end = Color.parse("#ffffff" if dark else "#000000")
    for hundredths in range(0, 101, 4):
        made = colour.blend(end, hundredths / 100)
        if min(contrast(made, ground) for ground in grounds) >= least:
            return made
    return end


def contrast(first: Color, second: Color) -> float:
    """The ratio of two colours' luminances, as WCAG 2.1 defines contrast: from 1 to 21."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def palette(variables: Mapping[str, str], *, colours: bool) -> Theme:
    """The styles for a theme; without colours the attributes and the signs have to do."""
    return Theme(
        {
            name: f"{attributes} {_rich(variables[variable]) if colours else ''}".strip() or "none"
            for name, (attributes, variable) in VARIABLES.items()
        }
    )


def _rich(text: str) -> str:
    """A colour in the words of Rich, which calls the terminal's own otherwise."""
    return text.split()[0].replace("ansi_default", "default").removeprefix("ansi_")
