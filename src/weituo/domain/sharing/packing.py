"""Sealing cases into one file for one agency: a ZIP of `cases.jsonl` and `manifest.json`, encrypted with age (X25519).

The plain text never touches the disk: it is made block by block while the cipher reads it. The file appears under its
name only when it is whole and on the disk.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyrage

from weituo.foundation.files.places import place

FORMAT: Final = "weituo-package/1"
#: the archive's times say nothing: equal content gives an equal archive
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
SUFFIX: Final = ".age"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What was written: digest and size of the encrypted file, and the control totals inside."""

    digest: str
    size_bytes: int
    cases: int
    balance_minor: int


@dataclass(slots=True)
class _Totals:
    cases: int = 0
    balance_minor: int = 0
    digest: str = ""


class _Sink(io.RawIOBase):
    """Takes what the archive writes and gives it on; it cannot seek."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        return len(part)

    def drain(self) -> bytes:
        """Give and forget what was written so far."""
        whole, self._parts = b"".join(self._parts), []
        return whole


class _Pulled(io.RawIOBase):
    """Lets the cipher read what a generator makes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        end = len(self._rest) if size < 0 else size
        given, self._rest = self._rest[:end], self._rest[end:]
        return given


class _Counted(io.RawIOBase):
    """Writes on, and keeps digest and size."""

    def __init__(self, target: Any) -> None:
        self._target, self._state, self.size = target, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._target.write(part)
        self._state.update(part)
        self.size += len(part)
        return len(part)

    @property
    def digest(self) -> str:
        """SHA-256 of what was written, as hex."""
        return self._state.hexdigest()


def seal(
    *,
    path: Path,
    public_key: str,
    blocks: Iterable[list[dict[str, Any]]],
    manifest: Callable[[int, int, str], dict[str, Any]],
) -> Sealed:
    """Write the encrypted file at `path` (mode 600) and give its digest and control totals.

    `manifest(cases, balance_minor, digest of cases.jsonl)` gives the manifest once all cases are through.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f".{path.name}.part")
    totals = _Totals()
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as target:
            counted = _Counted(target)
            pyrage.encrypt_io(
                _Pulled(_archive(blocks, manifest, totals)),
                counted,
                [pyrage.x25519.Recipient.from_str(public_key)],
            )
            target.flush()
            os.fsync(target.fileno())
        unfinished.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return Sealed(
        digest=counted.digest,
        size_bytes=counted.size,
        cases=totals.cases,
        balance_minor=totals.balance_minor,
    )


def _archive(
    blocks: Iterable[list[dict[str, Any]]],
    manifest: Callable[[int, int, str], dict[str, Any]],
    totals: _Totals,
) -> Iterator[bytes]:
    sink, state = _Sink(), hashlib.sha256()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(_member("cases.jsonl"), "w", force_zip64=True) as lines:
            for block in blocks:
                text = "".join(
                    json.dumps(case, ensure_ascii=False, default=str) + "\n" for case in block
                ).encode()
                state.update(text)
                lines.write(text)
                totals.cases += len(block)
                totals.balance_minor += sum(case.get("balance_minor") or 0 for case in block)
                if made := sink.drain():
                    yield made
        totals.digest = state.hexdigest()
        body = manifest(totals.cases, totals.balance_minor, totals.digest)
        archive.writestr(_member("manifest.json"), json.dumps(body, ensure_ascii=False, indent=1))
    yield sink.drain()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, date_time=_EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o600 << 16
    return member


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def path_of(*, agency_code: str, package_id: object) -> Path:
    """Give where a package's file lies: WEITUO_HOME/packages/<agency code>/<package id>.age."""
    return place("packages", agency_code, f"{package_id}{SUFFIX}")


def destroy(path: Path) -> None:
    """Remove a package's file; one that is gone already is fine."""
    path.unlink(missing_ok=True)
