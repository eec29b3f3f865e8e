"""The provider protocol, version 1: JSON and checkpoints over HTTP.

    GET    /v1/identity                       who is there
    HEAD   /v1/blobs/{digest}                 is this blob there
    PUT    /v1/blobs/{digest}                 upload a checkpoint
    GET    /v1/blobs/{digest}                 open a commitment: the checkpoint with this digest
    DELETE /v1/blobs/{digest}                 this checkpoint will not be opened
    POST   /v1/runs                           start a run of s steps from a checkpoint
    GET    /v1/runs/{id}?version=&from=&wait= progress and commitments; waits for news
    GET    /v1/runs/{id}/simulation           what a simulated attack achieved; honest agents have none
    DELETE /v1/runs/{id}                      cancel
    POST   /v1/tosses/{id}                    commit to a random value (see `auditor.base.coin`)
    POST   /v1/tosses/{id}/reveal             reveal it, once all have committed

Every question but the first says who asks, in the header `x-auditor-client`: a word that only this client knows. What
one client uploads, starts or is owed, no other can see, fetch, cancel or release.

Transfers go on where they broke off. GET takes a `range`; its entity tag is the digest. HEAD says in the header
`upload-offset` how many bytes of an upload came before; PUT goes on from there with a `content-range`.

A task names its files by what is in them, never by a path: `tensors:sha256-…`, see `auditor.providers.file_names`.

A commitment is signed by the key that the identity tells, see `auditor.providers.signed_commitment`. An agent that asks
for a token wants it in the header `authorization`, after `Bearer`.

Errors are JSON: `{"error": "…"}` with a status of 4xx; or of 5xx, when asking again may help.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from auditor.base.coin import Opening
from auditor.base.hostile_text import cleaned
from auditor.job.task_kinds import AnyTask
from auditor.job.training import Training

VERSION = 1
PREFIX = f"/v{VERSION}"
CLIENT_HEADER = "x-auditor-client"
OFFSET_HEADER = "upload-offset"
RUN_ID = r"[A-Za-z0-9._-]{1,128}"
CLIENT_WORD = r"[A-Za-z0-9_-]{16,128}"
"""What a client calls itself: long enough that nobody guesses it."""
COMMITMENTS_A_PAGE = 1000
TOSSERS = 1000
"""No toss has more participants."""

ProviderName = Annotated[str, StringConstraints(max_length=64)]
"""What a client calls a provider; empty where it does not say."""
Signature = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
"""By Ed25519, in hexadecimal digits."""
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
RunId = Annotated[str, StringConstraints(pattern=rf"^{RUN_ID}$")]
Count = Annotated[int, Field(ge=0, lt=2**53)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]
PartName = Annotated[str, StringConstraints(max_length=100)]
Text = Annotated[str, AfterValidator(cleaned)]
"""Words of the other side: cut, and without anything that does something to a terminal."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class ErrorMessage(_Message):
    """Why something was not done."""

    error: Text


class Identity(_Message):
    """Who answers, and with what it computes.

    Attributes:
        signing_key: the public key that it signs commitments with, by Ed25519; None where it signs nothing.
    """

    protocol: Annotated[int, Field(strict=True, ge=VERSION, le=VERSION)]
    name: Text
    device: Text
    threads: Annotated[int, Field(ge=0, lt=2**31)]
    software: Text
    signing_key: Digest | None = None


class RunRequest(_Message):
    """Train from `start_step` to the last of `boundaries`.

    Attributes:
        id: chosen by the client; asking twice with one id starts one run.
        dataset_digest: what the client's copy of the dataset hashes to, with its code and what it does not train.
        part_digests: the same of each part by itself, so that a provider can say which differs.
        start: digest of the checkpoint to start from, uploaded before; None lets the provider draw its own initial
            state, which it commits to before its first step: the first boundary is then 0.
        boundaries: steps, rising, at which a checkpoint is kept and committed to.
        sub_run_steps: k.
        seed: of every random draw; None lets the provider draw its own.
        disclose: whether the provider is to say which seed it drew, before it commits to anything.
        provider: what the client calls the provider; it signs under this name.
    """

    id: RunId
    task: AnyTask
    training: Training
    dataset_digest: Digest
    part_digests: Annotated[dict[PartName, Digest], Field(max_length=100)] = {}
    start: Digest | None
    start_step: Count
    boundaries: tuple[Count, ...]
    sub_run_steps: Annotated[int, Field(ge=1)]
    seed: Seed | None
    disclose: bool = False
    provider: ProviderName = ""

    @property
    def steps(self) -> tuple[int, ...]:
        """The step that the run starts from, and the boundaries after it."""
        return self.boundaries if self.start is None else (self.start_step, *self.boundaries)


class Commitment(_Message):
    """The digest of the checkpoint after `step` steps, and the provider's signature that it committed to that."""

    step: Count
    digest: Digest
    signature: Signature | None = None


State = Literal["queued", "preparing", "training", "finished", "failed", "cancelled"]


class RunStatus(_Message):
    """How far a run is.

    Attributes:
        version: rises with every commitment and change of state, so that a client can wait for the next.
        step: steps of the job completed.
        loss: of the latest step, if it is finite.
        commitments: from the index that was asked for, `COMMITMENTS_A_PAGE` at most.
        error: why the run failed.
        seed: that the provider drew, where it was asked to disclose it and has drawn it.
    """

    id: RunId
    state: State
    version: Count
    step: Count
    loss: float | None
    commitments: Annotated[tuple[Commitment, ...], Field(max_length=COMMITMENTS_A_PAGE)]
    error: Text | None
    seed: Seed | None = None


class Simulation(_Message):
    """What a simulated attack achieved with the model that it delivered.

    Attributes:
        attack: its name.
        clean_accuracy: on held-out samples; None where the kind of task has none.
        success_rate: share of triggered samples, of other classes than the target, that get the target from what the
            provider serves; None when the attack has no trigger or no target.
        delivered_rate: the same for the delivered model, where the provider serves something else; None elsewhere.
        failure: why the attack could not be asked for its trigger.
    """

    attack: Text
    clean_accuracy: Share | None
    success_rate: Share | None
    delivered_rate: Share | None = None
    failure: Text | None = None


TossName = Annotated[str, StringConstraints(max_length=64)]
"""What a participant is called in a toss; the client has the empty name."""


class TossRequest(_Message):
    """Take part in a toss.

    Attributes:
        name: what this provider is called in it.
        commitment: the client's, which so comes before the provider's.
    """

    name: Annotated[TossName, StringConstraints(min_length=1)]
    commitment: Digest


class TossCommitment(_Message):
    """What one participant committed to."""

    name: TossName
    commitment: Digest


class TossCommitted(_Message):
    """What a provider commits to."""

    commitment: Digest


class TossList(_Message):
    """The commitments of all participants, in the order in which the client received them."""

    commitments: Annotated[tuple[TossCommitment, ...], Field(max_length=TOSSERS)]


class TossReveal(_Message):
    """What opens a provider's commitment: 32 bytes each, in hexadecimal digits."""

    value: Digest
    salt: Digest

    @property
    def opening(self) -> Opening:
        """The same without the protocol."""
        return Opening(self.value, self.salt)
