"""Whatever text a provider sends, what is shown is one short line that does nothing to a terminal."""

from __future__ import annotations

import unicodedata

import pytest

from auditor.base.hostile_text import cleaned


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        pytest.param("\x1b[31mred\x1b[0m", "red", id="colour"),
        pytest.param("a\x1b[2J\x1b[1;1Hb", "ab", id="clear the screen"),
        pytest.param("\x1b[?1049hx", "x", id="other screen"),
        pytest.param("\x1b]0;owned\x07title", "title", id="window title"),
        pytest.param("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click", id="hyperlink"),
        pytest.param("\x1b]52;c;cm0gLXJmIC8=\x07x", "x", id="clipboard"),
        pytest.param("x\x1bPq#0;2;0;0;0\x1b\\y", "xy", id="device control"),
        pytest.param("x\x1b]0;never closed", "x", id="unclosed string"),
        pytest.param("x\x1bcy", "xcy", id="reset, without its escape"),
        pytest.param("x\x1b", "x", id="lone escape at the end"),
        pytest.param("\x1b\x1b[31m[31mx", "[31mx", id="escape within an escape"),
        pytest.param("a\x9b31mb", "a31mb", id="eight-bit control sequence"),
        pytest.param("one\r\ntwo\n\n\tthree", "one two three", id="line ends and tabs"),
        pytest.param("one\u2028two\u2029three", "one two three", id="Unicode line ends"),
        pytest.param("gpj.\u202etxt\u202c", "gpj.txt", id="right-to-left override"),
        pytest.param("\u2066a\u2069\u200fb\ufeff\u200bc", "abc", id="isolates, marks and zero widths"),
        pytest.param("a\x00b\x08c\x7f", "abc", id="NUL, backspace and delete"),
        pytest.param("\ud800x", "x", id="half a surrogate pair"),
        pytest.param("café, naïve, 東京, 🎉", "café, naïve, 東京, 🎉", id="honest text"),
        pytest.param(ValueError("\x1b[31mno"), "no", id="an exception"),
        pytest.param(None, "None", id="no text at all"),
    ],
)
def test_controls_are_removed_and_words_are_kept(hostile: object, shown: str) -> None:
    assert cleaned(hostile) == shown


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert cleaned("x" * 10_000) == "x" * 499 + "…"
    assert cleaned("x" * 10_000, limit=10) == "x" * 9 + "…"
    assert cleaned("x" * 10, limit=10) == "x" * 10


def test_long_runs_of_escapes_leave_nothing() -> None:
    assert cleaned("\x1b[31m" * 10_000) == ""
    assert cleaned("\x1b]" * 10_000) == ""


def test_every_character_of_unicode_comes_out_printable_or_not_at_all() -> None:
    for start in range(0, 0x110000, 400):
        text = cleaned("".join(map(chr, range(start, min(start + 400, 0x110000)))))
        assert not [character for character in text if unicodedata.category(character)[0] == "C"]
        assert len(text.splitlines()) <= 1
