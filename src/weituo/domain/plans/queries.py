"""Reading plans, strategies and treatments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import polars as pl

from weituo.domain.book import queries as book
from weituo.domain.plans import treating
from weituo.foundation import days, transactions
from weituo.foundation.tenancy.actors import Actor


@transactions.reads
def current_strategy(viewer: Actor) -> dict[str, Any] | None:
    """Give the strategy in force with its rows."""
    found = transactions.rows("SELECT id FROM plans_strategy WHERE state = 'PUBLISHED'")
    return strategy(viewer, strategy_id=found[0]["id"]) if found else None


@transactions.reads
def strategies(viewer: Actor) -> list[dict[str, Any]]:
    """List strategies, newest first."""
    return transactions.rows(
        "SELECT s.id, s.version, s.state, s.note, s.made_at, s.published_at, (SELECT count(*) FROM plans_strategy_row r WHERE r.strategy_id = s.id) AS rows FROM plans_strategy s ORDER BY s.version DESC"
    )


@transactions.reads
def strategy(viewer: Actor, *, strategy_id: UUID) -> dict[str, Any] | None:
    """Give a strategy: its head, `rows` as `treating.Row`, and `row_ids`."""
    found = transactions.rows(
        "SELECT id, version, state, note, made_at, published_at FROM plans_strategy WHERE id = %s",
        [strategy_id],
    )
    if not found:
        return None
    rows = transactions.rows(
        "SELECT * FROM plans_strategy_row WHERE strategy_id = %s ORDER BY position", [strategy_id]
    )
    return found[0] | {
        "rows": [treating.Row.from_dict(row) for row in rows],
        "row_ids": [row["id"] for row in rows],
    }


@transactions.reads
def treatments_frame(viewer: Actor) -> pl.DataFrame:
    """Give the treatment of every account: account_id, treatment, tier_max, row_id, channels, tone, contacts_per_week_max,
    again (`treating.AGAIN`), split.
    """
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT t.account_id::text, t.treatment, t.tier_max::bigint, t.row_id::text, r.channels, r.tone, r.contacts_per_week_max::bigint, r.again, r.split "
            "FROM plans_treatment t JOIN plans_strategy_row r ON r.id = t.row_id ORDER BY t.account_id"
        )
        return pl.DataFrame(
            cursor.fetchall(),
            schema={
                "account_id": pl.String,
                "treatment": pl.String,
                "tier_max": pl.Int64,
                "row_id": pl.String,
                "channels": pl.List(pl.String),
                "tone": pl.String,
                "contacts_per_week_max": pl.Int64,
                "again": pl.String,
                "split": pl.Boolean,
            },
            orient="row",
        )


@transactions.reads
def treated_as(viewer: Actor, *, treatment: str) -> pl.DataFrame:
    """Give the accounts with one treatment: account_id."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT account_id::text FROM plans_treatment WHERE treatment = %s ORDER BY 1", [treatment]
        )
        return pl.DataFrame(cursor.fetchall(), schema={"account_id": pl.String}, orient="row")


@transactions.reads
def candidates(viewer: Actor, *, at: datetime) -> pl.DataFrame:
    """Give the open accounts as the strategy sees them: account_id, bucket, product, balance_minor, hardship, currency."""
    accounts = book.accounts_frame(viewer, on=days.day_of(at)).filter(pl.col("status") == "OPEN")
    hardship = book.holds_frame(viewer, at=at).filter(pl.col("kind") == "HARDSHIP")
    by_borrower = hardship.filter(pl.col("account_id").is_null())["borrower_id"].implode()
    by_account = hardship["account_id"].drop_nulls().implode()
    return accounts.select(
        "account_id",
        "bucket",
        "product",
        "balance_minor",
        "currency",
        hardship=pl.col("borrower_id").is_in(by_borrower) | pl.col("account_id").is_in(by_account),
    )


@transactions.reads
def try_strategy(viewer: Actor, *, rows: Sequence[treating.Row], at: datetime) -> dict[str, Any]:
    """Show what a strategy would do to the book: accounts and money per row and per treatment, and how many change."""
    accounts = candidates(viewer, at=at)
    treated = treating.apply(rows, accounts).join(
        accounts.select("account_id", "balance_minor", "currency"), on="account_id"
    )
    now = treatments_frame(viewer).select("account_id", present="treatment")
    joined = treated.join(now, on="account_id", how="left")
    grouped = (
        treated.group_by("treatment")
        .agg(accounts=pl.len(), balance_minor=pl.sum("balance_minor"))
        .sort("treatment")
    )
    by_row = treated.group_by("row").agg(accounts=pl.len(), balance_minor=pl.sum("balance_minor")).sort("row")
    return {
        "accounts": treated.height,
        "currency": treated["currency"][0] if treated.height else "CNY",
        "by_treatment": grouped.to_dicts(),
        "by_row": {row["row"]: row for row in by_row.to_dicts()},
        "changed": joined.filter(
            pl.col("present").is_not_null() & (pl.col("present") != pl.col("treatment"))
        ).height,
        "unmatched": treated.filter(pl.col("row").is_null()).height,
    }


