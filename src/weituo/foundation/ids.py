"""Identifiers: UUIDv7 (RFC 9562), time-ordered so that indexes stay dense, random enough not to be guessed."""

from __future__ import annotations

import os
import time
import uuid

from django.db.models import Func, UUIDField


def new_id() -> uuid.UUID:
    """Make one UUIDv7: 48 bits of milliseconds, 74 random bits."""
    millis = time.time_ns() // 1_000_000
    value = (millis << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)


class UuidV7(Func):
    """The database's own generator, for rows that COPY or INSERT … SELECT makes."""

    function = "uuidv7"
    template = "%(function)s()"
    output_field = UUIDField()
