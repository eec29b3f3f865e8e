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
from auditor.job.endpoint import Endpoint, RegisteredEndpoint, absolute_endpoint, parse_endpoint
from auditor.job.names import Name


class Provider(Frozen):
    """A provider that trains for the client."""

    name: Name
    endpoint: str
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

    def relative_to(self, folder: Path) -> Provider:
        """The same provider with the path of its socket resolved against `folder`, where the job file lies."""
        return self.model_copy(update={"endpoint": absolute_endpoint(self.endpoint, folder)})

    @property
    def where(self) -> Endpoint:
        """The endpoint, read."""
        return parse_endpoint(self.endpoint)

    def attack_in(self, update: int) -> AttackUse | None:
        """The attack that it simulates in an update of an evolving job; None where it trains honestly."""
        attack = self.attack
        if attack is None or (attack.updates is not None and update not in attack.updates):
            return None
        return attack.model_copy(update={"updates": None})

    @model_validator(mode="after")
    def _attacks_are_local(self) -> Self:
        # Whether a registered provider is local is known when its name is looked up.
        if self.attack is not None and not (self.where.ours or isinstance(self.where, RegisteredEndpoint)):
            raise PydanticCustomError(
                "attack",
                "only a local provider (local:cpu or local:cuda:N) can simulate an attack.",
                {"key": "attack"},
            )
        return self
