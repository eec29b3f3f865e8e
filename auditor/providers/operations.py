"""Every question of the protocol: what agents route, and what the OpenAPI document describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

from auditor.providers.protocol import (
    OFFSET_HEADER,
    Identity,
    RunRequest,
    RunStatus,
    Simulation,
    TossCommitted,
    TossList,
    TossRequest,
    TossReveal,
)

Content = type[BaseModel] | Literal["bytes"] | None
"""What a body is: a message in JSON, a checkpoint, or nothing."""


@dataclass(frozen=True)
class Operation:
    """One question that a client may ask.

    Attributes:
        name: of the question.
        method: of HTTP; whoever answers GET answers HEAD, too.
        path: behind the version, with parameters in braces.
        summary: what it is for.
        asks: the body of the question.
        answers: the body of the answer, by the status of each that is no error.
        errors: why it may be refused, by status, beside what can befall every question.
        query: parameters behind the path, each with its meaning.
        headers: that the question may have, each with its meaning.
    """

    name: str
    method: str
    path: str
    summary: str
    answers: Mapping[int, Content]
    asks: Content = None
    errors: Mapping[int, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


_NO_RUN = {404: "the client has no run with this id"}
_FULL = "a limit of the agent is reached, or its disk is full"

OPERATIONS = (
    Operation("identity", "GET", "/identity", "Who is there", {200: Identity}),
    Operation(
        "fetch",
        "GET",
        "/blobs/{digest}",
        "Open a commitment: the checkpoint with this digest. HEAD asks whether it is there; where it is not, the "
        f"header {OFFSET_HEADER} of the answer says how many bytes of an upload came before it broke off",
        {200: "bytes", 206: "bytes"},
        errors={404: "the agent has no such blob of this client", 416: "the blob has no such bytes"},
        headers={"range": "bytes=FIRST-, to go on where a download broke off; the entity tag is the digest"},
    ),
    Operation(
        "upload",
        "PUT",
        "/blobs/{digest}",
        "Upload a checkpoint, or a file that the task needs",
        {201: None, 204: None},
        asks="bytes",
        errors={
            400: "its bytes do not have this digest",
            409: "the agent does not have the bytes before these",
            422: "the header content-range is none",
            507: _FULL,
        },
        headers={"content-range": f"bytes FIRST-LAST/SIZE, to go on from the {OFFSET_HEADER} that HEAD told"},
    ),
    Operation("release", "DELETE", "/blobs/{digest}", "This checkpoint will not be opened", {204: None}),
    Operation(
        "start",
        "POST",
        "/runs",
        "Start a run of some steps from a checkpoint; asking twice with one id starts one run",
        {200: RunStatus},
        asks=RunRequest,
        errors={
            403: "the owner does not offer the data, or does not allow the code",
            404: "the checkpoint to start from was not uploaded",
            409: "another run has this id",
            507: _FULL,
        },
    ),
    Operation(
        "status",
        "GET",
        "/runs/{id}",
        "How far a run is, with its commitments; waits for news",
        {200: RunStatus},
        errors=_NO_RUN | {422: "version, from or wait is no number"},
        query={
            "version": "of the status that the client knows; -1, as left out, for an answer at once",
            "from": "the index of the first commitment that the client does not know; 0 if left out",
            "wait": "seconds to wait for news, 30 at most; 0 if left out",
        },
    ),
    Operation("cancel", "DELETE", "/runs/{id}", "Stop a run", {202: None}, errors=_NO_RUN),
    Operation(
        "simulation",
        "GET",
        "/runs/{id}/simulation",
        "What a simulated attack achieved; honest agents have none",
        {200: Simulation},
        errors={404: "the client has no run with this id, or no attack is simulated"},
    ),
    Operation(
        "commit",
        "POST",
        "/tosses/{id}",
        "Commit to a random value",
        {200: TossCommitted},
        asks=TossRequest,
        errors={409: "the toss has begun in another way", 507: _FULL},
    ),
    Operation(
        "reveal",
        "POST",
        "/tosses/{id}/reveal",
        "Reveal the random value, once all have committed",
        {200: TossReveal},
        asks=TossList,
        errors={404: "the agent has not committed to anything in this toss", 409: "the list is not fair"},
    ),
)
