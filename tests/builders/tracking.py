"""Least valid rows for progress tracking."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from weituo.domain.tracking import services as tracking
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders.ledger import AT, Placed


def promise(
    case: Placed, *, amount_minor: int = 10_000, made_at: datetime = AT, due_on: date, ref: str = "P-1"
) -> tracking.PromiseReport:
    """Give one promise as an agency reports it."""
    return tracking.PromiseReport(
        sender_ref=ref, case_ref=case.case_ref, amount_minor=amount_minor, currency="CNY", made_at=made_at, due_on=due_on
    )  # fmt: skip


def signed_plan(agency_id: UUID, *, bps_by_month: dict[int, int], bucket: str = "M2") -> UUID:
    """Make a plan signed by both sides with targets for one bucket."""
    plan = new_id()
    with transactions.transaction(actors.staff()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO plans_plan (id, agency_id, version, state, active_from, active_to, note, digest, lender_signed_by, lender_signed_at, agency_signed_by, agency_signed_at) VALUES (%s, %s, 1, 'SIGNED', '2026-01-01', NULL, '', '', 'a', %s, 'b', %s)",
            [plan, agency_id, AT, AT],
        )
        for month, bps in bps_by_month.items():
            cursor.execute(
                "INSERT INTO plans_target (id, plan_id, agency_id, bucket, months_since_placement, liquidation_bps) VALUES (%s, %s, %s, %s, %s, %s)",
                [new_id(), plan, agency_id, bucket, month, bps],
            )
        journal.write(actor=actors.staff(), at=AT, act="test.plan", entries=[])
    return plan
