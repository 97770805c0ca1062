"""The gate's facts, gathered in a handful of queries for a whole batch and over all agencies.

Runs inside the gate's unit, after the borrowers' locks: what it reads cannot change before the permits stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import polars as pl

from weituo.domain.partners.admission import REQUIRED_PAPERS
from weituo.foundation import days, transactions

#: contacts this far from a planned instant are counted (weekly limits, and a day of slack for local days)
WINDOW: Final = timedelta(days=8)

GROUND: dict[str, pl.DataType | type[pl.DataType]] = {
    "n": pl.Int64, "placement_id": pl.String, "borrower_id": pl.String, "account_id": pl.String, "placement_state": pl.String,
    "term_to": pl.Date, "region": pl.String, "days_past_due": pl.Int64, "point_known": pl.Boolean, "point_channel": pl.String,
    "point_role": pl.String, "point_valid": pl.Boolean, "zones": pl.List(pl.String), "treatment": pl.String,
    "treatment_channels": pl.List(pl.String), "contacts_per_week_max": pl.Int64,
    "wish_channels": pl.List(pl.String), "wish_from": pl.Int64, "wish_to": pl.Int64, "holds": pl.List(pl.String),
}  # fmt: skip
CONTACTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "borrower_id": pl.String, "contact_point_id": pl.String, "point_role": pl.String, "channel": pl.String,
    "at": pl.Datetime("us", "UTC"), "result": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """What the gate must know of the asking agency, on the day of asking."""

    state: str
    service_agreement: bool
    confidentiality_agreement: bool
    papers: bool


def ground(*, placement_ids: Sequence[UUID], point_ids: Sequence[UUID], at: datetime) -> pl.DataFrame:
    """Give one row a request (columns of `GROUND`, in the requests' order): placement, point, treatment, wish, holds.

    The placements are locked against change until the unit ends: a recall waits, then voids what was granted.
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM placement_placement WHERE id = ANY(%s) ORDER BY id FOR SHARE",
            [sorted(set(placement_ids))],
        )
        cursor.execute(
            "SELECT r.n, p.id::text, p.borrower_id::text, p.account_id::text, p.state, p.term_to, b.region, book_days_past_due(a.late_since, a.closed_on, %s), "
            "c.id IS NOT NULL, c.channel, c.role, c.valid, c.zones, t.treatment, s.channels, s.contacts_per_week_max, "
            "w.channels, w.hour_from, w.hour_to, "
            "(SELECT coalesce(array_agg(DISTINCT h.kind ORDER BY h.kind), '{}') FROM book_hold h WHERE h.borrower_id = p.borrower_id "
            " AND (h.account_id IS NULL OR h.account_id = p.account_id) AND h.active_from <= %s AND (h.active_to IS NULL OR h.active_to > %s)) "
            "FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS r(placement_id, point_id, n) "
            "JOIN placement_placement p ON p.id = r.placement_id JOIN book_borrower b ON b.id = p.borrower_id JOIN book_account a ON a.id = p.account_id "
            "LEFT JOIN book_contact_point c ON c.id = r.point_id AND c.borrower_id = p.borrower_id "
            "LEFT JOIN plans_treatment t ON t.account_id = p.account_id LEFT JOIN plans_strategy_row s ON s.id = t.row_id "
            "LEFT JOIN contact_preference w ON w.borrower_id = p.borrower_id ORDER BY r.n",
            [days.day_of(at), at, at, list(placement_ids), list(point_ids)],
        )
        return pl.DataFrame(cursor.fetchall(), schema=GROUND, orient="row")


def contacts(*, borrower_ids: Sequence[str], since: datetime, until: datetime) -> pl.DataFrame:
    """Give every contact with these borrowers, by any agency, in [since − window, until + window).

    Reported attempts with their result, and granted permits (result null): a permit reserves its slot from the grant on,
    whether or not it has been reported as used. Columns of `CONTACTS`.
    """
    lower, upper = since - WINDOW, until + WINDOW
    ids = [UUID(one) for one in borrower_ids]
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT x.borrower_id::text, x.contact_point_id::text, c.role, x.channel, x.at, x.result FROM ("
            "SELECT borrower_id, contact_point_id, channel, made_at AS at, result FROM contact_attempt WHERE borrower_id = ANY(%s) AND made_at >= %s AND made_at < %s "
            "UNION ALL SELECT borrower_id, contact_point_id, channel, planned_at, NULL FROM contact_permit WHERE borrower_id = ANY(%s) AND planned_at >= %s AND planned_at < %s AND state = 'GRANTED'"
            ") x JOIN book_contact_point c ON c.id = x.contact_point_id ORDER BY x.at, x.contact_point_id, x.channel",
            [ids, lower, upper, ids, lower, upper],
        )
        return pl.DataFrame(cursor.fetchall(), schema=CONTACTS, orient="row")


def agency(*, agency_id: UUID, at: datetime) -> Agency:
    """Give the agency's state, live agreements, and whether its required papers are live, on the lender's day of `at`."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT g.state, "
            "EXISTS (SELECT 1 FROM partners_agreement x WHERE x.agency_id = g.id AND x.kind = 'SERVICE' AND x.active_from <= d AND (x.active_to IS NULL OR x.active_to > d)), "
            "EXISTS (SELECT 1 FROM partners_agreement x WHERE x.agency_id = g.id AND x.kind = 'CONFIDENTIALITY' AND x.active_from <= d AND (x.active_to IS NULL OR x.active_to > d)), "
            "NOT EXISTS (SELECT 1 FROM unnest(%s::text[]) AS k WHERE NOT EXISTS (SELECT 1 FROM partners_paper x WHERE x.agency_id = g.id AND x.kind = k "
            "AND x.verified_at IS NOT NULL AND x.valid_from <= d AND (x.valid_to IS NULL OR x.valid_to > d))) "
            "FROM partners_agency g, (SELECT %s::date AS d) t WHERE g.id = %s",
            [list(REQUIRED_PAPERS), days.day_of(at), agency_id],
        )
        state, service, confidentiality, papers = cursor.fetchone()
    return Agency(
        state=state, service_agreement=service, confidentiality_agreement=confidentiality, papers=papers
    )


def collectors_in_order(*, collector_ids: Sequence[UUID], at: datetime) -> dict[UUID, tuple[bool, bool]]:
    """Give (registered, trained) of each collector on the lender's day of `at`."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id, registered_on <= d AND (active_to IS NULL OR active_to > d), trained_until >= d "
            "FROM partners_collector, (SELECT %s::date AS d) t WHERE id = ANY(%s)",
            [days.day_of(at), list(set(collector_ids))],
        )
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
