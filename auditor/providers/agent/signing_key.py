"""The key that an agent signs its commitments with: made at its first start, and kept in its own folder."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.providers.agent.kept_files import kept
from auditor.providers.signed_commitment import statement

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAME = "signing.key"


class SigningKey:
    """An Ed25519 key, made when it is first needed.

    Args:
        folder: of the agent.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def public(self) -> str:
        """What others check signatures with, 64 hexadecimal digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def commitment(self, run: str, provider: str, step: int, digest: str) -> str:
        """The signature of a commitment, 128 hexadecimal digits; see `auditor.providers.signed_commitment`."""
        return self._key.sign(statement(run, provider, step, digest)).hex()

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        def make() -> str:
            return (
                Ed25519PrivateKey.generate()
                .private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
                .decode()
            )

        read = serialization.load_pem_private_key(kept(self._folder, NAME, make).encode(), password=None)
        if not isinstance(read, Ed25519PrivateKey):
            raise ValueError(f"{self._folder / NAME} holds another kind of key")
        return read
