"""Tossing a coin that nobody can load: everybody commits to a random value, then everybody reveals it.

The protocol is Blum's ("Coin flipping by telephone", 1981) for many. A participant commits to a value before it can
know another's, so that the hash of all values is uniform as long as one value is, also against those who see all other
values before they reveal. What is left to an adversary is to stop: whoever does not like what would come out does not
reveal. It is then left out, and everything is tossed again with fresh values. So c who work together and stop one after
another choose among at most c + 1 tosses. (Were the others' values taken without them, they would choose among 2^c.)

There is no input or output here. The agent, the client and `auditor verify` use the same functions.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

CLIENT = ""
"""What the client is called in a toss; no provider can have this name."""
BYTES = 32
"""The length of a value and of a salt."""

_COMMITMENT = b"auditor toss commitment 1"
_SEED = b"auditor toss seed 1"
_DRAW = b"auditor toss draw 1"


@dataclass(frozen=True)
class Opening:
    """What opens a commitment.

    Attributes:
        value: what the participant adds to the toss, 32 bytes in hexadecimal digits.
        salt: likewise; it keeps the commitment from telling anything of the value.
    """

    value: str
    salt: str


class Fault(StrEnum):
    """What no honest participant does."""

    COPIED = "copied"
    LIED = "lied"
    REFUSED = "refused"


@dataclass(frozen=True)
class Judged:
    """What a toss came to.

    Attributes:
        faults: what each participant that is to blame did.
        missing: those that did not reveal in time, which accuses nobody.
        seed: 64 hexadecimal digits; None where the toss failed and a new one is due.
    """

    faults: Mapping[str, Fault]
    missing: tuple[str, ...]
    seed: str | None


def draw(secret: bytes, toss: str, *context: str) -> Opening:
    """A value and a salt that follow from a secret, so that nobody who has the secret can lose them.

    Args:
        secret: at least 16 bytes that nobody else knows.
        toss: its id.
        context: what else they depend on.
    """
    encoded = _fields(_DRAW, toss, *context)
    value, salt = (hmac.new(secret, part + encoded, hashlib.sha256).hexdigest() for part in (b"value", b"salt"))
    return Opening(value, salt)


def commitment(toss: str, name: str, opening: Opening) -> str:
    """What a participant says before anybody reveals, 64 hexadecimal digits.

    It is SHA-256 over the purpose, the id of the toss, the participant's name, the value and the salt, each with its
    length before it. So nobody can open the commitment of another as its own.

    Args:
        toss: its id.
        name: the participant's.
        opening: what it commits to.

    Raises:
        ValueError: value or salt are not 32 bytes in hexadecimal digits.
    """
    return hashlib.sha256(_fields(_COMMITMENT, toss, name) + _raw(opening.value) + _raw(opening.salt)).hexdigest()


def opens(toss: str, name: str, opening: Opening, committed: str) -> bool:
    """Whether a participant reveals what it committed to."""
    try:
        return hmac.compare_digest(commitment(toss, name, opening), committed)
    except ValueError:
        return False


def combine(toss: str, values: Mapping[str, str]) -> str:
    """The seed that all values make together, 64 hexadecimal digits.

    Args:
        toss: its id.
        values: of every participant, by name, 32 bytes in hexadecimal digits.

    Raises:
        ValueError: a value is none.
    """
    sha = hashlib.sha256(_fields(_SEED, toss, str(len(values))))
    for name in sorted(values):
        sha.update(_fields(name) + _raw(values[name]))
    return sha.hexdigest()


def judge(
    toss: str, commitments: Sequence[tuple[str, str]], openings: Mapping[str, Opening], refused: Mapping[str, str]
) -> Judged:
    """What the reveals of a toss come to.

    A commitment that somebody else has opened is a copy, no matter which of the two arrived first: only the name that
    it was made for opens it. So nobody is blamed because others copied from it.

    Args:
        toss: its id.
        commitments: name and commitment of every participant, as they were relayed.
        openings: what was revealed, by name; those that did not answer in time are not there.
        refused: why somebody will not reveal, by name.
    """
    good = {
        name: openings[name].value
        for name, committed in commitments
        if name in openings and opens(toss, name, openings[name], committed)
    }
    owners = {committed: name for name, committed in commitments if name in good}
    faults: dict[str, Fault] = {}
    for name, committed in commitments:
        if name in good:
            continue
        if committed in owners:
            faults[name] = Fault.COPIED
        elif name in openings:
            faults[name] = Fault.LIED
        elif name in refused:
            faults[name] = Fault.REFUSED
    missing = tuple(name for name, _ in commitments if name not in good and name not in faults)
    return Judged(faults, missing, None if faults or missing else combine(toss, good))


def _fields(*parts: bytes | str) -> bytes:
    """Texts one after another, each with its length before it, so that no two lists of texts give the same bytes."""
    encoded = [part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(part).to_bytes(8, "big") + part for part in encoded)


def _raw(digits: str) -> bytes:
    raw = bytes.fromhex(digits)
    if len(raw) != BYTES or raw.hex() != digits:
        raise ValueError(f"a value has {BYTES} bytes, in hexadecimal digits in lower case")
    return raw
