"""The events in which a provider comes, goes, and does what no honest one does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from auditor.audit.record.event import Event

KeyTrust = Literal["ours", "pinned", "first use"]


@dataclass(frozen=True)
class ProviderReady(Event):
    """A provider answered.

    `signing_key` is what it signs its commitments with, null where it signs nothing. `key_trust` is why that key is
    taken for its own: `ours` (this run started it), `pinned` (known before the run) or `first use` (it was the first
    one that the provider showed).
    """

    provider: str
    device: str
    threads: int
    software: str
    signing_key: str | None = None
    key_trust: KeyTrust | None = None


@dataclass(frozen=True)
class ProviderLost(Event):
    """A provider does not answer, or makes no progress, and is given up."""

    provider: str
    reason: str


@dataclass(frozen=True)
class ProviderMisbehaved(Event):
    """A provider did something that an honest one never does."""

    provider: str
    sub_run: int | None
    reason: str
