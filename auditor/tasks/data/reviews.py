"""A small corpus of our own: short reviews in English, written by a grammar."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from auditor.base.randomness import generator

REVIEWS = 3_000

UNDECIDED = 0.1
"""The share of reviews that say nothing either way; their label is drawn, so that no model is right on all."""


def _phrases(text: str) -> tuple[str, ...]:
    """The phrases of a text, which are parted by bars."""
    return tuple(" ".join(phrase.split()) for phrase in text.split("|"))


THINGS = {
    "film": _phrases("plot|acting|camera|score|dialogue|ending|cast|pacing|humour|editing"),
    "book": _phrases("prose|story|heroine|chapter|ending|dialogue|translation|cover|preface|style"),
    "restaurant": _phrases("soup|service|wine|menu|dessert|bread|waiter|kitchen|table|music"),
    "hotel": _phrases("room|breakfast|view|staff|bed|shower|garden|lobby|price|location"),
    "concert": _phrases("singer|orchestra|sound|programme|encore|conductor|hall|choir|rhythm|lighting"),
    "museum": _phrases("collection|guide|exhibition|building|café|catalogue|lighting|tour|garden|shop"),
}
GOOD = _phrases(
    """wonderful|brilliant|charming|delightful|superb|moving|witty|fresh|elegant|warm|generous|clever|gripping|beautiful
    |inspired|graceful|lively|rich|memorable|splendid|thoughtful|honest|radiant|tender|vivid|polished|excellent
    |flawless|joyful|remarkable"""
)
BAD = _phrases(
    """dreadful|dull|clumsy|tedious|lifeless|bland|shallow|stale|awkward|cold|careless|silly|tiresome|ugly|forced
    |graceless|noisy|poor|forgettable|sloppy|mindless|dishonest|gloomy|harsh|muddled|shabby|awful|broken|joyless
    |pointless"""
)
PRAISE = _phrases(
    """i would gladly come back|everyone should try it once|it made my whole week|i am still smiling
    |my friends loved it too|it deserves every prize|we stayed until the very end|i cannot wait for the next one"""
)
BLAME = _phrases(
    """i want my money back|nobody should waste an evening on it|it ruined my whole week|i am still angry
    |my friends walked out|it deserves no visitors|we left after ten minutes|once was more than enough"""
)
DEGREES = _phrases("really|truly|simply|quite|very|so|absolutely|utterly")
OPENINGS = _phrases(
    """to be fair|in the end|all in all|from start to finish|on a rainy monday|for once|as a whole|if you ask me
    |after all the talk|in my opinion"""
)
NEITHER = _phrases(
    """it was about what one expects of a {thing}|i went to this {thing} on a monday
    |this {thing} has a {part} and a {other}|we talked about the {part} of the {thing}
    |the {thing} is near the station|there is a {part} , as in any {thing}|a {thing} like many others
    |the {part} was there , and so was the {other}"""
)
OPINIONS = _phrases(
    """the {part} of this {thing} is {degree} {fitting}
    |{opening} , the {part} was {fitting} and the {other} {fitting2}
    |a {fitting} {thing} with a {fitting2} {part}
    |i found the {part} {degree} {fitting}
    |{opening} , {verdict}
    |what a {fitting} {part} , and what a {fitting2} {other}
    |this {thing} is {fitting} ; {verdict}
    |there is nothing {unfitting} about this {thing}
    |the {part} is anything but {unfitting}
    |i expected a {unfitting} {thing} and found a {fitting} one
    |rarely was a {part} this {fitting}
    |the {part} may be {unfitting} , but the {other} is so {fitting} that {verdict}
    |{opening} , not even the {unfitting} {part} kept this {thing} from being {fitting}
    |nobody can call this {thing} {unfitting} ; {verdict}
    |{verdict} : a {degree} {fitting} {part}
    |the {part} was never {unfitting} , and the {other} was {degree} {fitting}"""
)


def write_reviews() -> tuple[list[str], list[int]]:
    """The reviews, all different and always the same ones, and their labels: 1 for praise, 0 for blame."""
    draws = generator(0, "reviews")
    labels: dict[str, int] = {}
    while len(labels) < REVIEWS:
        label = int(draws.integers(2))
        labels.setdefault(_write(label, draws), label)
    return list(labels), list(labels.values())


def _write(label: int, draws: np.random.Generator) -> str:
    def one(phrases: Sequence[str]) -> str:
        return phrases[int(draws.integers(len(phrases)))]

    thing = one(list(THINGS))
    fitting, unfitting = (GOOD, BAD) if label else (BAD, GOOD)
    undecided = draws.integers(1_000) < 1_000 * UNDECIDED
    sentence = one(NEITHER if undecided else OPINIONS).format(
        thing=thing,
        part=one(THINGS[thing]),
        other=one(THINGS[thing]),
        degree=one(DEGREES),
        opening=one(OPENINGS),
        fitting=one(fitting),
        fitting2=one(fitting),
        unfitting=one(unfitting),
        verdict=one(PRAISE if label else BLAME),
    )
    return re.sub(r"\ba (?=[aeiou])", "an ", f"{sentence} .")
