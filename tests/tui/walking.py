"""What tests of the interface do with it: wait for conditions, click, and read what is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Static


async def until(pilot: Pilot[Any], condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Let the interface work until a condition holds."""
    deadline, between = time.monotonic() + seconds, 0.02
    while not _holds(condition):
        assert time.monotonic() < deadline, f"not within {seconds} s; the screen shows:\n{screen_text(pilot.app)}"
        await pilot.pause(between)
        between = min(1.2 * between, 0.25)  # looking costs what whoever is waited for could use
    await pilot.pause()


def _holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except Exception:  # a widget that is not there yet
        return False


def screen_text(app: App[Any]) -> str:
    """What the terminal shows, as text."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip)[:width].rstrip() for strip in lines[:height])


def text_of(app: App[Any], selector: str) -> str:
    """What a widget of text on the screen in front holds."""
    return str(app.screen.query_one(selector, Static).render())


async def type_text(pilot: Pilot[Any], text: str) -> None:
    """Type, whatever the characters are called."""
    names = {" ": "space", ".": "full_stop", "/": "slash", "-": "minus", "_": "underscore", ":": "colon"}
    await pilot.press(*(names.get(character, character) for character in text))
