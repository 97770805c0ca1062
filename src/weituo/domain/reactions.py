"""The one table: event → what other rooms do, in the same transaction (law-critical) or after commit (leaves the process)."""

from __future__ import annotations

from weituo.domain.care import events as care_events
from weituo.domain.ledger import events as ledger_events
from weituo.foundation.events import react

__all__ = ["react"]

react(
    ledger_events.PaymentsBooked,
    because="balances are lowered inside the booking act itself; promises are decided by the tracking job from booked money",
)
react(
    ledger_events.StatementApproved,
    because="the payout is booked inside the act; the agency reads the state of its statement through API and portal",
)
react(
    care_events.CaseOpened,
    because="the act itself puts the hold on; HoldPlaced then voids live permits in the same transaction",
)
react(
    care_events.CaseDecided,
    because="the act itself lifts the hold; the answer is read on the borrower's page, the scorecard counts the case",
)
