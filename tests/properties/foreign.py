"""What somebody may send who means harm: bytes, texts, and good messages in which something was exchanged."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

NASTY = (
    *("", "\x00", "\x1b]0;owned\x07", "\x1b[31m[bold]", "\u202e", "\ud800", "../../etc/passwd", "sha256-" + "0" * 64),
    *("0" * 64, "A" * 64, "a" * 65, "x" * 5000, "\n", "NaN", "1e999", "-0", "\u0661" * 64, "bytes 0-1/2"),
)
NUMBERS = (0, -1, 1, 2**31, 2**53, 2**63, -(2**63), 2**64, 10**30, 0.5, -0.0, 1e308)


def texts(most: int = 200) -> st.SearchStrategy[str]:
    """Texts, half surrogates and control characters among them."""
    return st.sampled_from(NASTY) | st.text(st.characters(), max_size=most)


def values() -> st.SearchStrategy[Any]:
    """Whatever JSON can hold."""
    leaves = st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.integers() | st.floats() | texts(30)
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(10), inner, max_size=4), max_leaves=8
    )


@st.composite
def exchanged(draw: st.DrawFn, good: Any) -> Any:
    """A good message in which up to three values are others, gone, or more than there were."""
    message = copy.deepcopy(good)
    for _ in range(draw(st.integers(0, 3))):
        place = message
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
                if draw(st.integers(0, 4)):
                    place[key] = draw(values())
                else:
                    del place[key]
                break
            place = place[key]
    return message


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """Good bytes of which some were changed, cut out, or put in."""
    made = bytearray(good)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(made)))
        end = place + draw(st.integers(0, 8))
        made[place:end] = draw(st.binary(max_size=8))
    if draw(st.integers(0, 5)) == 0:
        del made[draw(st.integers(0, len(made))) :]
    return bytes(made)


def json_bytes(good: Any) -> st.SearchStrategy[bytes]:
    """JSON that is like a good message, and bytes that are like it or are anything."""
    encoded = json.dumps(good).encode()
    return (
        exchanged(good).map(lambda message: json.dumps(message).encode())
        | damaged(encoded)
        | values().map(lambda value: json.dumps(value).encode())
        | st.binary(max_size=300)
        | st.sampled_from([b"[" * 100_000, b'{"a":' * 20_000, b"9" * 5000, b'"' + b"\\u0000" * 1000, encoded * 2])
    )


def is_plain(text: str) -> bool:
    """Whether a text can be shown in a terminal as it is."""
    return text.isprintable() or not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text)
