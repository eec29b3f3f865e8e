"""Names, headers, tokens and certificates that others send: exactly of their form, or refused."""

from __future__ import annotations

import datetime
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from auditor.job.endpoint import normal_fingerprint, parse_endpoint
from auditor.job.vision import VisionTask
from auditor.providers.agent.access_token import lets_in
from auditor.providers.agent.transfers import first_byte
from auditor.providers.file_names import NotOffered, found_task, name_of
from auditor.providers.json_reader import Nonsense
from auditor.providers.pinned_tls import UntrustedCertificate, validity
from auditor.providers.protocol import OFFSET_HEADER
from auditor.providers.token_file import TOKEN, BadTokenFile, read_token
from auditor.providers.transfers import Upload
from auditor.store.blobs import BlobError, BlobFolder
from tests.properties.foreign import damaged, is_plain, texts

DIGITS = st.text("0123456789abcdef", min_size=63, max_size=65)


@given(name=texts() | DIGITS)
def test_a_digest_names_a_file_in_the_folder_and_nothing_else_does(name: str, tmp_path: Path) -> None:
    folder = BlobFolder(tmp_path)
    try:
        path = folder.path(name)
    except BlobError:
        for use in (folder.has, folder.remove, folder.begun):
            with pytest.raises(BlobError):
                use(name)
        return
    assert (path.parent, len(name)) == (tmp_path, 64)
    assert not folder.has(name)


RANGES = st.builds(
    "{} {}-{}/{}".format,
    st.sampled_from(["bytes", "Bytes", "", "bits"]),
    *[st.integers(-1, 10**20) | texts(5)] * 2,
    st.integers(-1, 10**20) | st.sampled_from(["*", ""]),
)


@given(header=texts() | RANGES | st.builds("bytes {}-{}/*".format, *[st.integers(0, 10**17)] * 2))
def test_a_range_begins_somewhere_or_is_none(header: str) -> None:
    try:
        first = first_byte(header)
    except Nonsense as error:
        assert is_plain(str(error))
        return
    assert 0 <= first < 10**18
    assert header.startswith("bytes ")


@given(told=texts(30) | st.integers(-5, 3000).map(str), status=st.sampled_from([200, 404, 500]))
def test_an_upload_goes_on_within_its_file_whatever_is_told(told: str, status: int, tmp_path: Path) -> None:
    (path := tmp_path / "f").write_bytes(bytes(1000))
    upload = Upload(path, "0" * 64)
    try:
        answer = httpx.Response(status, headers={OFFSET_HEADER: told})
    except UnicodeEncodeError:
        return
    assert upload.is_needed(answer) == (status != 200)
    assert 0 < int(upload.headers["content-length"]) <= 1000


@given(content=st.binary(max_size=200) | texts(50).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_a_token_file_holds_a_token_or_an_error_says_so_without_showing_it(content: bytes, tmp_path: Path) -> None:
    (path := tmp_path / "token").write_bytes(content)
    path.chmod(0o600)
    try:
        token = read_token(path)
    except BadTokenFile as error:
        assert len(content) < 16 or content.decode("latin-1") not in str(error)
        return
    assert TOKEN.fullmatch(token)
    assert token.encode() == content.strip()


@given(header=st.none() | texts(60) | texts(60).map("Bearer {}".format))
def test_nobody_gets_in_by_chance(header: str | None) -> None:
    assert not lets_in(header, bytes(32))


@given(text=texts() | DIGITS | st.lists(st.text("0123456789ABCDEFabcdef", min_size=2, max_size=2)).map(":".join))
def test_a_fingerprint_is_64_digits_or_refused(text: str) -> None:
    try:
        digits = normal_fingerprint(text)
    except ValueError:
        return
    assert (len(digits), normal_fingerprint(digits)) == (64, digits)


@given(text=texts() | st.builds("{}:{}".format, st.sampled_from(["unix", "local", "https", "http"]), texts(40)))
def test_an_endpoint_is_one_or_refused(text: str) -> None:
    try:
        parse_endpoint(text)
    except ValueError as error:
        assert len(str(error)) < 20 * len(text) + 1000


@given(name=texts())
def test_a_task_opens_nothing_that_is_not_offered(name: str) -> None:
    asked: list[str] = []
    task = VisionTask(kind="vision", dataset="digits").model_copy(update={"dataset": f"tensors:{name}"})
    with pytest.raises(NotOffered) as error:
        found_task(task, lambda wanted: asked.append(wanted), downloads=False)
    assert is_plain(str(error.value))
    assert not asked or asked[0].startswith("sha256-")
    if "/dev" not in name:
        name_of(Path(name))


KEY = Ed25519PrivateKey.generate()
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "agent")])
CERTIFICATE = (
    x509.CertificateBuilder(NAME, NAME, KEY.public_key(), 5)
    .not_valid_before(datetime.datetime(2020, 1, 1))
    .not_valid_after(datetime.datetime(2030, 1, 1))
    .sign(KEY, None)
    .public_bytes(serialization.Encoding.DER)
)


@given(shown=damaged(CERTIFICATE) | st.binary(max_size=300))
def test_a_certificate_has_dates_or_cannot_be_read(shown: bytes) -> None:
    try:
        begins, ends = validity(shown)
    except UntrustedCertificate:
        return
    assert begins.tzinfo is not None
    assert ends.tzinfo is not None
