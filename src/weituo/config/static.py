"""Static files for serving: collected once under WEITUO_HOME, again whenever a source file changed."""

from __future__ import annotations

import fcntl
import hashlib
from pathlib import Path

STAMP = "collected.txt"


def digest_of_sources() -> str:
    """Give one digest of every static file's name, size and time; no file is read."""
    from django.contrib.staticfiles.finders import get_finders

    seen = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: str(found[0])):
            about = Path(storage.path(name)).stat()
            seen.update(f"{name}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def collect() -> bool:
    """Collect, hash and compress static files if the collected ones are stale; tell whether it was needed.

    Safe when several server processes start at once: the first one works, the others wait and find it done.
    """
    from django.conf import settings
    from django.contrib.staticfiles.storage import staticfiles_storage
    from django.core.management import call_command

    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    with (root.parent / "static.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        stamp, wanted = root / STAMP, digest_of_sources()
        fresh = stamp.exists() and stamp.read_text(encoding="utf-8") == wanted
        if not fresh:
            call_command("collectstatic", interactive=False, clear=True, verbosity=0)
            stamp.write_text(wanted, encoding="utf-8")
    reload_manifest = getattr(staticfiles_storage, "reload_manifest", None)
    if reload_manifest is not None:
        reload_manifest()
    return not fresh
