"""Least valid rows for the compliance gate: agencies in good order with collectors, cases, treatments, phones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity import keys
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders.ledger import AT, Placed, placed_accounts

#: a Monday, 10:00 in Shanghai
MORNING = datetime(2026, 3, 9, 2, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One agency in good order with its cases."""

    agency_id: UUID
    badge: str
    cases: list[Placed]
    #: borrower → phone
    points: dict[UUID, UUID]

    def point(self, number: int = 0) -> UUID:
        """Give the phone of a case's borrower."""
        return self.points[self.cases[number].borrower_id]


def bench(*, count: int = 1, contacts_per_week_max: int = 7) -> Bench:
    """Make an agency with live agreements, papers and one trained collector, and `count` cases ready to be worked."""
    cases = placed_accounts(count=count)
    agency_id = cases[0].agency_id
    badge = f"B{agency_id.hex[-8:]}"
    points = {case.borrower_id: new_id() for case in cases}
    strategy, row = new_id(), new_id()
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        for kind in ("SERVICE", "CONFIDENTIALITY"):
            cursor.execute(
                "INSERT INTO partners_agreement (id, agency_id, kind, version, fields_allowed, fee_bps_by_bucket, active_from, active_to, ended_reason) VALUES (%s, %s, %s, 1, '{}', '{}', '2026-01-01', NULL, '')",
                [new_id(), agency_id, kind],
            )
        cursor.execute(
            "INSERT INTO partners_collector (id, agency_id, badge, alias, registered_on, trained_until, active_to) VALUES (%s, %s, %s, '小甲', '2026-01-01', '2027-01-01', NULL)",
            [new_id(), agency_id, badge],
        )
        cursor.execute(
            "INSERT INTO plans_strategy (id, version, state, note, made_by, made_at, published_by) VALUES (%s, %s, 'PUBLISHED', '', 'x', %s, 'y')",
            [strategy, int.from_bytes(strategy.bytes[-3:], "big"), AT],
        )
        cursor.execute(
            "INSERT INTO plans_strategy_row (id, strategy_id, position, buckets, products, treatment, tier_max, channels, tone, contacts_per_week_max, settlement_bps_max) VALUES (%s, %s, 1, '{}', '{}', 'AGENCY', 3, '{VOICE,SMS}', 'GENTLE', %s, 0)",
            [row, strategy, contacts_per_week_max],
        )
        for case in cases:
            cursor.execute(
                "INSERT INTO plans_treatment (account_id, strategy_id, row_id, treatment, tier_max, decided_at) VALUES (%s, %s, %s, 'AGENCY', 3, %s)",
                [case.account_id, strategy, row, AT],
            )
            cursor.execute(
                "INSERT INTO book_contact_point (id, borrower_id, channel, role, field, position, zones, valid) VALUES (%s, %s, 'PHONE', 'BORROWER', 'phone', 0, '{Asia/Shanghai}', true)",
                [points[case.borrower_id], case.borrower_id],
            )
        journal.write(actor=actors.worker(), at=AT, act="test.bench", entries=[])
    return Bench(agency_id=agency_id, badge=badge, cases=cases, points=points)


def key_for(agency_id: UUID) -> str:
    """Issue an API key that lives from the time of the builders on."""
    return keys.issue_key(
        actor=actors.staff(Role.ADMIN), agency_id=agency_id, name="test system", at=AT
    ).secret
