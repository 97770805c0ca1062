"""Costs of collecting in-house, so that both ways are compared from the same books."""

from __future__ import annotations

from datetime import date, datetime

from weituo.domain.ledger import posting
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded


@act("ledger.record_cost", permission="ledger.record_cost")
def record_cost(
    *, actor: Actor, reference: str, amount_minor: int, currency: str, value_on: date, at: datetime
) -> bool:
    """Book what in-house collection cost (wages, seats, telephone) under the caller's reference; False when it stands."""
    if amount_minor <= 0:
        raise BadInput(problem=worded("a cost is more than zero"), where="amount_minor")
    key = f"cost:{reference}"
    booked = posting.post(
        entries=posting.entry_frame(
            [
                {
                    "key": key,
                    "value_on": value_on,
                    "reason": "COLLECTION_COST",
                    "input_digest": posting.digest_of(amount_minor, currency, value_on),
                }
            ]
        ),
        legs=posting.leg_frame(
            [
                posting.leg(
                    key=key,
                    ledger_account_id=posting.ledger_account(kind="COLLECTION_COST", currency=currency),
                    amount_minor=amount_minor,
                    currency=currency,
                ),
                posting.leg(
                    key=key,
                    ledger_account_id=posting.ledger_account(kind="CASH_OUT", currency=currency),
                    amount_minor=-amount_minor,
                    currency=currency,
                ),
            ]
        ),
        at=at,
    )
    note(what="cost", ref=reference, amount_minor=amount_minor, currency=currency, booked=bool(booked))
    return bool(booked)
