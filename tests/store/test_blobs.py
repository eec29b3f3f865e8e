"""A blob is there entirely, under the digest of its bytes, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.store import BlobError, BlobFolder

BYTES = b"weights" * 1000
DIGEST = hashlib.sha256(BYTES).hexdigest()


def test_a_blob_is_found_under_the_digest_of_its_bytes(tmp_path: Path) -> None:
    folder = BlobFolder(tmp_path / "blobs")
    assert not folder.has(DIGEST)
    assert folder.add([BYTES[:10], memoryview(BYTES)[10:]]) == DIGEST
    assert folder.has(DIGEST)
    assert folder.path(DIGEST).read_bytes() == BYTES


def test_adding_twice_keeps_one_file(tmp_path: Path) -> None:
    folder = BlobFolder(tmp_path)
    assert folder.add([BYTES]) == folder.add([BYTES])
    assert [path.name for path in tmp_path.iterdir()] == [DIGEST]


def test_bytes_with_another_digest_than_announced_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    folder = BlobFolder(tmp_path)
    with folder.receive() as incoming:
        incoming.write(BYTES + b"!")
        with pytest.raises(BlobError, match=DIGEST[:12]):
            incoming.keep(DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_a_blob_that_is_not_kept_leaves_nothing(tmp_path: Path) -> None:
    folder = BlobFolder(tmp_path)
    with folder.receive() as incoming:
        incoming.write(BYTES)
        assert incoming.size == len(BYTES)
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_halfway_leaves_nothing(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield BYTES
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        BlobFolder(tmp_path).add(pieces())
    assert list(tmp_path.iterdir()) == []


def test_a_removed_blob_is_gone_and_removing_it_again_is_no_error(tmp_path: Path) -> None:
    folder = BlobFolder(tmp_path)
    folder.add([BYTES])
    folder.remove(DIGEST)
    folder.remove(DIGEST)
    assert not folder.has(DIGEST)


@pytest.mark.parametrize(
    "digest",
    [
        "",
        "../../etc/passwd",
        "/etc/passwd",
        DIGEST.upper(),
        DIGEST[:-1],
        DIGEST + "0",
        DIGEST + "\n",
        "g" * 64,
        "." * 64,
    ],
)
def test_what_is_no_digest_never_becomes_a_path(tmp_path: Path, digest: str) -> None:
    folder = BlobFolder(tmp_path)
    for use in (folder.path, folder.has, folder.remove):
        with pytest.raises(BlobError, match="64 hexadecimal digits"):
            use(digest)


def flip_a_bit(path: Path) -> None:
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)


def test_a_blob_with_a_flipped_bit_is_not_there_and_is_removed(tmp_path: Path) -> None:
    BlobFolder(tmp_path).add([BYTES])
    flip_a_bit(tmp_path / DIGEST)
    assert not BlobFolder(tmp_path).has(DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_a_blob_that_changes_after_it_was_verified_is_noticed(tmp_path: Path) -> None:
    folder = BlobFolder(tmp_path)
    folder.add([BYTES])
    assert folder.has(DIGEST)
    flip_a_bit(tmp_path / DIGEST)
    assert not folder.has(DIGEST)
    folder.add([BYTES])
    assert folder.has(DIGEST)


def test_a_folder_in_the_place_of_a_blob_is_none(tmp_path: Path) -> None:
    (tmp_path / DIGEST).mkdir()
    assert not BlobFolder(tmp_path).has(DIGEST)
