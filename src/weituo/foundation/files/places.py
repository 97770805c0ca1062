"""Where the program keeps files, and how it names what is in them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings

CHUNK_BYTES = 1 << 20


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file as hex, reading a megabyte at a time."""
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            state.update(chunk)
    return state.hexdigest()


def place(*parts: str) -> Path:
    """Give a path under WEITUO_HOME and make its folder."""
    path = Path(settings.WEITUO_HOME).joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
