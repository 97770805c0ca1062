"""The lender's calendar: tables hold instants, people count days, and a day begins at midnight on the lender's wall."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import polars as pl
from django.conf import settings


def zone() -> ZoneInfo:
    """Give the lender's zone (setting TIME_ZONE)."""
    return ZoneInfo(settings.TIME_ZONE)


def day_of(at: datetime) -> date:
    """Give the lender's day on which an aware instant falls."""
    if at.tzinfo is None:
        raise ValueError("day_of needs an aware instant")
    return at.astimezone(zone()).date()


def start_of(day: date) -> datetime:
    """Give the instant, in UTC, at which the lender's day begins; a period of days [a, b) is [start_of(a), start_of(b))."""
    return datetime.combine(day, time.min, zone()).astimezone(UTC)


def day_expr(column: str) -> pl.Expr:
    """Give the lender's day of a column of instants."""
    return pl.col(column).dt.convert_time_zone(settings.TIME_ZONE).dt.date()
