"""Reading progress: curves against plan, coverage, promises, alerts, reviews. Money is booked money, never claims."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
import polars as pl

from weituo.core.conduct import SPOKEN
from weituo.core.recovery import curves as recovery_curves
from weituo.core.recovery import intervals
from weituo.domain.ledger import queries as ledger
from weituo.domain.placement import queries as placement
from weituo.domain.plans import queries as plans
from weituo.foundation import days, transactions
from weituo.foundation.tenancy.actors import Actor

MONTHS_MAX: Final = 12
#: fewer placements than this: too early to say
SAMPLE_MIN: Final = 30
#: days without a contact after which an active case counts as resting
QUIET_DAYS: Final = 14

CURVES = {
    "agency_id": pl.String, "month": pl.Int64, "n": pl.Int64, "placed_minor": pl.Int64, "recovered_minor": pl.Int64,
    "liquidation": pl.Float64, "low": pl.Float64, "high": pl.Float64, "plan": pl.Float64,
}  # fmt: skip


@transactions.reads
def as_of(viewer: Actor) -> date | None:
    """Give the last day that figures rest on: the last booked payment, else the last placement."""
    [last] = transactions.rows(
        "SELECT (SELECT max(paid_on) FROM ledger_payment) AS paid_on, (SELECT max(placed_at) FROM placement_placement) AS placed_at"
    )
    return last["paid_on"] or (days.day_of(last["placed_at"]) if last["placed_at"] else None)


@transactions.reads
def curves(
    viewer: Actor,
    *,
    agency_id: UUID | None = None,
    bucket: str | None = None,
    on: date | None = None,
    resamples: int = 200,
) -> pl.DataFrame:
    """Give liquidation by months since placement per agency, with its 95 % interval, n, and the plan's target.

    Columns of `CURVES`: money in minor units, liquidation and plan as shares of what was placed; `plan` is null without
    a signed plan, else its targets weighted by what was placed in each bucket. `on` is the day of the figures (default:
    the last booked day).
    """
    day = on or as_of(viewer)
    placed = placement.placements_frame(viewer, agency_id=agency_id)
    if bucket:
        placed = placed.filter(pl.col("bucket") == bucket)
    if day is None or placed.is_empty():
        return pl.DataFrame(schema=CURVES)
    cohort = placed.select(
        "placement_id",
        "agency_id",
        "bucket",
        placed_on=days.day_expr("placed_at"),
        placed_minor=pl.col("balance_minor"),
    )
    payments = ledger.payments_frame(viewer).filter(pl.col("placement_id").is_not_null())
    points = recovery_curves.liquidation_curve(
        placements=cohort.drop("bucket"),
        payments=payments.select("placement_id", "paid_on", "amount_minor"),
        at=day,
        months=MONTHS_MAX,
        resamples=resamples,
    )
    plan = _plan(viewer, cohort=cohort, day=day)
    return (
        points.join(plan, on=["agency_id", "month"], how="left")
        .select(list(CURVES))
        .sort("agency_id", "month")
    )


def _plan(viewer: Actor, *, cohort: pl.DataFrame, day: date) -> pl.DataFrame:
    """Weight each agency's plan targets by what was placed in each bucket: agency_id, month, plan.

    The target of month k weighs the same placements as the curve's point: those at least k months old.
    """
    targets = plans.plan_targets(viewer, on=day).select(
        "agency_id", "bucket", "liquidation_bps", month="months_since_placement"
    )
    age = recovery_curves.months_between_expr(pl.col("placed_on"), pl.lit(day))
    placed = cohort.group_by("agency_id", "bucket", age=age).agg(weight=pl.col("placed_minor").sum())
    return (
        targets.join(placed, on=["agency_id", "bucket"])
        .filter(pl.col("age") >= pl.col("month"))
        .group_by("agency_id", "month")
        .agg(plan=(pl.col("liquidation_bps") * pl.col("weight")).sum() / pl.col("weight").sum() / 10_000)
    )


@transactions.reads
def coverage(viewer: Actor, *, on: date | None = None) -> list[dict[str, Any]]:
    """Give per agency how many active cases were ever tried, spoken to, and rest without a contact for 14 days."""
    viewer.require("tracking.read")
    day = on or as_of(viewer)
    since = None if day is None else days.start_of(day - timedelta(days=QUIET_DAYS))
    rows = transactions.rows(
        "SELECT g.id AS agency_id, g.code, g.name_zh, g.name_en, count(p.id) AS active, "
        "count(p.id) FILTER (WHERE a.placement_id IS NOT NULL) AS tried, count(p.id) FILTER (WHERE a.spoken) AS spoken, "
        "count(p.id) FILTER (WHERE p.placed_at < %s AND (a.last_at IS NULL OR a.last_at < %s)) AS resting "
        "FROM partners_agency g JOIN placement_placement p ON p.agency_id = g.id AND p.state = 'ACTIVE' "
        "LEFT JOIN (SELECT placement_id, max(made_at) AS last_at, bool_or(result = ANY(%s)) AS spoken "
        "FROM contact_attempt GROUP BY placement_id) a ON a.placement_id = p.id GROUP BY g.id, g.code, g.name_zh, g.name_en ORDER BY g.code",
        [since, since, list(SPOKEN)],
    )
    return [row | _share(row["tried"], row["active"], "tried") for row in rows]


@transactions.reads
def promises(viewer: Actor) -> list[dict[str, Any]]:
    """Give per agency the promises by state, the money promised, and the share kept of those decided, with its interval."""
    viewer.require("tracking.read")
    rows = transactions.rows(
        "SELECT g.id AS agency_id, g.code, g.name_zh, g.name_en, count(*) AS made, count(*) FILTER (WHERE p.state = 'OPEN') AS open, "
        "count(*) FILTER (WHERE p.state = 'KEPT') AS kept, count(*) FILTER (WHERE p.state = 'BROKEN') AS broken, sum(p.amount_minor)::bigint AS promised_minor, min(p.currency) AS currency "
        "FROM tracking_promise p JOIN partners_agency g ON g.id = p.agency_id GROUP BY g.id, g.code, g.name_zh, g.name_en ORDER BY g.code"
    )
    return [row | _share(row["kept"], row["kept"] + row["broken"], "kept") for row in rows]


def _share(part: int, whole: int, name: str) -> dict[str, float | None]:
    if not whole:
        return {f"{name}_share": None, f"{name}_low": None, f"{name}_high": None}
    low, high = intervals.wilson_columns(successes=np.array([part]), n=np.array([whole]))
    return {f"{name}_share": part / whole, f"{name}_low": float(low[0]), f"{name}_high": float(high[0])}


PROMISES: dict[str, pl.DataType | type[pl.DataType]] = {
    "promise_id": pl.String, "agency_id": pl.String, "placement_id": pl.String, "amount_minor": pl.Int64, "currency": pl.String,
    "made_at": pl.Datetime("us", "UTC"), "due_on": pl.Date, "state": pl.String,
}  # fmt: skip


@transactions.reads
def promises_frame(viewer: Actor) -> pl.DataFrame:
    """Give promises, one row each (columns of `PROMISES`); an agency sees its own."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id::text, agency_id::text, placement_id::text, amount_minor, currency, made_at, due_on, state FROM tracking_promise ORDER BY made_at, id"
        )
        return pl.DataFrame(cursor.fetchall(), schema=PROMISES, orient="row")


