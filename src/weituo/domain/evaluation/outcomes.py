"""What became of every placement: one row each, from booked money, attempts, refusals and cases."""

from __future__ import annotations

from datetime import date

import polars as pl

from weituo.core.conduct import SPOKEN
from weituo.domain.care import queries as care
from weituo.domain.contact import queries as contact
from weituo.domain.ledger import queries as ledger
from weituo.domain.placement import queries as placement
from weituo.domain.tracking import queries as tracking
from weituo.foundation import days
from weituo.foundation.tenancy.actors import Actor

#: columns of `outcomes`
COLUMNS = (
    "placement_id", "agency_id", "account_id", "bucket", "probability", "measured", "placed_minor", "expected_minor", "recovered_minor",
    "commission_minor", "complaints", "complaints_upheld", "disputes", "hardships", "attempts", "right_party", "refusals", "months",
)  # fmt: skip


def _text(*names: str) -> list[pl.Expr]:
    return [pl.col(name).cast(pl.String) for name in names]


def outcomes(viewer: Actor, *, period_from: date, period_to: date) -> pl.DataFrame:
    """Give one row a placement made in [period_from, period_to), counted in the lender's days, with what happened to it
    before period_to (`COLUMNS`).
    """
    placed = (
        placement.placements_frame(viewer)
        .with_columns(*_text("placement_id", "agency_id", "account_id"))
        .filter((days.day_expr("placed_at") >= period_from) & (days.day_expr("placed_at") < period_to))
        .select(
            "placement_id", "agency_id", "account_id", "bucket", "probability", "measured", "currency",
            placed_minor=pl.col("balance_minor"), expected_minor=pl.col("expected_recovery_minor"),
            months=((pl.lit(period_to) - days.day_expr("placed_at")).dt.total_days() / 30.4375),
        )
    )  # fmt: skip
    money = (
        ledger.payments_frame(viewer, paid_before=period_to)
        .filter(pl.col("placement_id").is_not_null())
        .group_by("placement_id")
        .agg(recovered_minor=pl.sum("applied_minor"))
    )
    fees = (
        ledger.commissions_frame(viewer)
        .filter(pl.col("earned_on") < period_to)
        .group_by("placement_id")
        .agg(commission_minor=pl.sum("amount_minor"))
    )
    cases = (
        care.cases_frame(viewer)
        .filter(pl.col("placement_id").is_not_null() & (days.day_expr("opened_at") < period_to))
        .group_by("placement_id")
        .agg(
            complaints=(pl.col("kind") == "COMPLAINT").sum(),
            complaints_upheld=((pl.col("kind") == "COMPLAINT") & pl.col("upheld").fill_null(False)).sum(),
            disputes=(pl.col("kind") == "DISPUTE").sum(),
            hardships=(pl.col("kind") == "HARDSHIP").sum(),
        )
    )
    attempts = (
        contact.attempts_frame(viewer)
        .with_columns(*_text("placement_id"))
        .filter(days.day_expr("made_at") < period_to)
        .group_by("placement_id")
        .agg(attempts=pl.len(), right_party=pl.col("result").is_in(SPOKEN).sum())
    )
    refusals = (
        contact.refusals_frame(viewer)
        .with_columns(*_text("placement_id"))
        .filter(days.day_expr("asked_at") < period_to)
        .group_by("placement_id")
        .agg(refusals=pl.len())
    )
    whole = placed
    for part in (money, fees, cases, attempts, refusals):
        whole = whole.join(part, on="placement_id", how="left")
    counted = [
        name
        for name in COLUMNS
        if name
        not in {"placement_id", "agency_id", "account_id", "bucket", "probability", "measured", "months"}
    ]
    return (
        whole.with_columns(pl.col(counted).fill_null(0).cast(pl.Int64))
        .select(*COLUMNS, "currency")
        .sort("placement_id")
    )


CONDUCT = {"agency_id": pl.String, "asked": pl.Int64, "refused": pl.Int64, "violations": pl.Int64}


def conduct(viewer: Actor, *, period_from: date, period_to: date) -> pl.DataFrame:
    """Give per agency the permits asked and refused and the violations found in [period_from, period_to) (columns of `CONDUCT`)."""
    since, until = days.start_of(period_from), days.start_of(period_to)
    shares = pl.DataFrame(
        [
            {"agency_id": str(row["agency_id"]), "asked": row["asked"], "refused": row["refused"]}
            for row in tracking.refusal_shares(viewer, since=since, until=until)
        ],
        schema={name: kind for name, kind in CONDUCT.items() if name != "violations"},
    )
    found = (
        contact.violations_frame(viewer)
        .filter((pl.col("found_at") >= since) & (pl.col("found_at") < until))
        .group_by("agency_id")
        .agg(violations=pl.len().cast(pl.Int64))
    )
    return (
        shares.join(found, on="agency_id", how="full", coalesce=True)
        .select(pl.col("agency_id"), pl.col("asked", "refused", "violations").fill_null(0))
        .sort("agency_id")
    )
