"""Settlement: draw up a statement, the agency agrees, a second person approves, the commission is paid out."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from weituo.domain.ledger import posting
from weituo.domain.ledger.errors import NothingToSettle, SecondPersonNeeded, StatementNotReady
from weituo.domain.ledger.events import StatementApproved
from weituo.domain.ledger.models import Statement
from weituo.foundation import days, events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput, NotFound
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded


@act("ledger.draw_statement", permission="ledger.draw_statement")
def draw_statement(
    *, actor: Actor, agency_id: UUID, period_from: date, period_to: date, at: datetime
) -> UUID:
    """Draw up the statement of an agency for [period_from, period_to): every commission line not settled before.

    A period that was drawn up before gives the same statement again. Raises `NothingToSettle`, `BadInput`.
    """
    if period_from >= period_to:
        raise BadInput(problem=worded("the period ends before it begins"), where="period_to")
    locks.lock(keys=[f"ledger:statement:{agency_id}"])
    standing = Statement.objects.filter(agency_id=agency_id, period_from=period_from).first()
    if standing is not None:
        return standing.id
    statement_id = new_id()
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT c.currency, count(*), sum(c.base_minor), sum(c.amount_minor) FROM ledger_commission_line c JOIN ledger_entry e ON e.id = c.entry_id "
            "WHERE c.agency_id = %s AND c.earned_on < %s AND c.statement_id IS NULL "
            "AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = e.id) GROUP BY c.currency ORDER BY 2 DESC LIMIT 1",
            [agency_id, period_to],
        )
        row = cursor.fetchone()
        if row is None:
            raise NothingToSettle(where=f"{period_from} – {period_to}")
        currency, payments, collected, commission = row
        Statement.objects.create(
            id=statement_id, agency_id=agency_id, period_from=period_from, period_to=period_to, currency=currency, payments=payments,
            collected_minor=collected, commission_minor=commission, drawn_by=actor.id, drawn_at=at,
        )  # fmt: skip
        cursor.execute(
            "UPDATE ledger_commission_line c SET statement_id = %s WHERE agency_id = %s AND earned_on < %s AND statement_id IS NULL AND currency = %s "
            "AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = c.entry_id)",
            [statement_id, agency_id, period_to, currency],
        )
    note(
        what="statement",
        ref=statement_id,
        payments=payments,
        collected_minor=int(collected),
        commission_minor=int(commission),
        currency=currency,
    )
    return statement_id


@act("ledger.agree_statement", permission="ledger.agree_statement")
def agree_statement(*, actor: Actor, statement_id: UUID, at: datetime) -> None:
    """Agree to one's own statement (the agency's act); agreeing again changes nothing."""
    statement = Statement.objects.filter(id=statement_id).first()
    if statement is None:
        raise NotFound(what=worded("statement"))
    if statement.state == Statement.State.AGREED:
        return
    if statement.state != Statement.State.DRAWN:
        raise StatementNotReady(state=statement.get_state_display(), needed=Statement.State.DRAWN.label)
    Statement.objects.filter(id=statement_id).update(
        state=Statement.State.AGREED, agreed_by=actor.id, agreed_at=at
    )
    note(what="statement", ref=statement_id, commission_minor=statement.commission_minor)


@act("ledger.approve_statement", permission="ledger.approve_statement")
def approve_statement(*, actor: Actor, statement_id: UUID, at: datetime) -> None:
    """Approve an agreed statement as a second person and book the payout of its commission."""
    statement = Statement.objects.filter(id=statement_id).first()
    if statement is None:
        raise NotFound(what=worded("statement"))
    if statement.state != Statement.State.AGREED:
        raise StatementNotReady(state=statement.get_state_display(), needed=Statement.State.AGREED.label)
    if statement.drawn_by == actor.id:
        raise SecondPersonNeeded()
    key = f"payout:{statement_id}"
    payable = posting.ledger_account(
        kind="COMMISSION_PAYABLE", currency=statement.currency, agency_id=statement.agency_id
    )
    bank = posting.ledger_account(kind="BANK", currency=statement.currency)
    booked = posting.post(
        entries=posting.entry_frame(
            [
                {
                    "key": key,
                    "value_on": days.day_of(at),
                    "reason": "COMMISSION_PAID",
                    "input_digest": posting.digest_of(statement.commission_minor, statement.currency),
                }
            ]
        ),
        legs=posting.leg_frame(
            [
                posting.leg(
                    key=key,
                    ledger_account_id=payable,
                    amount_minor=statement.commission_minor,
                    currency=statement.currency,
                ),
                posting.leg(
                    key=key,
                    ledger_account_id=bank,
                    amount_minor=-statement.commission_minor,
                    currency=statement.currency,
                ),
            ]
        ),
        at=at,
    )
    Statement.objects.filter(id=statement_id).update(
        state=Statement.State.PAID, approved_by=actor.id, approved_at=at, payout_entry_id=booked[key]
    )
    note(
        what="statement",
        ref=statement_id,
        commission_minor=statement.commission_minor,
        currency=statement.currency,
    )
    events.publish(
        StatementApproved(statement_id=statement_id, agency_id=statement.agency_id, approved_at=at)
    )
