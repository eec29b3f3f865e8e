"""A provider as a job names it: an entry of [[providers]]."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import (
    Field,
    NonNegativeFloat,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from auditor.base.frozen import Frozen
from auditor.job.attack_use import AttackUse
from auditor.job.endpoint import (
    Endpoint,
    RegisteredEndpoint,
    absolute_endpoint,
    normal_fingerprint,
    parse_endpoint,
)
from auditor.job.names import Name


class Provider(Frozen):
    """A provider that trains for the client."""

    name: Name
    endpoint: str
    token_file: str | None = Field(
        default=None,
        description="the file that holds the token of an agent at `https://host:port`; relative to the job file",
    )
    fingerprint: str | None = Field(
        default=None,
        description="the SHA-256 of the certificate that this agent must show, as `auditor agent` prints it; without "
        "it, a certificate that an authority of this system vouches for will do",
    )
    signing_key: str | None = Field(
        default=None,
        description="the public key that this agent must sign its commitments with, as `auditor provider test` shows "
        "it; without it, the first key that the agent shows in a run is trusted",
    )
    primary: bool = False
    price_per_hour: NonNegativeFloat | None = Field(default=None, description="dollars")
    attack: AttackUse | None = Field(
        default=None,
        description="simulate a malicious provider; local providers only; in an evolving job, `updates = [1, 3]` "
        "beside its options says in which updates it acts, and without it acts in all",
    )

    @field_validator("endpoint")
    @classmethod
    def _known_endpoint(cls, value: str) -> str:
        try:
            parse_endpoint(value)
        except ValueError as error:
            raise PydanticCustomError(
                "endpoint",
                "{error}.",
                {"error": str(error), "value": value, "known": ["local:cpu", "local:cuda:0"]},
            ) from None
        return value

    @field_validator("fingerprint", "signing_key")
    @classmethod
    def _digits(cls, value: str | None) -> str | None:
        try:
            return value and normal_fingerprint(value)
        except ValueError as error:
            raise PydanticCustomError("digits", "{error}.", {"error": str(error), "value": value}) from None

    def relative_to(self, folder: Path) -> Provider:
        """The same provider with the paths of its socket and token resolved against `folder`, of the job file."""
        token = self.token_file and str((folder / Path(self.token_file).expanduser()).resolve())
        return self.model_copy(update={"endpoint": absolute_endpoint(self.endpoint, folder), "token_file": token})

    @property
    def where(self) -> Endpoint:
        """The endpoint, read, with what it takes to get in."""
        return parse_endpoint(self.endpoint, self.token_file, self.fingerprint)

    def attack_in(self, update: int) -> AttackUse | None:
        """The attack that it simulates in an update of an evolving job; None where it trains honestly."""
        attack = self.attack
        if attack is None or (attack.updates is not None and update not in attack.updates):
            return None
        return attack.model_copy(update={"updates": None})

    @model_validator(mode="after")
    def _access_fits(self) -> Self:
        given = [key for key in ("token_file", "fingerprint", "signing_key") if getattr(self, key) is not None]
        if given and isinstance(parse_endpoint(self.endpoint), RegisteredEndpoint):
            raise PydanticCustomError(
                "access",
                "the registry knows this of a registered provider; change it with `auditor provider add`.",
                {"key": given[0]},
            )
        if "signing_key" in given and parse_endpoint(self.endpoint).ours:
            raise PydanticCustomError("access", "auditor itself starts local providers.", {"key": "signing_key"})
        try:
            _ = self.where
        except ValueError as error:
            raise PydanticCustomError("access", "{error}.", {"error": str(error), "key": given[0]}) from None
        return self

    @model_validator(mode="after")
    def _attacks_are_local(self) -> Self:
        # Whether a registered provider is local is known when its name is looked up.
        if self.attack is not None and not (self.where.attackable or isinstance(self.where, RegisteredEndpoint)):
            raise PydanticCustomError(
                "attack",
                "only a local provider (local:cpu or local:cuda:N) can simulate an attack.",
                {"key": "attack"},
            )
        return self
