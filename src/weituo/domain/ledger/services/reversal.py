"""Undoing a payment: a reversal entry, the debt restored, the commission claimed back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import polars as pl

from weituo.domain.book import services as book_services
from weituo.foundation import days, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import Conflict, NotFound
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded


class AlreadyReversed(Conflict):
    """This payment was reversed before."""

    code = "already_reversed"


@act("ledger.reverse_payment", permission="ledger.book_payments")
def reverse_payment(*, actor: Actor, payment_id: UUID, reason: str, at: datetime) -> UUID:
    """Book the exact opposite of a payment's entry (claw-back of its commission included) and restore the balance."""
    locks.lock(keys=["ledger:booking"])
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT p.entry_id, p.account_id::text, p.fee_minor, p.interest_minor, p.principal_minor, e.idempotency_key, e.input_digest, "
            "EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = e.id) FROM ledger_payment p JOIN ledger_entry e ON e.id = p.entry_id WHERE p.id = %s",
            [payment_id],
        )
        row = cursor.fetchone()
        if row is None:
            raise NotFound(what=worded("payment"))
        entry_id, account_id, fee, interest, principal, key, digest, reversed_before = row
        if reversed_before:
            raise AlreadyReversed(where=key)
        cursor.execute(
            "INSERT INTO ledger_entry (id, booked_at, value_on, reason, idempotency_key, input_digest, reverses_id) VALUES (uuidv7(), %s, %s, 'REVERSAL', %s, %s, %s) RETURNING id",
            [at, days.day_of(at), f"reverse:{key}", digest, entry_id],
        )
        reversal: UUID = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO ledger_leg (id, entry_id, ledger_account_id, account_id, amount_minor, currency) "
            "SELECT uuidv7(), %s, ledger_account_id, account_id, -amount_minor, currency FROM ledger_leg WHERE entry_id = %s",
            [reversal, entry_id],
        )
    book_services.reduce_balances(
        parts=pl.DataFrame(
            {
                "account_id": [account_id],
                "fee_minor": [-fee],
                "interest_minor": [-interest],
                "principal_minor": [-principal],
                "on": [days.day_of(at)],
            }
        )
    )
    note(what="payment", ref=payment_id, reason=reason, reversal=str(reversal))
    return reversal
