"""The one reader of JSON that comes from the other side, be it a provider or a client.

The sender may want to do harm. So the length, the depth and the size of numbers are checked, and that each key is
there only once.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from auditor.base.hostile_text import cleaned

MAX_JSON = 1 << 20
"""No message is longer, in bytes."""
MAX_DEPTH = 16
"""No message has more lists and objects within one another; deeper ones would exhaust the stack of a parser."""
MAX_DIGITS = 20
"""No whole number has more digits; the largest of the protocol has 19."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(r"[][{}]")

Message = TypeVar("Message", bound=BaseModel)


class Nonsense(ValueError):  # noqa: N818 - the name reads as what it is
    """Not a message of the protocol; says why, as the end of a sentence, without anything that could do harm."""


def read_message(body: bytes, kind: type[Message]) -> Message:
    """Read a message of one kind; keys that it does not know are left out.

    Raises:
        Nonsense: it is too long or too deep, not UTF-8, not JSON, has a key twice or a number that is not finite or
            has too many digits; or it is not of this kind.
    """
    plain = json.dumps(_parse(body))
    try:
        return kind.model_validate_json(plain, strict=True)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in detail["loc"])
        raise Nonsense(cleaned(f"{place}: {detail['msg']}" if place else detail["msg"])) from None


def _parse(body: bytes) -> Any:
    if len(body) > MAX_JSON:
        raise Nonsense(f"more than {MAX_JSON:,} bytes")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Nonsense("not UTF-8") from None
    _check_depth(text)
    try:
        return json.loads(
            text, parse_int=_whole, parse_float=_finite, parse_constant=_constant, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        raise Nonsense(f"not JSON: {error}") from None


def _check_depth(text: str) -> None:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            raise Nonsense(f"lists and objects nested more than {MAX_DEPTH} deep")


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise Nonsense(f"a number of {len(digits):,} digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Nonsense("a number that is not finite")
    return number


def _constant(_: str) -> NoReturn:
    raise Nonsense("a number that is not finite")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise Nonsense("a duplicate key")
    return made
