"""TLS with one certificate that is known beforehand, and no authority: the certificate is pinned by its SHA-256."""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime
from typing import Self, cast


class UntrustedCertificate(ssl.SSLCertVerificationError):
    """A certificate that is not the pinned one, or that is not valid now; the message says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(1, message)


class _PinnedConnection(ssl.SSLObject):
    """Ends the handshake, before a byte of any request went, unless the certificate is the one."""

    def do_handshake(self) -> None:
        super().do_handshake()
        cast(PinnedContext, self.context).check(self.getpeercert(binary_form=True) or b"")


class PinnedContext(ssl.SSLContext):
    """Trusts one certificate, whoever signed it and whatever name it has, while it is valid.

    Args:
        fingerprint: its SHA-256 in DER, 64 hexadecimal digits.
    """

    sslobject_class = _PinnedConnection
    fingerprint: str

    def __new__(cls, fingerprint: str) -> Self:
        """A context for clients; `ssl.SSLContext` is made in `__new__`, too."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE  # `check` is stricter
        made.fingerprint = fingerprint
        return made

    def check(self, certificate: bytes) -> None:
        """Make sure that a certificate is the pinned one and valid now.

        Raises:
            UntrustedCertificate: it is not.
        """
        shown = hashlib.sha256(certificate).hexdigest()
        if shown != self.fingerprint:
            raise UntrustedCertificate(
                f"it shows a certificate with the fingerprint {shown}, and {self.fingerprint} is expected; ask its "
                "owner which is right, and register it again only if the certificate was renewed"
            )
        begins, ends = validity(certificate)
        now = datetime.now(UTC)
        if now > ends:
            raise UntrustedCertificate(
                f"its certificate expired on {ends:%Y-%m-%d}; its owner must renew it and tell you the new fingerprint"
            )
        if now < begins:
            raise UntrustedCertificate(
                f"its certificate is valid from {begins:%Y-%m-%d %H:%M} UTC on; check the clocks of both machines"
            )


def validity(certificate: bytes) -> tuple[datetime, datetime]:
    """From when to when a certificate in DER is valid.

    Raises:
        UntrustedCertificate: it is none.
    """
    from cryptography import x509

    try:
        read = x509.load_der_x509_certificate(certificate)
    except ValueError:
        raise UntrustedCertificate("its certificate cannot be read") from None
    return read.not_valid_before_utc, read.not_valid_after_utc
