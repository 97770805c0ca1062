"""When and how a borrower wishes to be contacted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from weituo.domain.care.errors import WishRefused
from weituo.domain.care.events import WishSet
from weituo.domain.care.models import Wish
from weituo.foundation import events
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor, program
from weituo.foundation.texts import worded

CHANNELS = ("PHONE", "SMS", "EMAIL", "LETTER")
HOUR_FIRST, HOUR_LAST = 8, 22


def set_wish(
    *,
    actor: Actor,
    channels: Sequence[str],
    hour_from: int,
    hour_to: int,
    language: str,
    at: datetime,
    borrower_id: UUID | None = None,
) -> UUID:
    """Put a borrower's wish in force; it replaces the one before and only ever narrows what the law allows.

    Raises `WishRefused`.
    """
    actor.require("care.set_wish")
    owner = actor.borrower_id or borrower_id
    if owner is None:
        raise WishRefused(problem=worded("no borrower is named"), where="borrower_id")
    if not channels or not set(channels) <= set(CHANNELS):
        raise WishRefused(problem=worded("no known channel"), where="channels")
    if not HOUR_FIRST <= hour_from < hour_to <= HOUR_LAST:
        raise WishRefused(
            problem=worded("hours from %(first)s to %(last)s", first=hour_from, last=hour_to), where="hours"
        )
    return _set(
        actor=program("care desk"),
        on_behalf=actor,
        borrower_id=owner,
        channels=tuple(sorted(set(channels))),
        hour_from=hour_from,
        hour_to=hour_to,
        language=language,
        at=at,
    )


@act("care.set_wish", permission="care.set_wish")
def _set(
    *,
    actor: Actor,
    on_behalf: Actor,
    borrower_id: UUID,
    channels: tuple[str, ...],
    hour_from: int,
    hour_to: int,
    language: str,
    at: datetime,
) -> UUID:
    Wish.objects.filter(borrower_id=borrower_id, active_to__isnull=True).update(active_to=at)
    wish = Wish.objects.create(
        id=new_id(),
        borrower_id=borrower_id,
        channels=list(channels),
        hour_from=hour_from,
        hour_to=hour_to,
        language=language,
        active_from=at,
    )
    note(
        what="wish",
        ref=wish.id,
        channels=channels,
        hour_from=hour_from,
        hour_to=hour_to,
        on_behalf_of=on_behalf.id,
    )
    events.publish(
        WishSet(
            borrower_id=borrower_id,
            channels=channels,
            hour_from=hour_from,
            hour_to=hour_to,
            language=language,
            set_at=at,
        )
    )
    return wish.id
