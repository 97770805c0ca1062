"""Where the program keeps files, and how it names what is in them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

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
    """Give a path under WEITUO_HOME and make its folder, closed to everybody else."""
    home = Path(settings.WEITUO_HOME)
    path = home.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    # never WEITUO_HOME itself: the own PostgreSQL runs as another user and must reach its data in there
    if path.parent != home:
        path.parent.chmod(0o700)
    return path


def open_private(path: Path) -> BinaryIO:
    """Open a new file for writing that only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
