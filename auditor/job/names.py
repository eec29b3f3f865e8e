"""What providers, plugins and jobs may be called."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

DIRECTION_MARKS = "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=rf"^[^\x00-\x1f\x7f-\x9f{DIRECTION_MARKS}]+$")
]
"""A name on one line, without what does something to a terminal."""
