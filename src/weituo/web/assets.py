"""Static files: hashed names where they were collected, plain names before that (checks and tests without assets)."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """Compressed, hashed static files; a name that was not collected keeps its plain address."""

    manifest_strict = False
