"""The business case 必要性: overdue loans, and what collecting them costs and brings, in-house beside agencies, from ledger rows."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from weituo.core.recovery import intervals
from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.book import queries as book
from weituo.domain.ledger import queries as ledger
from weituo.domain.partners import queries as partners
from weituo.domain.placement import queries as placement
from weituo.domain.plans import queries as plans
from weituo.foundation import days
from weituo.foundation.tenancy.actors import Actor

IN_HOUSE: Final = "IN_HOUSE"
AGENCY: Final = "AGENCY"
#: treatments that the lender works itself
#: nobody works these
RESTING_TREATMENT: Final = "HOLD"
#: an account that waited at least this long for its first agency was the own desk's until then
OWN_DAYS_MIN: Final = 14
#: the usual line of non-performing: more than 90 days past due
NPL_DAYS_MIN: Final = 91
RESAMPLES: Final = 200
SEED: Final = 7
CASES = {"way": pl.String, "currency": pl.String, "bucket": pl.String, "placed_minor": pl.Int64, "recovered_minor": pl.Int64, "cost_minor": pl.Float64}  # fmt: skip


def business_case(viewer: Actor, *, period_from: date | None, period_to: date | None) -> dict[str, Any]:
    """Give the book's non-performing part, both ways by bucket, and both ways in total, of money booked in the half-open period.

    In-house: accounts without an agency for two weeks or more, whether they paid or not (those on hold left out), and
    their payments that belong to no placement. Its costs are booked in one sum and shared out by accounts handled; an agency's cost is
    the commission on each payment. Every ratio has its n; liquidation has a 95 % bootstrap interval over accounts.
    """
    payments = _period(ledger.payments_frame(viewer), "paid_on", period_from, period_to)
    accounts = book.accounts_frame(viewer)
    placements = placement.placements_frame(viewer)
    active = placements.filter(pl.col("state") == "ACTIVE")
    placed = placements
    if period_to is not None:
        placed = placements.filter(days.day_expr("placed_at") < period_to)
    own = _own(viewer, accounts=accounts, payments=payments, placed=placed)
    costs = _period(ledger.costs_frame(viewer), "value_on", period_from, period_to)
    handled = own.group_by("currency").agg(n=pl.len())
    each = handled.join(
        costs.group_by("currency").agg(total=pl.sum("amount_minor")), on="currency", how="left"
    ).select("currency", each=pl.col("total").fill_null(0) / pl.col("n"))
    own = own.join(each, on="currency", how="left").with_columns(cost_minor=pl.col("each"))
    fees = _period(ledger.commissions_frame(viewer), "earned_on", period_from, period_to)
    entrusted = _entrusted(placed, payments=payments, fees=fees)
    whole = pl.concat([own.select(list(CASES)), entrusted.select(list(CASES))])
    return {
        "period_from": period_from,
        "period_to": period_to,
        "book": _book(accounts),
        "by_bucket": [_line(group, key) for key, group in _grouped(whole, "way", "currency", "bucket")],
        "total": [_line(group, key) for key, group in _grouped(whole, "way", "currency")],
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


def _own(
    viewer: Actor, *, accounts: pl.DataFrame, payments: pl.DataFrame, placed: pl.DataFrame
) -> pl.DataFrame:
    treated = plans.treatments_frame(viewer).select("account_id", "treatment")
    paid = (
        payments.filter(pl.col("placement_id").is_null())
        .group_by("account_id")
        .agg(recovered_minor=pl.sum("applied_minor"))
    )
    everything = accounts.join(treated, on="account_id", how="left").join(paid, on="account_id", how="left")
    # who counts is decided without looking at who paid: else only the desk's successes would be seen
    entrusted = (
        placed.group_by("account_id")
        .agg(first_on=days.day_expr("placed_at").min(), ended=(pl.col("state") != "ACTIVE").all())
        .filter(~pl.col("ended"))
    )
    at_once = (pl.col("first_on") - pl.col("as_of")).dt.total_days() < OWN_DAYS_MIN
    everything = everything.join(entrusted, on="account_id", how="left")
    mine = (pl.col("treatment").is_null() | (pl.col("treatment") != RESTING_TREATMENT)) & (
        pl.col("first_on").is_null() | ~at_once
    )
    return everything.filter(mine).select(
        "account_id",
        "currency",
        "bucket",
        way=pl.lit(IN_HOUSE),
        # what was there to collect: today's balance and what has been collected of it
        placed_minor=pl.col("balance_minor") + pl.col("recovered_minor").fill_null(0),
        recovered_minor=pl.col("recovered_minor").fill_null(0),
    )


def _entrusted(placed: pl.DataFrame, *, payments: pl.DataFrame, fees: pl.DataFrame) -> pl.DataFrame:
    paid = (
        payments.filter(pl.col("placement_id").is_not_null())
        .group_by("placement_id")
        .agg(recovered_minor=pl.sum("applied_minor"))
    )
    earned = fees.group_by("placement_id").agg(cost_minor=pl.sum("amount_minor"))
    return (
        placed.join(paid, on="placement_id", how="left")
        .join(earned, on="placement_id", how="left")
        .select(
            "currency",
            "bucket",
            way=pl.lit(AGENCY),
            placed_minor=pl.col("balance_minor"),
            recovered_minor=pl.col("recovered_minor").fill_null(0),
            cost_minor=pl.col("cost_minor").fill_null(0).cast(pl.Float64),
        )
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
    found = intervals.bootstrap_ratio(
        numerator=group["recovered_minor"].to_numpy().astype(np.float64),
        denominator=group["placed_minor"].to_numpy().astype(np.float64),
        rng=np.random.default_rng(SEED),
        resamples=RESAMPLES,
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
        "liquidation": {"value": found.value, "low": found.low, "high": found.high, "n": found.n}
        if placed
        else None,
    }


def _book(accounts: pl.DataFrame) -> list[dict[str, Any]]:
    """Give overdue accounts and the non-performing part, per currency, of open accounts."""
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
