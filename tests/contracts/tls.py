"""A reverse proxy that speaks TLS, as it stands before an agent that others reach, with a certificate of its own."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no `openssl` makes certificates here")


def certificate(folder: Path) -> Path:
    """A file with a new key and the certificate of `localhost` that it signed itself."""
    path = folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    about = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    made = subprocess.run([*command, *about, "-keyout", path, "-out", folder / "public.pem"], capture_output=True)
    assert made.returncode == 0, made.stderr
    path.write_bytes(path.read_bytes() + (folder / "public.pem").read_bytes())
    return path


@asynccontextmanager
async def proxy(socket: Path, shown: Path) -> AsyncIterator[str]:
    """The address at which bytes go to a Unix socket and back, encrypted, while the context lasts.

    Args:
        socket: of an agent.
        shown: the certificate, with its key.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(shown)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            beyond, within = await asyncio.open_unix_connection(socket)
        except OSError:  # nobody is there yet
            writer.close()
            return
        await asyncio.gather(_pass_on(reader, within), _pass_on(beyond, writer))

    async with await asyncio.start_server(converse, "localhost", 0, ssl=context) as server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while received := await reader.read(1 << 16):
            writer.write(received)
            await writer.drain()
    writer.close()
