"""The part of the calendar that the program works in: what is added to an instant or a day of it stays one.

Python's calendar ends on 9999-12-31 and PostgreSQL's does not, nor does it begin with year 1: an instant beyond would be
stored and break whatever reads it. So each table refuses what lies outside, by one constraint over all its columns.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from django.db.models import CheckConstraint, Q

#: half-open
FIRST_YEAR: Final = 2000
END_YEAR: Final = 2200


def in_reach(table: str, *, times: tuple[str, ...] = (), days: tuple[str, ...] = ()) -> CheckConstraint:
    """Give the constraint that keeps a table's instants and days within reach; NULL passes.

    Its name is the table's with “_in_reach”.
    """
    kept = Q()
    for column in times:
        kept &= Q(
            (f"{column}__gte", datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)),
            (f"{column}__lt", datetime(END_YEAR, 1, 1, tzinfo=UTC)),
        )
    for column in days:
        kept &= Q((f"{column}__gte", date(FIRST_YEAR, 1, 1)), (f"{column}__lt", date(END_YEAR, 1, 1)))
    return CheckConstraint(name=f"{table}_in_reach", condition=kept)
