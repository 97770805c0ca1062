"""Static files: hashed names where they were collected, plain names before that (checks and tests without assets)."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from whitenoise.storage import CompressedManifestStaticFilesStorage

STATIC = Path(__file__).resolve().parent / "static"


class Storage(CompressedManifestStaticFilesStorage):
    """Compressed, hashed static files; a name that was not collected keeps its plain address."""

    manifest_strict = False

    def stored_name(self, name: str) -> str:
        """Give the hashed name, or the plain one before anything was collected."""
        try:
            return super().stored_name(name)  # type: ignore[no-any-return]
        except ValueError:
            return name

    def reload_manifest(self) -> None:
        """Read the names anew after files were collected in this process."""
        self.hashed_files, self.manifest_hash = self.load_manifest()


@functools.lru_cache(maxsize=1)
def _manifest() -> dict[str, str]:
    path = STATIC / "vendor" / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def path_of(logical: str) -> str:
    """Give the path below static/ of a fetched file by its logical name; a guess before files were fetched."""
    return _manifest().get(logical, f"vendor/{logical}")
