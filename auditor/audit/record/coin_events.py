"""What happens to the coins of an audit: who drew what is random, and what shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.audit.record.event import Event
from auditor.base.coin import Fault


@dataclass(frozen=True)
class TossedCommitment:
    """What one participant committed to; the client has the empty name."""

    name: str
    commitment: str


@dataclass(frozen=True)
class TossedValue:
    """What one participant revealed."""

    name: str
    value: str
    salt: str


@dataclass(frozen=True)
class TossCommitted(Event):
    """All participants of a toss committed, in this order; nobody has revealed anything yet.

    The client, which has the empty name, comes first. `auditor.base.coin` says what a commitment is.
    """

    toss: str
    commitments: tuple[TossedCommitment, ...]


@dataclass(frozen=True)
class TossRevealed(Event):
    """What the participants of a toss revealed. `seed` is null where somebody did not, and a new toss follows.

    `faults` has what each did that is to blame, and `missing` those that did not reveal in time. `reasons` has the
    words for both.
    """

    toss: str
    values: tuple[TossedValue, ...]
    faults: Mapping[str, Fault] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    seed: str | None = None


@dataclass(frozen=True)
class SeedDisclosed(Event):
    """The primary said which seed it drew for all; written as text, because not every reader has such integers."""

    provider: str
    seed: str


@dataclass(frozen=True)
class StartCompared(Event):
    """The initial state that the primary committed to was held against what its disclosed seed gives.

    `difference` is the largest one as a share of the largest number of a tensor, at most 1; 0 where the digests are
    equal. `agrees` says whether it is small enough for other software to explain it.
    """

    digest: str
    expected: str
    difference: float
    agrees: bool
