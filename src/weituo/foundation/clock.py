"""The only clock. Faces and jobs ask it and pass the answer on as `at`; domain and core never do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, tzinfo

_fixed: ContextVar[datetime | None] = ContextVar("weituo_clock", default=None)


def now() -> datetime:
    """Give the present instant in UTC, or the instant that `at_instant` set for this context."""
    return _fixed.get() or datetime.now(UTC)


def today(zone: tzinfo) -> date:
    """Give the calendar day of `now()` on the wall of `zone`."""
    return now().astimezone(zone).date()


@contextmanager
def at_instant(instant: datetime) -> Iterator[None]:
    """Hold the clock still at `instant` (aware) in this context: replays, demonstrations and tests."""
    if instant.tzinfo is None:
        raise ValueError("at_instant needs an aware datetime")
    token = _fixed.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(token)
