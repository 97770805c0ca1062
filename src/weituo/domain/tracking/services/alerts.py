"""Alerts: raised by rules from figures, closed by a person with an action."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import polars as pl

from weituo.domain.tracking import queries
from weituo.domain.tracking.errors import AlertClosed, AlertNotFound
from weituo.domain.tracking.models import Alert
from weituo.foundation import days, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

CODES: Final = ("BEHIND_PLAN", "NO_ACTIVITY", "PAPER_EXPIRING", "REFUSALS_HIGH")
#: an agency rests when this share of its active cases had no contact for 14 days
RESTING_BPS: Final = 2_000
PAPER_DAYS: Final = 30
#: share of refused permits in a week that asks for a look, and the least number asked
REFUSED_BPS: Final = 1_000
ASKED_MIN: Final = 50


@act("tracking.raise_alerts", permission="tracking.raise_alerts")
def raise_alerts(*, actor: Actor, at: datetime) -> list[UUID]:
    """Raise an alert for each agency that is behind plan, rests, asks too much that is refused, or has a paper that ends.

    An alert of the same kind that is still open is not raised again. Gives the new ones.
    """
    found = [*_behind_plan(actor, at), *_resting(actor, at), *_papers(actor, at), *_refused(actor, at)]
    if not found:
        note(what="alerts", ref=days.day_of(at).isoformat(), raised=0)
        return []
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO tracking_alert (id, agency_id, code, detail, raised_at, closed_by, action) "
            "SELECT id, agency, code, detail::jsonb, %s, '', '' FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[]) AS t(id, agency, code, detail) "
            "ON CONFLICT (agency_id, code) WHERE closed_at IS NULL DO NOTHING RETURNING id, agency_id, code",
            [
                at,
                [new_id() for _ in found],
                [agency for agency, _, _ in found],
                [code for _, code, _ in found],
                [json.dumps(detail, default=str) for _, _, detail in found],
            ],
        )
        raised = cursor.fetchall()
    for alert_id, agency_id, code in raised:
        note(what="alert", ref=alert_id, code=code, agency_id=str(agency_id))
    if not raised:
        note(what="alerts", ref=days.day_of(at).isoformat(), raised=0)
    return [row[0] for row in raised]


Found = tuple[UUID, str, dict[str, Any]]


def _behind_plan(actor: Actor, at: datetime) -> list[Found]:
    """Behind plan: even the upper end of the interval at the oldest month lies below the target."""
    points = queries.curves(actor, on=days.day_of(at)).filter(
        pl.col("plan").is_not_null() & (pl.col("n") >= queries.SAMPLE_MIN)
    )
    latest = points.sort("month").unique("agency_id", keep="last").filter(pl.col("high") < pl.col("plan"))
    return [
        (
            UUID(row["agency_id"]),
            "BEHIND_PLAN",
            {key: row[key] for key in ("month", "n", "liquidation", "low", "high", "plan")},
        )
        for row in latest.sort("agency_id").iter_rows(named=True)
    ]


def _resting(actor: Actor, at: datetime) -> list[Found]:
    return [
        (
            row["agency_id"],
            "NO_ACTIVITY",
            {"resting": row["resting"], "active": row["active"], "days": queries.QUIET_DAYS},
        )
        for row in queries.coverage(actor, on=days.day_of(at))
        if row["resting"] * 10_000 >= row["active"] * RESTING_BPS and row["resting"]
    ]


def _papers(actor: Actor, at: datetime) -> list[Found]:
    today = days.day_of(at)
    first: dict[UUID, dict[str, Any]] = {}
    for row in queries.papers_expiring(actor, on=today, before=today + timedelta(days=PAPER_DAYS)):
        first.setdefault(row["agency_id"], row)
    return [
        (agency, "PAPER_EXPIRING", {"kind": row["kind"], "valid_to": row["valid_to"].isoformat()})
        for agency, row in first.items()
    ]


def _refused(actor: Actor, at: datetime) -> list[Found]:
    return [
        (row["agency_id"], "REFUSALS_HIGH", {"asked": row["asked"], "refused": row["refused"], "days": 7})
        for row in queries.refusal_shares(actor, since=at - timedelta(days=7), until=at)
        if row["asked"] >= ASKED_MIN and row["refused"] * 10_000 >= row["asked"] * REFUSED_BPS
    ]


@act("tracking.close_alert", permission="tracking.close_alert")
def close_alert(*, actor: Actor, alert_id: UUID, action: str, at: datetime) -> None:
    """Close an alert with what was done about it. Raises `AlertNotFound`, `AlertClosed`, `BadInput`."""
    answer(actor=actor, alert_id=alert_id, action=action, at=at)


@transactions.transaction_required
def answer(*, actor: Actor, alert_id: UUID, action: str, at: datetime) -> None:
    """Close an alert inside an act that is itself the action. Raises `AlertNotFound`, `AlertClosed`, `BadInput`."""
    if not action.strip():
        raise BadInput(problem=worded("state what was done"), where="action")
    alert = Alert.objects.select_for_update().filter(id=alert_id).first()
    if alert is None:
        raise AlertNotFound(what="alert")
    if alert.closed_at is not None:
        raise AlertClosed(where=alert.code)
    Alert.objects.filter(id=alert_id).update(closed_at=at, closed_by=actor.name, action=action.strip())
    note(what="alert", ref=alert_id, reason=action.strip(), code=alert.code)
