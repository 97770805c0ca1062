"""The business case 必要性: overdue loans, and what collecting them costs and brings, in-house beside agencies, from ledger rows."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from weituo.core.recovery import intervals
from weituo.core.recovery.buckets import BUCKETS, bucket_expr, days_past_due_expr
from weituo.domain.book import queries as book
from weituo.domain.ledger import queries as ledger
from weituo.domain.partners import queries as partners
from weituo.domain.placement import queries as placement
from weituo.domain.plans import queries as plans
from weituo.foundation import days
from weituo.foundation.tenancy.actors import Actor

IN_HOUSE: Final = "IN_HOUSE"
AGENCY: Final = "AGENCY"
#: nobody works these
RESTING_TREATMENT: Final = "HOLD"
#: an account that was with no agency for at least this long, or is still with none, was the own desk's in that time
OWN_DAYS_MIN: Final = 14
#: the usual line of non-performing: more than 90 days past due
NPL_DAYS_MIN: Final = 91
CASES = {"way": pl.String, "currency": pl.String, "bucket": pl.String, "placed_minor": pl.Int64, "recovered_minor": pl.Int64, "cost_minor": pl.Float64}  # fmt: skip


def business_case(
    viewer: Actor, *, on: date, period_from: date | None, period_to: date | None
) -> dict[str, Any]:
    """Give the book's non-performing part on a day, and both ways by bucket and in total, of money booked in the half-open period.

    What there was to collect is the balance when the work began: for an agency at placement, for the own desk on the first
    day that the account was with no agency (see `_own`); where that lies before the period, at the period's begin. Balances
    of past days are reckoned back through the ledger, and buckets are of those days. In-house costs are booked in one sum
    and shared out by accounts handled; an agency's cost is the commission on each payment. `outside` is money paid to the
    lender on accounts that belong to neither way. Every ratio has its n; liquidation has a 95 % interval over accounts.
    """
    payments = _period(ledger.payments_frame(viewer), "paid_on", period_from, period_to)
    fees = _period(ledger.commissions_frame(viewer), "earned_on", period_from, period_to)
    costs = _period(ledger.costs_frame(viewer), "value_on", period_from, period_to)
    accounts, movements = book.accounts_frame(viewer, on=on), ledger.movements_frame(viewer)
    placements = placement.placements_frame(viewer).with_columns(
        placed_on=days.day_expr("placed_at"), ended_on=days.day_expr("ended_at")
    )
    active = placements.filter(pl.col("state") == "ACTIVE")
    placed = placements
    if period_to is not None:
        placed = placements.filter(pl.col("placed_on") < period_to)
    direct = payments.filter(pl.col("placement_id").is_null())
    own = _own(
        accounts.join(plans.treated_as(viewer, treatment=RESTING_TREATMENT), on="account_id", how="anti"), direct=direct, placed=placed,
        movements=movements, start=period_from, end=period_to,
    )  # fmt: skip
    each = own.group_by("currency").agg(n=pl.len()).join(
        costs.group_by("currency").agg(total=pl.sum("amount_minor")), on="currency", how="left"
    ).select("currency", each=pl.col("total").fill_null(0) / pl.col("n"))  # fmt: skip
    own = own.join(each, on="currency", how="left").with_columns(cost_minor=pl.col("each"))
    entrusted = _entrusted(
        placed, accounts=accounts, payments=payments, fees=fees, movements=movements, start=period_from
    )
    whole = pl.concat([own.select(list(CASES)), entrusted.select(list(CASES))])
    return {
        "on": on,
        "stated": book.stated(viewer),
        "period_from": period_from,
        "period_to": period_to,
        "book": _book(accounts),
        "by_bucket": [_line(group, key) for key, group in _grouped(whole, "way", "currency", "bucket")],
        "total": [_line(group, key) for key, group in _grouped(whole, "way", "currency")],
        "outside": direct.join(own, on="account_id", how="anti")
        .group_by("currency")
        .agg(payments=pl.len(), recovered_minor=pl.sum("applied_minor"))
        .sort("currency")
        .to_dicts(),
        "cost_basis": {
            "in_house": "BOOKED_COSTS_BY_ACCOUNTS_HANDLED",
            "agency": "COMMISSION_ON_EACH_PAYMENT",
            "in_house_costs_booked": costs.height,
        },
        "capacity": _capacity(
            viewer, in_house=own.join(active, on="account_id", how="anti").height, active=active.height
        ),
    }


def _period(frame: pl.DataFrame, column: str, start: date | None, end: date | None) -> pl.DataFrame:
    if start is not None:
        frame = frame.filter(pl.col(column) >= start)
    return frame if end is None else frame.filter(pl.col(column) < end)


def _then(rows: pl.DataFrame, *, accounts: pl.DataFrame, movements: pl.DataFrame) -> pl.DataFrame:
    """Add what was owed at the begin of each row's `day`, and the bucket of that day: then_minor, then_bucket.

    rows: account_id, day. Today's balance less what the ledger moved from that day on.
    """
    moved = (
        rows.select("account_id", "day").unique()
        .join(movements, on="account_id", how="inner")
        .filter(pl.col("value_on") >= pl.col("day"))
        .group_by("account_id", "day").agg(moved=pl.sum("amount_minor"))
    )  # fmt: skip
    days_then = days_past_due_expr(pl.col("late_since"), pl.lit(None, dtype=pl.Date), on=pl.col("day"))
    return (
        rows.join(
            accounts.select("account_id", "late_since", now="balance_minor"), on="account_id", how="left"
        )
        .join(moved, on=["account_id", "day"], how="left")
        .with_columns(
            then_minor=(pl.col("now") - pl.col("moved").fill_null(0)).clip(lower_bound=0),
            then_bucket=bucket_expr(days_then),
        )
        .drop("now", "moved", "late_since")
    )


def _own(
    accounts: pl.DataFrame, *, direct: pl.DataFrame, placed: pl.DataFrame, movements: pl.DataFrame,
    start: date | None, end: date | None,
) -> pl.DataFrame:  # fmt: skip
    """Give the accounts that were the own desk's in the period, from the first day that they were with no agency.

    A time without an agency counts when it lasted two weeks or is not over. Who counts is decided without looking at who
    paid: else only the desk's successes would be seen.
    """
    begin = accounts.select(
        "account_id", came=pl.max_horizontal("came_on", pl.lit(start)) if start else "came_on"
    )
    spells = placed.select("account_id", "placed_on", "ended_on").sort("account_id", "placed_on", "ended_on")
    after_each = spells.select(
        "account_id", left="ended_on", taken=pl.col("placed_on").shift(-1).over("account_id")
    )
    before_first = begin.join(
        spells.group_by("account_id").agg(taken=pl.min("placed_on")), on="account_id", how="left"
    ).select("account_id", left="came", taken="taken")
    gaps = (
        pl.concat([before_first, after_each.filter(pl.col("left").is_not_null())])
        .join(begin, on="account_id", how="inner")
        .with_columns(left=pl.max_horizontal("left", "came"))
    )
    lasted = (pl.col("taken") - pl.col("left")).dt.total_days()
    mine = gaps.filter(pl.col("taken").is_null() | (lasted >= OWN_DAYS_MIN))
    if end is not None:
        mine = mine.filter(pl.col("left") < end)
    first = mine.group_by("account_id").agg(day=pl.min("left"))
    paid = direct.group_by("account_id").agg(recovered_minor=pl.sum("applied_minor"))
    return (
        _then(first, accounts=accounts, movements=movements)
        .join(paid, on="account_id", how="left")
        .join(accounts.select("account_id", "currency"), on="account_id", how="left")
        .with_columns(pl.col("recovered_minor").fill_null(0))
        # paid off before: there was nothing to collect
        .filter((pl.col("then_minor") > 0) | (pl.col("recovered_minor") > 0))
        .select(
            "account_id", "currency", "recovered_minor", way=pl.lit(IN_HOUSE), bucket="then_bucket", placed_minor="then_minor"
        )
    )  # fmt: skip


def _entrusted(
    placed: pl.DataFrame, *, accounts: pl.DataFrame, payments: pl.DataFrame, fees: pl.DataFrame,
    movements: pl.DataFrame, start: date | None,
) -> pl.DataFrame:  # fmt: skip
    """Give the placements that were worked in the period: what was owed when they began, or at the period's begin."""
    paid = (
        payments.filter(pl.col("placement_id").is_not_null())
        .group_by("placement_id")
        .agg(recovered_minor=pl.sum("applied_minor"))
    )
    earned = fees.group_by("placement_id").agg(cost_minor=pl.sum("amount_minor"))
    rows = placed.join(paid, on="placement_id", how="left").join(earned, on="placement_id", how="left")
    since = pl.col("balance_minor")
    if start is not None:
        over = (pl.col("ended_on") <= start) & pl.col("recovered_minor").is_null() & pl.col("cost_minor").is_null()  # fmt: skip
        rows = _then(
            rows.filter(~over.fill_null(value=False)).with_columns(day=pl.lit(start)),
            accounts=accounts,
            movements=movements,
        )
        since = pl.when(pl.col("placed_on") < start).then(pl.col("then_minor")).otherwise(since)
    return rows.select(
        "currency",
        "bucket",
        way=pl.lit(AGENCY),
        placed_minor=since,
        recovered_minor=pl.col("recovered_minor").fill_null(0),
        cost_minor=pl.col("cost_minor").fill_null(0).cast(pl.Float64),
    )


