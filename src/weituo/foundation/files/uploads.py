"""Files that somebody hands to a job: kept under WEITUO_HOME for its owner alone until the job has ended."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection, Iterable
from pathlib import Path

from django.conf import settings

from weituo.foundation.errors import BadInput
from weituo.foundation.ids import new_id
from weituo.foundation.texts import worded

NAME_CHARACTERS_MAX = 80
#: an upload that no open job names is somebody's unfinished request until it is this old
ORPHAN_SECONDS = 3_600


class FileTooLarge(BadInput):
    """The file is larger than %(most)s MB."""

    code = "file_too_large"
    remedy = "Import it by the command line, which has no such limit, or raise WEITUO_UPLOAD_MB."


def keep(chunks: Iterable[bytes], *, name: str) -> str:
    """Keep a file (mode 600, in a folder of its own with mode 700) and give the token that finds it again.

    Raises `FileTooLarge` once more than settings.WEITUO_UPLOAD_MB came; nothing is kept then.
    """
    most = settings.WEITUO_UPLOAD_MB
    token = f"{new_id().hex}/{_plain(name)}"
    path = _folder() / token
    path.parent.mkdir(mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        size = 0
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > most * 1_000_000:
                    raise FileTooLarge(most=most, where=_plain(name))
                file.write(chunk)
    except BaseException:
        shutil.rmtree(path.parent, ignore_errors=True)
        raise
    return token


def path_of(token: str) -> Path:
    """Give where a kept file lies. Raises `BadInput` for what is no token."""
    path = (_folder() / token).resolve()
    if path.parent.parent != _folder().resolve():
        raise BadInput(problem=worded("there is no such upload"), where="file")
    return path


def remove(token: str) -> None:
    """Remove a kept file with its folder; one that is gone already is no fault."""
    shutil.rmtree(path_of(token).parent, ignore_errors=True)


def sweep(*, wanted: Collection[str]) -> int:
    """Remove every old upload that no open job names, and give how many: what a killed process left behind."""
    removed, standing = 0, {token.partition("/")[0] for token in wanted}
    for folder in _folder().iterdir():
        if folder.name not in standing and time.time() - folder.stat().st_mtime > ORPHAN_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _folder() -> Path:
    folder = Path(settings.WEITUO_HOME) / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _plain(name: str) -> str:
    """Give a name without folders and signs that a terminal or a header would stumble over; its ending is kept."""
    signs = "".join(sign for sign in name.replace("\\", "/").rpartition("/")[2] if sign.isprintable())
    signs = signs.strip().lstrip(".")
    return signs[-NAME_CHARACTERS_MAX:] or "file"