@transactions.reads
def alerts(viewer: Actor, *, open_only: bool = True, limit: int = 200) -> list[dict[str, Any]]:
    """List alerts with the agency's names, the newest first, open ones on top."""
    viewer.require("tracking.read")
    return transactions.rows(
        "SELECT a.id, a.code, a.detail, a.raised_at, a.closed_at, a.closed_by, a.action, a.agency_id, g.code AS agency_code, g.name_zh, g.name_en "
        "FROM tracking_alert a LEFT JOIN partners_agency g ON g.id = a.agency_id WHERE NOT %s OR a.closed_at IS NULL ORDER BY a.closed_at NULLS FIRST, a.raised_at DESC, a.id LIMIT %s",
        [open_only, limit],
    )


@transactions.reads
def reviews(viewer: Actor, *, agency_id: UUID | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """List reviews, the newest first; an agency sees its own."""
    return transactions.rows(
        "SELECT r.id, r.agency_id, g.code AS agency_code, g.name_zh, g.name_en, r.period_from, r.period_to, r.figures, r.findings, r.actions, r.held_by, r.held_at "
        "FROM tracking_review r JOIN partners_agency g ON g.id = r.agency_id WHERE %s::uuid IS NULL OR r.agency_id = %s::uuid ORDER BY r.held_at DESC, r.id DESC LIMIT %s",
        [agency_id, agency_id, limit],
    )


@transactions.reads
def figures(viewer: Actor, *, agency_id: UUID, period_from: date, period_to: date) -> dict[str, Any]:
    """Compute an agency's figures of the half-open period of the lender's days: cases, contacts, refusals, violations, promises, booked money."""
    row = transactions.rows(
        "SELECT (SELECT count(*) FROM placement_placement WHERE agency_id = %(a)s AND state = 'ACTIVE') AS active_cases, "
        "(SELECT coalesce(sum(balance_minor), 0)::bigint FROM placement_placement WHERE agency_id = %(a)s AND placed_at IS NOT NULL) AS placed_minor, "
        "(SELECT count(*) FROM contact_attempt WHERE agency_id = %(a)s AND made_at >= %(f)s AND made_at < %(t)s) AS attempts, "
        "(SELECT count(*) FROM contact_permit WHERE agency_id = %(a)s AND asked_at >= %(f)s AND asked_at < %(t)s) AS permits, "
        "(SELECT count(*) FROM contact_permit WHERE agency_id = %(a)s AND asked_at >= %(f)s AND asked_at < %(t)s AND state = 'REFUSED') AS refused, "
        "(SELECT count(*) FROM contact_violation WHERE agency_id = %(a)s AND found_at >= %(f)s AND found_at < %(t)s) AS violations, "
        "(SELECT count(*) FROM tracking_promise WHERE agency_id = %(a)s AND made_at >= %(f)s AND made_at < %(t)s) AS promises, "
        "(SELECT count(*) FROM tracking_promise WHERE agency_id = %(a)s AND made_at >= %(f)s AND made_at < %(t)s AND state = 'KEPT') AS promises_kept, "
        "(SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_payment WHERE agency_id = %(a)s AND paid_on >= %(from)s AND paid_on < %(to)s) AS recovered_minor, "
        "(SELECT min(currency) FROM placement_placement WHERE agency_id = %(a)s) AS currency",
        {
            "a": agency_id,
            "f": days.start_of(period_from),
            "t": days.start_of(period_to),
            "from": period_from,
            "to": period_to,
        },
    )
    return row[0]


@transactions.reads
def refusal_shares(viewer: Actor, *, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Give per agency how many permits were asked and refused in [since, until)."""
    return transactions.rows(
        "SELECT agency_id, count(*) AS asked, count(*) FILTER (WHERE state = 'REFUSED') AS refused FROM contact_permit WHERE asked_at >= %s AND asked_at < %s GROUP BY agency_id ORDER BY agency_id",
        [since, until],
    )


@transactions.reads
def papers_expiring(viewer: Actor, *, on: date, before: date) -> list[dict[str, Any]]:
    """List live agencies' papers that end in [on, before) and have no successor of the same kind."""
    return transactions.rows(
        "SELECT p.agency_id, p.kind, p.valid_to FROM partners_paper p JOIN partners_agency g ON g.id = p.agency_id AND g.state = 'APPROVED' "
        "WHERE p.valid_to >= %s AND p.valid_to < %s AND NOT EXISTS (SELECT 1 FROM partners_paper n WHERE n.agency_id = p.agency_id AND n.kind = p.kind AND (n.valid_to IS NULL OR n.valid_to >= %s)) ORDER BY p.valid_to, p.agency_id",
        [on, before, before],
    )
