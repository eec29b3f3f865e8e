"""Agents that others reach over a network: TLS, tokens, pins, and what a client is told when one of them is wrong."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import stat
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditor.job.endpoint import parse_endpoint
from auditor.providers.errors import Unreachable
from auditor.providers.probe import probe
from tests.command import Auditor, job_text
from tests.providers.remote import Reached, printed, remote_agent
from tests.warm_python import interpreter

TOKEN = "0123456789abcdefghij"


class Tap:
    """A proxy between a client and an agent that keeps every byte that it passes on."""

    def __init__(self, port: int, host: str) -> None:
        self._beyond = (host, port)
        self._loop = asyncio.new_event_loop()
        self.seen = bytearray()
        self.port = 0

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beyond, within = await asyncio.open_connection(*self._beyond)
        await asyncio.gather(self._pass_on(reader, within), self._pass_on(beyond, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while received := await reader.read(1 << 16):
                self.seen += received
                writer.write(received)
                await writer.drain()
        writer.close()

    @contextmanager
    def listening(self) -> Iterator[str]:
        """Its endpoint, while the context lasts."""
        server = self._loop.run_until_complete(asyncio.start_server(self._converse, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        try:
            yield f"https://127.0.0.1:{self.port}"
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()


@contextmanager
def malicious_agent(auditor: Auditor, name: str, host: str) -> Iterator[Reached]:
    folder = auditor.folder / f"{name}-state"
    process = subprocess.Popen(
        [interpreter(), "-m", "tests.providers.malicious_agent", name, host, str(folder)],
        env=auditor.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield printed(process, auditor.folder, folder, name)
    finally:
        process.terminate()
        process.communicate()


def host_and_port(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("https://").rpartition(":")
    return host, int(port)


@pytest.mark.slow
def test_two_remote_agents_are_audited_and_nothing_of_it_travels_in_the_clear(auditor: Auditor) -> None:
    with ExitStack() as stack:
        honest = stack.enter_context(remote_agent(auditor, "honest", "127.0.0.2"))
        malicious = stack.enter_context(malicious_agent(auditor, "malicious", "127.0.0.3"))
        taps, urls = [], []
        for reached in (malicious, honest):
            host, port = host_and_port(reached.url)
            taps.append(Tap(port, host))
            urls.append(stack.enter_context(taps[-1].listening()))
        # One is registered, and the other one is named in the job with all that it takes.
        assert auditor.here(*malicious.registration).code == 0
        assert auditor.here("provider", "add", "malicious", urls[0], *malicious.registration[4:]).code == 0
        text = job_text(endpoints={"a": "malicious", "b": urls[1]}, audit="fixed_selection = [0, 1, 2]")
        named = honest.keys().replace(honest.url, urls[1])
        (auditor.folder / "job.toml").write_text(text.replace(f'endpoint = "{urls[1]}"', named))
        result = auditor.here("run", "job.toml", "--json")

    assert result.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent"}, result.stderr[-2000:]
    seen = bytes(taps[0].seen + taps[1].seen)
    assert len(seen) > 4 * 633_056, "checkpoints went through the taps"
    tokens = [(reached.folder / "token").read_bytes().strip() for reached in (honest, malicious)]
    digests = {event["digest"] for event in result.events if event.get("digest")}
    weights = next((auditor.home / "runs").rglob("blobs/*")).read_bytes()
    secrets = [*tokens, *(digest.encode() for digest in digests), weights[-64:], weights[:16], weights[9000:9064]]
    assert len(digests) >= 4
    for plain in [*secrets, b"HTTP/1.1", b"authorization", b"x-auditor-client", b'"digest"', b"/v1/"]:
        assert plain not in seen, plain

    signed = [event for event in result.events if event["event"] in ("committed", "replica_returned")]
    assert all(event["signature"] for event in signed if event.get("boundary") != 0)
    listed = {entry["name"]: entry for entry in auditor.here("provider", "list", "--json").events}
    ready = {event["provider"]: event for event in result.events if event["event"] == "provider_ready"}
    assert ready["a"]["key_trust"] == "first use"
    assert listed["malicious"]["signing_key"] == ready["a"]["signing_key"], "the first key that was seen is pinned"
    for reached, token in zip((honest, malicious), tokens, strict=True):
        words = "".join(path.read_text(errors="replace") for path in reached.folder.rglob("log*"))
        assert token.decode() not in result.stdout + result.stderr + words
        assert token not in (auditor.home / "auditor.db").read_bytes()
    verified = auditor.here("verify", "last")
    assert verified.code == 0, verified.stdout
    report = auditor.here("report", "last", "--format", "json")
    assert not any(token.decode() in report.stdout for token in tokens)


@pytest.mark.slow
def test_what_is_wrong_is_said_in_one_line(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # whoever used it would reach nobody
    own, printed_by_owner = self_signed(auditor.folder, datetime.now(UTC) + timedelta(days=1))
    shown = ("--certificate", str(own), "--key", str(own))
    with remote_agent(auditor, "north", "127.0.0.2", *shown) as reached:
        assert reached.fingerprint == printed_by_owner
        assert auditor.here(*reached.registration).code == 0
        assert auditor.here("provider", "test", "north").code == 0
        token = str(reached.token_file)
        process = Path(f"/proc/{reached.process.pid}")
        if process.exists():  # on Linux
            around = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            assert Path(token).read_bytes().strip() not in around
        (auditor.folder / "other.token").touch(0o600)
        (auditor.folder / "other.token").write_text(TOKEN)
        fingerprint = str(reached.fingerprint)
        wrong = {
            "pin": ((reached.url, "--token-file", token, "--fingerprint", "a" * 64), "shows a certificate with the"),
            "token": (
                (reached.url, "--token-file", "other.token", "--fingerprint", fingerprint),
                "does not accept the",
            ),
            "no token": ((reached.url, "--fingerprint", fingerprint), "it asks for a token"),
            "no pin": ((reached.url, "--token-file", token), "give the fingerprint that it printed"),
            "plain": ((reached.url.replace("https", "http"), "--token-file", token), "begins with https://"),
            "name": (("https://nowhere.invalid:1", "--token-file", token), "does not resolve"),
        }
        for name, (arguments, words) in wrong.items():
            assert auditor.here("provider", "add", name, *arguments).code == 0
            done = auditor.here("provider", "test", name)
            assert done.code == 3, name
            assert done.stderr.count("\n") == 1, done.stderr
            assert words in done.stderr, done.stderr
        Path(token).chmod(0o644)
        done = auditor.here("provider", "test", "north")
        assert (done.code, "other users can read the token file" in done.stderr) == (3, True), done.stderr
        # The other provider that an audit needs is not reached: nothing can be compared.
        job = auditor.job(providers=["a", "b"], endpoints={"b": "token"}, steps=10, audit="fixed_selection = [0]")
        few = auditor.here("run", job)
        assert (few.code, "does not accept the token" in few.stderr) == (3, True), few.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["http://gpu.example.org:80"], "it is for this machine alone"),
        (["https://user:secret@gpu.example.org"], "is not an endpoint"),
        (["local:cpu", "--token-file", "t"], "asks for a token; local:cpu does not"),
        (["unix:s", "--fingerprint", "a" * 64], "has no fingerprint"),
        (["http://127.0.0.1:1", "--fingerprint", "a" * 64], "has no fingerprint"),
        (["https://a:1", "--fingerprint", "abc"], "is not a fingerprint"),
        (["https://a:1", "--token-file", "gone"], "the token file"),
        (["local:cpu", "--signing-key", "a" * 64], "leave out the signing key"),
    ],
)
def test_what_does_not_fit_an_endpoint_is_refused(auditor: Auditor, arguments: list[str], words: str) -> None:
    done = auditor.here("provider", "add", "x", *arguments)
    assert (done.code, words in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--listen", "0.0.0.0:0", "--no-token"], "is for this machine alone"),
        (["--listen", "0.0.0.0:0", "--no-tls"], "is for this machine alone"),
        (["--listen", "127.0.0.1"], "give a host and a port"),
        (["--listen", "127.0.0.1:99999"], "give a host and a port"),
        (["--listen", "127.0.0.1:0", "--certificate", "c.pem"], "belong together"),
        (["--listen", "127.0.0.1:0", "--certificate", "c.pem", "--key", "k.pem"], "cannot be used"),
        (["--listen", "nowhere.invalid:1"], "has no address"),
        (["--socket", "a.sock", "--no-token"], "belong to --listen"),
        (["--socket", "a.sock", "--listen", "127.0.0.1:0"], "either --socket PATH or --listen"),
        ([], "either --socket PATH or --listen"),
    ],
)
def test_an_agent_that_cannot_be_reached_safely_does_not_listen(
    auditor: Auditor, arguments: list[str], words: str
) -> None:
    refused = auditor.here("agent", *arguments)
    assert (refused.code, words in refused.stderr) == (2, True), refused.stderr


def self_signed(folder: Path, ends: datetime) -> tuple[Path, str]:
    """A certificate that ends then, with its key in one file, and its fingerprint."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(ends - timedelta(days=2)).not_valid_after(ends)
    made = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path, made.fingerprint(hashes.SHA256()).hex()