def _grouped(frame: pl.DataFrame, *names: str) -> list[tuple[dict[str, Any], pl.DataFrame]]:
    order = {bucket: number for number, bucket in enumerate(BUCKETS)}
    parts = [
        (dict(zip(names, key, strict=True)), group)
        for key, group in frame.group_by(names, maintain_order=True)
    ]
    return sorted(
        parts,
        key=lambda part: (part[0]["currency"], order.get(part[0].get("bucket", ""), 99), part[0]["way"]),
    )


def _line(group: pl.DataFrame, key: dict[str, Any]) -> dict[str, Any]:
    placed, recovered = int(group["placed_minor"].sum()), int(group["recovered_minor"].sum())
    cost = round(group["cost_minor"].sum())
    found = intervals.linear_ratio(
        numerator=group["recovered_minor"].to_numpy().astype(np.float64),
        denominator=group["placed_minor"].to_numpy().astype(np.float64),
    )
    return key | {
        "n": group.height,
        "payers": int((group["recovered_minor"] > 0).sum()),
        "placed_minor": placed,
        "recovered_minor": recovered,
        "cost_minor": cost,
        "cost_to_collect": cost / recovered if recovered else None,
        "net_minor": recovered - cost,
        "net_share": (recovered - cost) / placed if placed else None,
        "liquidation": {
            "value": found.value,
            "low": _number(found.low),
            "high": _number(found.high),
            "n": found.n,
        }
        if placed
        else None,
    }