@transactions.reads
def plans(viewer: Actor, *, agency_id: UUID | None = None) -> list[dict[str, Any]]:
    """List plans, newest version first; an agency sees its own."""
    return transactions.rows(
        "SELECT id, agency_id, version, state, active_from, active_to, note, digest, lender_signed_by, lender_signed_at, agency_signed_by, agency_signed_at FROM plans_plan "
        "WHERE %s::uuid IS NULL OR agency_id = %s::uuid ORDER BY agency_id, version DESC",
        [agency_id, agency_id],
    )


@transactions.reads
def plan(viewer: Actor, *, plan_id: UUID) -> dict[str, Any] | None:
    """Give one plan with targets and milestones."""
    found = transactions.rows("SELECT * FROM plans_plan WHERE id = %s", [plan_id])
    if not found:
        return None
    return found[0] | {
        "targets": transactions.rows(
            "SELECT bucket, months_since_placement, liquidation_bps FROM plans_target WHERE plan_id = %s ORDER BY bucket, months_since_placement",
            [plan_id],
        ),
        "milestones": transactions.rows(
            "SELECT id, title_zh, title_en, owner, due_on, done_at FROM plans_milestone WHERE plan_id = %s ORDER BY due_on, id",
            [plan_id],
        ),
    }


@transactions.reads
def milestones(viewer: Actor, *, agency_id: UUID | None = None) -> list[dict[str, Any]]:
    """List the milestones of plans that one side or both have signed, those due first; an agency sees its own."""
    return transactions.rows(
        "SELECT m.id, m.plan_id, m.agency_id, p.version, m.title_zh, m.title_en, m.owner, m.due_on, m.done_at FROM plans_milestone m JOIN plans_plan p ON p.id = m.plan_id "
        "WHERE p.state IN ('OFFERED', 'SIGNED') AND (%s::uuid IS NULL OR m.agency_id = %s::uuid) ORDER BY (m.done_at IS NOT NULL), m.due_on, m.id",
        [agency_id, agency_id],
    )


@transactions.reads
def treatment_totals(viewer: Actor) -> list[dict[str, Any]]:
    """Give open accounts and money per treatment as the strategy in force decided; treatment "" was not decided yet."""
    viewer.require("plans.read")
    return transactions.rows(
        "SELECT coalesce(t.treatment, '') AS treatment, a.currency, count(*) AS accounts, sum(a.balance_minor)::bigint AS balance_minor, max(t.decided_at) AS decided_at "
        "FROM book_account a LEFT JOIN plans_treatment t ON t.account_id = a.id WHERE a.status = 'OPEN' GROUP BY 1, 2 ORDER BY 1, 2"
    )


@transactions.reads
def own_plans(viewer: Actor) -> list[dict[str, Any]]:
    """List the agency's own plans with targets and milestones, the newest version first; a draft is not shown."""
    viewer.require("plans.read_own")
    offered = transactions.rows("SELECT id FROM plans_plan WHERE state <> 'DRAFT' ORDER BY version DESC")
    found = [plan(viewer, plan_id=row["id"]) for row in offered]
    return [one for one in found if one is not None]


TARGETS = {
    "agency_id": pl.String,
    "bucket": pl.String,
    "months_since_placement": pl.Int64,
    "liquidation_bps": pl.Int64,
}


@transactions.reads
def plan_targets(viewer: Actor, *, on: date, agency_id: UUID | None = None) -> pl.DataFrame:
    """Give the targets of signed plans in force on `on` (columns of `TARGETS`)."""
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT t.agency_id::text, t.bucket, t.months_since_placement::bigint, t.liquidation_bps::bigint FROM plans_target t JOIN plans_plan p ON p.id = t.plan_id "
            "WHERE p.state = 'SIGNED' AND p.active_from <= %s AND (p.active_to IS NULL OR p.active_to > %s) AND (%s::uuid IS NULL OR t.agency_id = %s::uuid) "
            "ORDER BY t.agency_id, t.bucket, t.months_since_placement",
            [on, on, agency_id, agency_id],
        )
        return pl.DataFrame(cursor.fetchall(), schema=TARGETS, orient="row")
