"""The lender's own desk: what borrowers who are with no agency pay straight to the lender, and what the desk costs."""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime, timedelta
from typing import Final

import polars as pl

from weituo.cli.demo import scene as scenes
from weituo.cli.demo.agency_system import keep
from weituo.cli.demo.scene import CURRENCY, SEED
from weituo.cli.demo.story import OPERATOR, Story
from weituo.core.twin import agencies as twin
from weituo.core.twin import behaviour
from weituo.domain.book import queries as book
from weituo.domain.ledger import services as ledger
from weituo.domain.placement import queries as placement

#: accounts that one seat works, and what a seat costs a month (wages, place, telephone) in fen
ACCOUNTS_A_SEAT: Final = 350
SEAT_MINOR: Final = 1_150_000
_HELD: Final = {"case_reference": pl.String, "paid_on": pl.Date, "amount_minor": pl.Int64}


def desk() -> twin.Agency:
    """Give the lender's own collectors as the simulation plays them: fewer contacts, usual skill, few complaints."""
    return dataclasses.replace(
        twin.all_agencies()[0],
        code="INHOUSE",
        attempts_per_week=0.7,
        reach=0.11,
        skill={"EARLY": 0.0, "MIDDLE": -0.05, "LATE": -0.1},
        night_share=0.0,
        complaints_per_1000=0.5,
    )


def cases(story: Story, *, week: int) -> pl.DataFrame:
    """Give the accounts that the desk works this week: open, with no agency, not on hold."""
    at = story.scene.at(week=week, hour=8)
    placed = placement.placements_frame(OPERATOR).filter(pl.col("state") == "ACTIVE")
    held = book.holds_frame(OPERATOR, at=at).filter(pl.col("kind") != "PROMISE")
    return (
        # as agencies are played: by how late a case was when the work on it began
        book.accounts_frame(OPERATOR, on=story.scene.as_of)
        .filter((pl.col("status") == "OPEN") & (pl.col("balance_minor") > 0))
        .join(placed, on="account_id", how="anti")
        .join(held, on="borrower_id", how="anti")
        .join(_history(story), on="account_id", how="left", maintain_order="left")
        .select(
            case_reference="account_id",
            bucket="bucket",
            balance_minor="balance_minor",
            province_code="region",
            product="product",
            paid_months_6=pl.col("paid_months_6").fill_null(0),
        )
    )


def _history(story: Story) -> pl.DataFrame:
    kept = scenes.memory(story.home, "in-house", "history.parquet")
    if not kept.exists():
        months = book.history_frame(OPERATOR)
        keep(
            months.group_by("account_id")
            .agg(paid_months_6=(pl.col("paid_minor") > 0).sum().cast(pl.Int64))
            .sort("account_id"),
            kept,
        )
    return pl.read_parquet(kept)


def book_payments(story: Story, *, week: int, intensity: float) -> int:
    """Book what the desk's borrowers paid in the week, straight to the lender's account; give how many payments were new."""
    scene = story.scene
    monday = scene.start + timedelta(days=7 * week)
    due_file = scenes.memory(story.home, "in-house", f"week-{week:03d}.parquet")
    if not due_file.exists():
        held_file = scenes.memory(story.home, "in-house", f"held-{week:03d}.parquet")
        held = pl.read_parquet(held_file) if held_file.exists() else pl.DataFrame(schema=_HELD)
        played = behaviour.play_week(
            agency=desk(), cases=cases(story, week=week), week=week, starts_on=monday, seed=SEED, intensity=intensity
        )  # fmt: skip
        whole = pl.concat([held, played.payments.select(list(_HELD))]).sort("paid_on", "case_reference")
        later = pl.col("paid_on") > monday + timedelta(days=6)
        keep(whole.filter(later), scenes.memory(story.home, "in-house", f"held-{week + 1:03d}.parquet"))
        keep(whole.filter(~later), due_file)
    payments = pl.read_parquet(due_file).select(
        reference=pl.format("DESK-{}-{}", pl.lit(f"{week:03d}"), pl.int_range(pl.len())),
        account_id="case_reference",
        amount_minor="amount_minor",
        currency=pl.lit(CURRENCY),
        paid_on="paid_on",
        method=pl.lit("BANK"),
    )
    if payments.is_empty():
        return 0
    return ledger.book_direct_payments(
        actor=story.person("sun"), payments=payments, at=scene.at(week=week, day=7, hour=7)
    )


def record_cost(story: Story, *, month: date, end: date, worked: int, at: datetime) -> bool:
    """Book what the desk cost in a month up to `end`, from the demonstration's first day on; False when it stands already."""
    first = max(month, story.scene.start)
    seats = max(1, math.ceil(worked / ACCOUNTS_A_SEAT))
    return ledger.record_cost(
        actor=story.person("sun"),
        reference=f"desk-{first}-{end}",
        amount_minor=max(1, round(seats * SEAT_MINOR * (end - first).days / 30)),
        currency=CURRENCY,
        value_on=end - timedelta(days=1),
        at=at,
    )
