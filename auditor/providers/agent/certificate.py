"""The certificate that an agent shows: one that its owner has, or one that it made itself at its first start."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auditor.providers.agent.kept_files import kept_file
from auditor.providers.agent.private_socket import CannotListen
from auditor.providers.pinned_tls import UntrustedCertificate, validity

CERTIFICATE, KEY = "certificate.pem", "certificate.key"
VALID_DAYS = 3650
"""Clients pin it, so that there is no authority that would make a new one every few months."""


@dataclass(frozen=True)
class Certificate:
    """Files in PEM.

    Attributes:
        path: of the certificate, with those of the authorities after it.
        key: of its private key.
    """

    path: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate, for clients to pin."""
        return hashlib.sha256(self._read()).hexdigest()

    def check(self) -> None:
        """Make sure that a server can use it, and that it is valid now.

        Raises:
            CannotListen: it cannot.
        """
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.path, self.key, password="")
            begins, ends = validity(self._read())
        except UntrustedCertificate as error:
            raise CannotListen(f"{self.path}: {error.strerror}") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise CannotListen(
                f"the certificate {self.path} and the key {self.key} cannot be used ({reason}); both must be in PEM, "
                "without a password"
            ) from None
        if not begins <= datetime.now(UTC) <= ends:
            raise CannotListen(
                f"the certificate {self.path} is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d} only; renew it (one "
                "that the agent made is made anew once both its files are removed) and tell clients its fingerprint"
            )

    def _read(self) -> bytes:
        text = self.path.read_text("ascii", "replace")
        end = "-----END CERTIFICATE-----"
        begin, ended = text.find("-----BEGIN CERTIFICATE-----"), text.find(end)
        return ssl.PEM_cert_to_DER_cert(text[begin : ended + len(end)])


def own_certificate(folder: Path, name: str, host: str) -> Certificate:
    """The certificate that an agent made for itself; it is made if there is none.

    Args:
        folder: of the agent.
        name: of the agent, which becomes the subject's.
        host: under which clients reach it.

    Raises:
        OSError: it cannot be made.
    """
    made: list[tuple[str, str]] = []

    def part(index: int) -> str:
        if not made:
            made.append(_make(name, host))
        return made[0][index]

    if not (folder / CERTIFICATE).exists():  # what a crash left of an earlier attempt
        (folder / KEY).unlink(missing_ok=True)
    key = kept_file(folder, KEY, lambda: part(1))
    return Certificate(kept_file(folder, CERTIFICATE, lambda: part(0)), key)


def _make(name: str, host: str) -> tuple[str, str]:
    """A new self-signed certificate and its private key, both in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names: list[x509.GeneralName] = []
    with suppress(ValueError):
        names.append(x509.IPAddress(ipaddress.ip_address(host)))
    if not names and host.isascii():
        names.append(x509.DNSName(host))
    begins = datetime.now(UTC) - timedelta(days=1)  # clocks differ
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signed.public_bytes(serialization.Encoding.PEM).decode(), private.decode()
