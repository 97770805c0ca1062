"""Master keys. The file keyring is the default; a key-management service implements the same three methods."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap


class MasterKeys(Protocol):
    """What the vault asks of a key store: wrap and unwrap 32-byte data keys, and derive named secrets."""

    version: int

    def wrap(self, data_key: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, *, version: int) -> bytes: ...

    def secret(self, name: str) -> bytes: ...


class FileKeyring:
    """Master keys in one JSON file (mode 600): {"current": 1, "keys": {"1": hex}}."""

    def __init__(self, path: Path) -> None:
        body = json.loads(path.read_text(encoding="ascii"))
        self._keys = {int(number): bytes.fromhex(value) for number, value in body["keys"].items()}
        self.version = int(body["current"])

    @classmethod
    def ensure(cls, path: Path) -> FileKeyring:
        """Open the keyring at `path`; make one with a fresh key when there is none."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(
                json.dumps({"current": 1, "keys": {"1": secrets.token_hex(32)}}), encoding="ascii"
            )
            # never overwrites: two processes that start together agree on the first one's key
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return cls(path)

    def wrap(self, data_key: bytes) -> bytes:
        return aes_key_wrap(self._keys[self.version], data_key)

    def unwrap(self, wrapped: bytes, *, version: int) -> bytes:
        return aes_key_unwrap(self._keys[version], wrapped)

    def secret(self, name: str) -> bytes:
        """Derive a named secret from the first master key, so that rotation does not change it."""
        first = self._keys[min(self._keys)]
        return hashlib.blake2b(name.encode(), key=first, digest_size=32, person=b"weituo-secret").digest()
