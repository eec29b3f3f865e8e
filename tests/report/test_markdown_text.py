"""Text from outside stays text in a Markdown file."""

from __future__ import annotations

import pytest

from auditor.report.markdown_text import code, words
from tests.report.rendering import tokens


@pytest.mark.parametrize(
    "text",
    [
        "[a](http://evil.example)",
        "[a b](javascript:alert)",
        "<a href='x'>y</a>",
        "<https://evil.example>",
        "evil.example/path and www.evil.example",
        "me@evil.example",
        "mailto:me",
        "![x](y)",
        "# not a heading",
        "1. not a list",
        "- not a list",
        "> not a quotation",
        "--- | ---",
        "`` ` `` <b>",
        "&lt;b&gt; &#60;",
        "*a* _b_ ~~c~~ $d$",
        "[x]: http://evil.example",
        "line\n# second\n<br>",
        "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
        "\u202etxet",
        "tail \\",
        "",
    ],
)
def test_no_text_becomes_anything_else(text: str) -> None:
    for made in (words(text), code(text)):
        for place in (made, f"| {made} | x |\n| --- | --- |\n| {made} | y |", f"- {made}", f"Reasons: {made}"):
            kinds = {token.type for token in tokens(place)}
            allowed = {"paragraph", "inline", "text", "code_inline", "table", "thead", "tbody", "tr", "th", "td"}
            allowed |= {"bullet_list", "list_item"} if place.startswith("- ") else set()
            assert {kind.removesuffix("_open").removesuffix("_close") for kind in kinds} <= allowed, place
            assert "\n" not in made


def test_plain_sentences_stay_as_they_are() -> None:
    said = 'in sub-run 164 it lies further: "over 1,000 times" as far under my_metric (p = 2e-28)'
    assert words(said) == said
