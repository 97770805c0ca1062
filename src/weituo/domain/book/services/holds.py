"""Holds: reasons why somebody must not be worked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from weituo.domain.book.errors import HoldNotFound, HoldStands
from weituo.domain.book.events import HoldLifted, HoldPlaced
from weituo.domain.book.models import Hold
from weituo.foundation import events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor


@transactions.transaction_required
def add_hold(
    *, borrower_id: UUID, account_id: UUID | None, kind: str, reason: str, source: str, at: datetime
) -> UUID:
    """Put a hold in force; who holds packages or permits is told in the same transaction."""
    hold = Hold.objects.create(
        id=new_id(),
        borrower_id=borrower_id,
        account_id=account_id,
        kind=kind,
        reason=reason,
        source=source,
        active_from=at,
    )
    events.publish(
        HoldPlaced(hold_id=hold.id, borrower_id=borrower_id, account_id=account_id, kind=kind, placed_at=at)
    )
    return hold.id


@transactions.transaction_required
def lift_hold(*, at: datetime, hold_id: UUID | None = None, source: str = "") -> int:
    """End holds by id or by what asked for them; return how many ended."""
    found = Hold.objects.filter(active_to__isnull=True)
    found = found.filter(id=hold_id) if hold_id is not None else found.filter(source=source)
    ended = list(found)
    Hold.objects.filter(id__in=[hold.id for hold in ended]).update(active_to=at)
    for hold in ended:
        events.publish(
            HoldLifted(hold_id=hold.id, borrower_id=hold.borrower_id, kind=hold.kind, lifted_at=at)
        )
    return len(ended)


@transactions.transaction_required
def hold_promised(
    *, sources: Sequence[str], account_ids: Sequence[UUID], borrower_ids: Sequence[UUID], at: datetime
) -> None:
    """Note open promises to pay, one hold each: nobody else gets such an account until the promise is decided.

    Nobody has to be told: a promise stops no contact, it only keeps the account where it is.
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO book_hold (id, borrower_id, account_id, kind, reason, source, active_from) "
            "SELECT uuidv7(), borrower, account, 'PROMISE', 'PROMISED', source, %s "
            "FROM unnest(%s::text[], %s::uuid[], %s::uuid[]) AS t(source, account, borrower)",
            [at, list(sources), list(account_ids), list(borrower_ids)],
        )


@transactions.transaction_required
def lift_promised(*, sources: Sequence[str], at: datetime) -> int:
    """End the holds of promises that were decided; return how many ended."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE book_hold SET active_to = %s WHERE kind = 'PROMISE' AND active_to IS NULL AND source = ANY(%s)",
            [at, list(sources)],
        )
        return int(cursor.rowcount)


@act("book.place_hold", permission="book.hold")
def place_hold(
    *, actor: Actor, borrower_id: UUID, account_id: UUID | None, kind: str, reason: str, at: datetime
) -> UUID:
    """Put a hold in force by hand. Raises `HoldStands` when the same one is: a form sent twice holds once."""
    locks.lock(keys=[f"book:hold:{borrower_id}"])
    standing = Hold.objects.filter(
        borrower_id=borrower_id, kind=kind, active_to__isnull=True, source__startswith="person:"
    )
    if account_id in standing.values_list("account_id", flat=True):
        raise HoldStands(where=kind)
    hold_id = add_hold(
        borrower_id=borrower_id,
        account_id=account_id,
        kind=kind,
        reason=reason,
        source=f"person:{actor.id}",
        at=at,
    )
    note(
        what="hold",
        ref=hold_id,
        reason=reason,
        kind=kind,
        borrower=str(borrower_id),
        account=str(account_id or ""),
    )
    return hold_id


@act("book.release_hold", permission="book.hold")
def release_hold(*, actor: Actor, hold_id: UUID, reason: str, at: datetime) -> None:
    """End a hold by hand. Raises `HoldNotFound`."""
    if lift_hold(hold_id=hold_id, at=at) == 0:
        raise HoldNotFound(what="hold")
    note(what="hold", ref=hold_id, reason=reason)
