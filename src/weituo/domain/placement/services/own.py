"""What an agency names, proved with the agency's own eyes, and the words that it may send along."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from weituo.foundation import transactions
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

#: cases in one call
BATCH_MAX: Final = 50_000
NOTE_MAX: Final = 200
#: a telephone or identity number, or an address of electronic mail
_PERSONAL: Final = re.compile(r"(?:\d[ \-]?){7,}|@")


def own_cases(agency: Actor, *, case_refs: Sequence[str]) -> dict[str, UUID]:
    """Give the ids of the agency's own placements by case reference; row-level security leaves out what is not theirs."""
    with transactions.reading(agency), transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT case_ref, id FROM placement_placement WHERE case_ref = ANY(%s)", [list(set(case_refs))]
        )
        return dict(cursor.fetchall())


def problem_of_batch(case_refs: Sequence[str]) -> str:
    """Say what is wrong with a batch of case references; empty when nothing is."""
    if 1 <= len(case_refs) <= BATCH_MAX:
        return ""
    return worded("1 to %(most)s items, not %(given)s", most=BATCH_MAX, given=len(case_refs))


def problem_of_note(text: str) -> str:
    """Say what is wrong with words that go with an answer; empty when nothing is. They hold no personal data."""
    if len(text) > NOTE_MAX:
        return worded("a note has at most %(most)s letters", most=NOTE_MAX)
    if _PERSONAL.search(text):
        return worded("a note holds no telephone or identity number and no address")
    return ""
