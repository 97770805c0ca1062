"""The gate's facts, gathered in a handful of queries for a whole batch and over all agencies.

Runs inside the gate's unit, after the borrowers' locks: what it reads cannot change before the permits stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import polars as pl

from weituo.domain.contact.services import grounds
from weituo.foundation import days, transactions

#: contacts this far from a planned instant are counted (weekly limits, and a day of slack for local days)
WINDOW: Final = timedelta(days=8)

GROUND: dict[str, pl.DataType | type[pl.DataType]] = {
    "n": pl.Int64, "placement_id": pl.String, "borrower_id": pl.String, "account_id": pl.String,
    "region": pl.String, "days_past_due": pl.Int64, "point_known": pl.Boolean, "point_channel": pl.String,
    "point_role": pl.String, "point_valid": pl.Boolean, "zones": pl.List(pl.String), "treatment": pl.String,
    "treatment_channels": pl.List(pl.String), "contacts_per_week_max": pl.Int64,
    "wish_channels": pl.List(pl.String), "wish_from": pl.Int64, "wish_to": pl.Int64, "holds": pl.List(pl.String),
    "lacks": pl.List(pl.String),
}  # fmt: skip
CONTACTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "borrower_id": pl.String, "contact_point_id": pl.String, "point_role": pl.String, "channel": pl.String,
    "at": pl.Datetime("us", "UTC"), "until": pl.Datetime("us", "UTC"), "result": pl.String,
}  # fmt: skip


def ground(
    *,
    placement_ids: Sequence[UUID],
    point_ids: Sequence[UUID],
    collector_ids: Sequence[UUID],
    instants: Sequence[datetime],
    at: datetime,
) -> pl.DataFrame:
    """Give one row a request (columns of `GROUND`, in the requests' order): placement, point, treatment, wish, holds, lacks.

    Holds, wishes and treatments are those of `at`; what has a term is judged as it will stand at each request's instant.
    Placements and agencies are locked against change until the unit ends: a recall or a suspension waits, then takes back
    what was granted.
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM placement_placement WHERE id = ANY(%s) ORDER BY id FOR SHARE",
            [sorted(set(placement_ids))],
        )
        cursor.execute(
            "SELECT 1 FROM partners_agency WHERE id IN (SELECT agency_id FROM placement_placement WHERE id = ANY(%s)) ORDER BY id FOR SHARE",
            [list(set(placement_ids))],
        )
        cursor.execute(
            "SELECT r.n, p.id::text, p.borrower_id::text, p.account_id::text, b.region, book_days_past_due(a.late_since, a.closed_on, x.day), "  # noqa: S608 - constants only
            "m.id IS NOT NULL, m.channel, m.role, m.valid, m.zones, t.treatment, s.channels, s.contacts_per_week_max, "
            "w.channels, w.hour_from, w.hour_to, "
            "(SELECT coalesce(array_agg(DISTINCT h.kind ORDER BY h.kind), '{}') FROM book_hold h WHERE h.borrower_id = p.borrower_id "
            " AND (h.account_id IS NULL OR h.account_id = p.account_id) AND h.active_from <= %(at)s AND (h.active_to IS NULL OR h.active_to > %(at)s)), "
            + grounds.LACKS
            + "FROM unnest(%(placements)s::uuid[], %(points)s::uuid[], %(collectors)s::uuid[], %(instants)s::timestamptz[]) "
            "WITH ORDINALITY AS r(placement_id, point_id, collector_id, instant, n) "
            "JOIN placement_placement p ON p.id = r.placement_id JOIN book_borrower b ON b.id = p.borrower_id JOIN book_account a ON a.id = p.account_id "
            "LEFT JOIN book_contact_point m ON m.id = r.point_id AND m.borrower_id = p.borrower_id "
            "LEFT JOIN plans_treatment t ON t.account_id = p.account_id LEFT JOIN plans_strategy_row s ON s.id = t.row_id "
            "LEFT JOIN contact_preference w ON w.borrower_id = p.borrower_id "
            + grounds.joined(instant="r.instant", collector="r.collector_id")
            + "ORDER BY r.n",
            dict(grounds.PARAMETERS)
            | {
                "at": at,
                "zone": days.zone().key,
                "slack": 0,
                "placements": list(placement_ids),
                "points": list(point_ids),
                "collectors": list(collector_ids),
                "instants": list(instants),
            },
        )
        return pl.DataFrame(cursor.fetchall(), schema=GROUND, orient="row")


def asked(
    ground: pl.DataFrame,
    *,
    point_ids: Sequence[UUID],
    channels: Sequence[str],
    purposes: Sequence[str],
    instants: Sequence[datetime],
    at: datetime,
) -> pl.DataFrame:
    """Give the ground with what is asked for: where, how, what for, and when; the rows are in the same order."""
    return ground.with_columns(
        contact_point_id=pl.Series([str(one) for one in point_ids], dtype=pl.String),
        channel=pl.Series(channels, dtype=pl.String),
        purpose=pl.Series(purposes, dtype=pl.String),
        planned_at=pl.Series(instants, dtype=pl.Datetime("us", "UTC")),
        asked_at=pl.lit(at, dtype=pl.Datetime("us", "UTC")),
    )


def contacts(
    *, borrower_ids: Sequence[UUID], since: datetime, until: datetime, without: Sequence[UUID] = ()
) -> pl.DataFrame:
    """Give every contact with these borrowers, by any agency, in [since − window, until + window).

    Reported attempts with their result, and granted permits (result null): a permit reserves its slot from the grant on,
    whether or not it has been reported as used, and a void one keeps it where its contact may have been made before. Columns
    of `CONTACTS`. `without` leaves out the permits that are being decided again.
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT x.borrower_id::text, x.contact_point_id::text, c.role, x.channel, x.at, x.until, x.result FROM ("
            "SELECT borrower_id, contact_point_id, channel, made_at AS at, NULL::timestamptz AS until, result FROM contact_attempt "
            "WHERE borrower_id = ANY(%(ids)s) AND made_at >= %(lower)s AND made_at < %(upper)s "
            "UNION ALL SELECT borrower_id, contact_point_id, channel, planned_at, least(expires_at, voided_at), NULL FROM contact_permit "
            "WHERE borrower_id = ANY(%(ids)s) AND planned_at >= %(lower)s AND planned_at < %(upper)s AND NOT id = ANY(%(without)s::uuid[]) "
            "AND (state = 'GRANTED' OR (state = 'VOID' AND planned_at < voided_at))"
            ") x JOIN book_contact_point c ON c.id = x.contact_point_id ORDER BY x.at, x.contact_point_id, x.channel",
            {
                "ids": list(borrower_ids),
                "lower": since - WINDOW,
                "upper": until + WINDOW,
                "without": list(without),
            },
        )
        return pl.DataFrame(cursor.fetchall(), schema=CONTACTS, orient="row")
