"""Tossing a coin that nobody can load: the protocol by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import pytest

from auditor.base.coin import CLIENT, Fault, Opening, combine, commitment, draw, judge, opens
from tests.bench.tosses import aborting, chi_squared, many, rushing

TOSS = "run-3f2a91.toss-1"
NAMES = (CLIENT, "a", "b", "c")
OPENINGS = {name: draw(name.encode() + b"'s secret of some length", TOSS) for name in NAMES}
PAIRS = [(name, commitment(TOSS, name, OPENINGS[name])) for name in NAMES]


def without(*names: str) -> dict[str, Opening]:
    return {name: opening for name, opening in OPENINGS.items() if name not in names}


def test_a_commitment_is_the_digest_that_its_description_gives() -> None:
    def framed(part: bytes) -> bytes:
        return len(part).to_bytes(8, "big") + part

    opening = OPENINGS["a"]
    raw = bytes.fromhex(opening.value) + bytes.fromhex(opening.salt)
    named = framed(b"auditor toss commitment 1") + framed(TOSS.encode()) + framed(b"a")
    assert commitment(TOSS, "a", opening) == hashlib.sha256(named + raw).hexdigest()


def test_where_all_are_honest_the_seed_is_a_digest_of_every_value_in_whatever_order() -> None:
    judged = judge(TOSS, PAIRS, OPENINGS, {})
    assert (judged.faults, judged.missing) == ({}, ())
    assert judged.seed == judge(TOSS, PAIRS[::-1], OPENINGS, {}).seed
    for name in NAMES:
        changed = {one: opening.value for one, opening in OPENINGS.items()} | {name: "00" * 32}
        assert combine(TOSS, changed) != judged.seed
    assert combine("another toss", {name: opening.value for name, opening in OPENINGS.items()}) != judged.seed


@pytest.mark.parametrize(
    ("openings", "refused", "faults", "missing"),
    [
        (without("b"), {}, {}, ("b",)),
        (without("b"), {"b": "no"}, {"b": Fault.REFUSED}, ()),
        (OPENINGS | {"b": OPENINGS["c"]}, {}, {"b": Fault.LIED}, ()),
        (OPENINGS | {"b": replace(OPENINGS["b"], value="00" * 32)}, {}, {"b": Fault.LIED}, ()),
        (OPENINGS | {"b": replace(OPENINGS["b"], value="no digits")}, {}, {"b": Fault.LIED}, ()),
        (OPENINGS | {"b": replace(OPENINGS["b"], salt=OPENINGS["b"].salt.upper())}, {}, {"b": Fault.LIED}, ()),
        (without("b", "c") | {"a": OPENINGS["b"]}, {"c": "no"}, {"a": Fault.LIED, "c": Fault.REFUSED}, ("b",)),
    ],
)
def test_who_is_to_blame_is_named_and_who_is_late_is_not(
    openings: Mapping[str, Opening], refused: Mapping[str, str], faults: Mapping[str, Fault], missing: tuple[str, ...]
) -> None:
    judged = judge(TOSS, PAIRS, openings, refused)
    assert (judged.faults, judged.missing, judged.seed) == (faults, missing, None)


@pytest.mark.parametrize("owner", NAMES[:3])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("silent", [True, False])
def test_a_copy_is_named_and_its_owner_is_not_whichever_arrived_first(owner: str, first: bool, silent: bool) -> None:
    made = dict(PAIRS)
    rest = [(name, digest) for name, digest in PAIRS if name != "c"]
    pairs = [("c", made[owner]), *rest] if first else [*rest, ("c", made[owner])]
    openings = without("c") if silent else without("c") | {"c": OPENINGS[owner]}
    assert judge(TOSS, pairs, openings, {}).faults == {"c": Fault.COPIED}


def test_no_two_participants_and_no_two_tosses_can_open_one_commitment() -> None:
    opening, made = OPENINGS["a"], dict(PAIRS)["a"]
    assert opens(TOSS, "a", opening, made)
    assert not opens(TOSS, "b", opening, made)
    assert not opens(TOSS + "0", "a", opening, made)
    # Were parts joined without their lengths, these would be one.
    assert commitment("ab", "c", opening) != commitment("a", "bc", opening)


def test_what_a_participant_adds_follows_from_its_secret_and_the_whole_context() -> None:
    drawn = draw(b"s" * 32, TOSS, "client", "a")
    assert drawn == draw(b"s" * 32, TOSS, "client", "a")
    others = [
        draw(b"t" * 32, TOSS, "client", "a"),
        draw(b"s" * 32, TOSS + "0", "client", "a"),
        draw(b"s" * 32, TOSS, "client", "b"),
        draw(b"s" * 32, TOSS, "clienta", ""),
    ]
    values = [one.value for one in (drawn, *others)] + [one.salt for one in (drawn, *others)]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("participants", [3, 16, 64])
def test_each_is_named_for_what_it_did_and_the_rest_come_to_a_seed(participants: int) -> None:
    found = many(participants, seed=5)
    assert found.named == found.due
    assert found.seed is not None
    assert found.tosses <= found.stopping + 1


def test_an_adversary_that_sees_everything_first_cannot_load_the_coin_and_one_that_stops_gains_what_is_said() -> None:
    assert chi_squared(rushing(2_000, seed=11)) > 0.001
    for coalition in (1, 3):
        share, bound = aborting(coalition, 2_000, seed=12)
        assert share == pytest.approx(bound, abs=0.04)