def _number(end: float) -> float | None:
    return None if np.isnan(end) else end


def _book(accounts: pl.DataFrame) -> list[dict[str, Any]]:
    """Give overdue accounts and the non-performing part on the day of the frame, per currency, of open accounts."""
    late = (pl.col("days_past_due") >= NPL_DAYS_MIN).cast(pl.Int64)
    rows = (
        accounts.filter(pl.col("status") == "OPEN")
        .group_by("currency")
        .agg(
            accounts=pl.len(),
            balance_minor=pl.sum("balance_minor"),
            npl_accounts=late.sum(),
            npl_balance_minor=(late * pl.col("balance_minor")).sum(),
        )
        .sort("currency")
    )
    return [
        row | {"npl_share": row["npl_balance_minor"] / row["balance_minor"] if row["balance_minor"] else None}
        for row in rows.to_dicts()
    ]


def _capacity(viewer: Actor, *, in_house: int, active: int) -> dict[str, int]:
    """Give how many accounts each way works now, and how many more agencies could take."""
    most = sum(row.capacity_accounts_max for row in partners.agencies(viewer, states=["APPROVED"]))
    return {
        "in_house_accounts": in_house,
        "agency_accounts": active,
        "agency_capacity": most,
        "agency_free": max(0, most - active),
    }
