"""Rows of the store, as objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from auditor.job.endpoint import Endpoint, parse_endpoint

Action = Literal["pause", "cancel"]
"""What can be asked of the process that executes a run."""


@dataclass(frozen=True)
class RunRecord:
    """One audit, from its start on.

    Attributes:
        id: how users and blobs refer to it.
        created: RFC 3339, UTC.
        job: the job as JSON, with paths resolved and the seed that was asked for.
        source: the job file that it came from.
        secret: 256 random bits that are sent to nobody; the selection of sub-runs derives from them.
        parent: the run whose model this one starts from, if there is one.
        chain: the run of the evolving job that this run is an update of; None for a run of its own.
        update: which update of it; 0 is the first training.
    """

    id: str
    created: str
    job: str
    source: str
    secret: bytes
    parent: str | None = None
    chain: str | None = None
    update: int | None = None

    @property
    def evolves(self) -> bool:
        """Whether its job is an evolving one, whose updates are runs of their own."""
        try:
            job = json.loads(self.job)
        except (ValueError, RecursionError):
            return False  # said where the job is read
        return isinstance(job, dict) and job.get("evolution") is not None


@dataclass(frozen=True)
class EventRecord:
    """One event of a run, durable.

    Attributes:
        run: whose it is.
        seq: its position in the run, counted from 1 without gaps.
        time: RFC 3339, UTC.
        kind: which event it is.
        payload: its fields.
    """

    run: str
    seq: int
    time: str
    kind: str
    payload: Mapping[str, Any]

    @property
    def json_line(self) -> str:
        """The event as `--json` writes it: one object with `event`, `run`, `seq`, `time` and its fields."""
        head = {"event": self.kind, "run": self.run, "seq": self.seq, "time": self.time}
        return json.dumps(head | dict(self.payload), ensure_ascii=False)


@dataclass(frozen=True)
class RegisteredProvider:
    """A provider that job files can name as an endpoint.

    Attributes:
        name: what they call it.
        endpoint: where it is, as in a job file; never itself a name.
        price_per_hour: dollars; None when it is not known.
        added: RFC 3339, UTC.
        token_file: the file with the token that it asks for; the token itself is not in the store.
        fingerprint: SHA-256 of the certificate that it must show.
        signing_key: the public key that it must sign with; None until it showed one.
    """

    name: str
    endpoint: str
    price_per_hour: float | None
    added: str
    token_file: str | None = None
    fingerprint: str | None = None
    signing_key: str | None = None

    @property
    def where(self) -> Endpoint:
        """The endpoint, read, with what it takes to get in."""
        return parse_endpoint(self.endpoint, self.token_file, self.fingerprint)
