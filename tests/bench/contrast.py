"""The contrast of every sign of the interface in every theme that it can be shown in.

    python -m tests.bench.contrast

Contrast is that of WCAG 2.1, to the background or the surface, whichever is closer. Themes that leave the colours to
the terminal show signs in the colour of its text, whose contrast the person has chosen.
"""

from __future__ import annotations

from pathlib import Path

from textual.color import Color

from auditor.tui.app import AuditorApp
from auditor.tui.palette import SIGNS, contrast


def table() -> dict[str, dict[str, float]]:
    """The contrast of each sign, by theme and sign; nothing for signs in the colour of the terminal's own text."""
    found: dict[str, dict[str, float]] = {}
    app = AuditorApp(Path())
    for theme in app.available_themes:
        app.theme = theme
        variables = app.get_css_variables()
        if all(variables[sign] == "ansi_default" == variables["background"] for sign in SIGNS):
            found[theme] = {}
            continue
        grounds = [Color.parse(variables[name]) for name in ("background", "surface")]
        found[theme] = {
            sign: min(contrast(Color.parse(variables[sign]), ground) for ground in grounds) for sign in SIGNS
        }
    return found


def main() -> None:
    """Print it."""
    print(f"{'theme':<22}" + "".join(f"{sign.removeprefix('sign-'):>11}" for sign in SIGNS))
    for theme, row in table().items():
        figures = "".join(f"{row[sign]:>11.1f}" for sign in SIGNS) if row else "  as the terminal's own text"
        print(f"{theme:<22}{figures}")


if __name__ == "__main__":
    main()
