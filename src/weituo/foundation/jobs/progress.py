"""Telling how far long work has come: services say it, whoever waits sees it; without a job nobody listens."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

Listener = Callable[[int, int, str], None]
listener: ContextVar[Listener | None] = ContextVar("weituo_progress", default=None)


def tell(part: int, parts: int, words: str) -> None:
    """Say that `part` of `parts` is done and what goes on now. It costs nothing when no job is running."""
    hears = listener.get()
    if hears is not None:
        hears(part, parts, str(words))
