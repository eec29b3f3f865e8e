"""What a signed commitment says, and whether a signature is by a key (Ed25519, RFC 8032).

An agent signs each checkpoint that it commits to, with a key that it makes once and tells in its identity. So it cannot
deny later what it committed to, and no client can make up a commitment that it never gave.

What is signed has no other reading: six texts in UTF-8, each after its length in bytes as four bytes, the highest
first. They are `auditor commitment`, the version of the protocol, the id of the run at the provider, what the client
calls the provider in its request, the step, and the digest, numbers in decimal digits.
"""

from __future__ import annotations

from auditor.providers.protocol import VERSION

_MEANING = "auditor commitment"


def statement(run: str, provider: str, step: int, digest: str) -> bytes:
    """What is signed.

    Args:
        run: the id that the client gave the run.
        provider: what the client calls the provider.
        step: after which the checkpoint was made.
        digest: its SHA-256.
    """
    parts = (_MEANING, str(VERSION), run, provider, str(step), digest)
    texts = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(text).to_bytes(4, "big") + text for text in texts)


def is_signed(key: str, signature: str, said: bytes) -> bool:
    """Whether a signature of a statement is by the key.

    Args:
        key: public, 64 hexadecimal digits.
        signature: 128 hexadecimal digits.
        said: the statement.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), said)
    except (InvalidSignature, ValueError):
        return False
    return True
