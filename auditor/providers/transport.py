"""How bytes get to an agent and back: over a Unix socket, over TLS, or over a port of this machine.

Proxies that the environment names are not used, and redirects are not followed.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ssl import PROTOCOL_TLS_CLIENT, SSLCertVerificationError, SSLContext, SSLError

import httpx

from auditor.base.hostile_text import cleaned
from auditor.job.endpoint import Address, HttpsEndpoint, LoopbackEndpoint, UnixEndpoint
from auditor.providers.errors import Broken, Unreachable
from auditor.providers.pinned_tls import PinnedContext
from auditor.providers.token_file import BadTokenFile, read_token

CONNECT_SECONDS = 10.0


def transport_to(address: Address) -> tuple[httpx.AsyncHTTPTransport, str]:
    """What carries requests to an address, and the beginning of their URLs."""
    if isinstance(address, UnixEndpoint):
        # Nothing is encrypted here, and reading all certificate authorities takes a twentieth of a second.
        unused = SSLContext(PROTOCOL_TLS_CLIENT)
        return httpx.AsyncHTTPTransport(uds=str(address.path), verify=unused), "http://provider"
    if isinstance(address, LoopbackEndpoint):
        return httpx.AsyncHTTPTransport(verify=SSLContext(PROTOCOL_TLS_CLIENT)), address.url
    if address.fingerprint is not None:
        return httpx.AsyncHTTPTransport(verify=PinnedContext(address.fingerprint)), address.url
    return httpx.AsyncHTTPTransport(retries=1), address.url


def credentials(address: Address) -> dict[str, str]:
    """The headers that get a client in; read anew each time, so that a token can be changed while an audit runs.

    Raises:
        Unreachable: the token cannot be read.
    """
    if isinstance(address, UnixEndpoint) or address.token_file is None:
        return {}
    try:
        return {"authorization": f"Bearer {read_token(address.token_file)}"}
    except BadTokenFile as error:
        raise Unreachable(str(error)) from None


def admitted(answer: httpx.Response, address: Address) -> None:
    """Let an answer pass whose sender lets this client in.

    Raises:
        Unreachable: it wants another token.
        Broken: it wants fewer requests.
    """
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        token = None if isinstance(address, UnixEndpoint) else address.token_file
        if token is None:
            raise Unreachable("it asks for a token; give the file that holds it with --token-file, or as token_file")
        raise Unreachable(f"it does not accept the token in {token}; ask its owner for the present one")
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise Broken("it takes no more requests for the moment")


def broken(error: httpx.HTTPError, address: Address) -> Unreachable:
    """What came between a request and its answer, in words that say what to do."""
    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, SSLCertVerificationError):
            return Unreachable(_untrusted(cause, address))
        if isinstance(cause, SSLError) and isinstance(address, HttpsEndpoint):
            return Unreachable(
                f"what listens at {address.url} does not speak TLS; check host and port (an agent on this machine "
                "without TLS has an endpoint that begins with http://)"
            )
        if isinstance(cause, socket.gaierror):
            return Broken(cleaned(f"the name in {_url(address)} does not resolve ({cause.strerror}); check the host"))
    if isinstance(error, httpx.RemoteProtocolError):
        return Broken(cleaned(f"the connection broke: {str(error).rstrip('.')}{_plain_hint(address)}"))
    if isinstance(error, httpx.NetworkError):
        return Broken(cleaned(f"no connection: {error}"))
    if isinstance(error, httpx.TimeoutException):
        return Broken(f"no connection within {CONNECT_SECONDS:g} s")
    return Unreachable(cleaned(f"no connection: {error}"))


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(10):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__


def _untrusted(error: SSLCertVerificationError, address: Address) -> str:
    if isinstance(address, HttpsEndpoint) and address.fingerprint is not None:
        return cleaned(error.strerror or error)
    return cleaned(
        f"no connection: certificate verify failed: {error.verify_message}; if the agent made its certificate itself, "
        "give the fingerprint that it printed, with --fingerprint or as fingerprint"
    )


def _plain_hint(address: Address) -> str:
    if not isinstance(address, LoopbackEndpoint):
        return ""
    return "; if the agent uses TLS, its endpoint begins with https://"


def _url(address: Address) -> str:
    return "its endpoint" if isinstance(address, UnixEndpoint) else address.url