@asynccontextmanager
async def answering(answer: bytes, certificate: Path | None) -> AsyncIterator[str]:
    """The endpoint of a server that answers every request with these bytes."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answered, "127.0.0.1", 0, ssl=context) as server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(("days", "words"), [(-1, "its certificate expired on"), (5, "check the clocks")])
async def test_a_pinned_certificate_is_trusted_while_it_is_valid(tmp_path: Path, days: int, words: str) -> None:
    shown, fingerprint = self_signed(tmp_path, datetime.now(UTC) + timedelta(days=days))
    async with answering(b"", shown) as url:
        with pytest.raises(Unreachable, match=words):
            await probe(parse_endpoint(url, None, fingerprint))


async def test_no_redirect_is_followed_and_the_token_goes_nowhere_else(tmp_path: Path) -> None:
    shown, fingerprint = self_signed(tmp_path, datetime.now(UTC) + timedelta(days=1))
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text(TOKEN)
    asked = []

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1000))
        writer.close()

    async with await asyncio.start_server(other, "127.0.0.1", 0) as elsewhere:
        port = elsewhere.sockets[0].getsockname()[1]
        head = f"HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:{port}/\r\ncontent-length: 0\r\n\r\n"
        async with answering(head.encode(), shown) as url:
            with pytest.raises(Unreachable, match="HTTP status 307, which is not followed"):
                await probe(parse_endpoint(url, str(token), fingerprint))
    assert not asked


async def test_what_speaks_no_tls_gets_no_token() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n", None) as url:
        with pytest.raises(Unreachable, match="does not speak TLS"):
            await probe(parse_endpoint(url, None, "a" * 64))


@pytest.mark.slow
def test_an_agent_keeps_its_token_its_certificate_and_its_key(auditor: Auditor) -> None:
    found = []
    for _ in range(2):
        with remote_agent(auditor, "kept", "127.0.0.2") as reached:
            (entry,) = [*map(json.loads, _tested(auditor, reached).splitlines())]
            token = (reached.folder / "token").read_text().strip()
            found.append((token, reached.fingerprint, entry["signing_key"]))
        assert reached.process.stderr is not None
    assert found[0] == found[1]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in reached.folder.iterdir() if path.is_file()}
    secret = {modes[name] for name in ("token", "certificate.key", "signing.key")}
    assert secret == {0o600}
    assert re.fullmatch(r"[\w-]{43}", found[0][0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "options", "begins"),
    [("127.0.0.2", ("--no-tls", "--no-token"), "http://127.0.0.2:"), ("[::1]", ("--no-token",), "https://[::1]:")],
)
async def test_on_its_own_machine_an_agent_may_do_without(
    auditor: Auditor, host: str, options: tuple[str, ...], begins: str
) -> None:
    if host == "[::1]" and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    with remote_agent(auditor, "near", host, *options) as reached:
        assert reached.url.startswith(begins)
        assert reached.token_file is None
        assert auditor.here(*reached.registration).code == 0
        assert (await probe(reached.where)).device == "cpu"


def _tested(auditor: Auditor, reached: Reached) -> str:
    """Register it and test it; what the registry knows then."""
    assert auditor.here(*reached.registration).code == 0
    done = auditor.here("provider", "test", "kept")
    assert (done.code, "its signing key is" in done.stdout) == (0, True), done.stderr
    return auditor.here("provider", "list", "--json").stdout
