"""The numbers that the explanations work through are computed again from the code."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from weituo.core import comparison, conduct, money
from weituo.core.allocation import rivals
from weituo.core.allocation.placing import Question, place
from weituo.core.money import commissions
from weituo.core.recovery import buckets, curves, intervals

EXPLAINED = Path(__file__).resolve().parents[3] / "docs" / "explanation"


def worked(page: str, name: str) -> dict[str, Any]:
    """Read one block of worked numbers from a page."""
    text = (EXPLAINED / f"{page}.md").read_text(encoding="utf-8")
    [body] = re.findall(rf"```toml\n# worked: {name}\n(.*?)```", text, re.DOTALL)
    return tomllib.loads(body)


def test_a_payment_is_applied_as_explained() -> None:
    given = worked("accounting", "payment")
    due = {part: given[f"{part}_minor"] for part in money.DEFAULT_ORDER}
    applied = money.Waterfall().apply(amount_minor=given["paid_minor"], due_minor=due)
    assert {**applied.parts, "unapplied": applied.unapplied_minor} == given["applied"]
    taken = given["paid_minor"] - applied.unapplied_minor
    assert sum(due.values()) - taken == given["result"]["balance_minor"]
    assert (
        money.commission_minor(amount_minor=taken, fee_bps=given["fee_bps"])
        == given["result"]["commission_minor"]
    )


@pytest.mark.parametrize("kind", ["stepped", "marginal"])
def test_schedules_give_the_commissions_explained(kind: Any) -> None:
    given = worked("accounting", "schedule")
    tiers = tuple(commissions.Tier(from_minor=start, fee_bps=bps) for start, bps in given["tiers"])
    schedule = money.FeeSchedule(tiers=tiers, kind=kind)
    assert schedule.commission_minor(amount_minor=given["recovered_minor"]) == given["commission_minor"][kind]


def test_buckets_are_as_explained() -> None:
    given = worked("recovery", "buckets")
    assert [buckets.bucket_of(days) for days in given["days_past_due"]] == given["bucket"]


def test_a_curve_leaves_young_placements_out_as_explained() -> None:
    given = worked("recovery", "curve")
    placements = pl.DataFrame(
        {
            "placement_id": range(len(given["placed_on"])),
            "agency_id": "A",
            "placed_on": given["placed_on"],
            "placed_minor": given["placed_minor"],
        }
    )
    payments = pl.DataFrame(
        {"placement_id": given["paid_of"], "paid_on": given["paid_on"], "amount_minor": given["amount_minor"]}
    )
    curve = curves.liquidation_curve(
        placements=placements, payments=payments, at=given["at"], months=3, resamples=0
    )
    assert {f"month_{row['month']}": {"n": row["n"], "recovered_minor": row["recovered_minor"]} for row in curve.to_dicts()} == {
        month: given[month] for month in ("month_1", "month_2", "month_3")
    }  # fmt: skip


def test_an_interval_is_as_explained() -> None:
    given = worked("recovery", "wilson")
    found = intervals.wilson(successes=given["successes"], n=given["n"])
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (
        given["value"],
        given["low"],
        given["high"],
    )


def test_a_call_at_night_is_refused_as_explained() -> None:
    given = worked("conduct", "hours")
    planned: datetime = given["refused_at"]
    assert f"{planned.astimezone(ZoneInfo(given['zone'])):%H:%M}" == given["local"]
    facts = conduct.Facts(
        zones=(given["zone"],),
        statuses=frozenset(),
        contacts=(),
        consents=(),
        point_valid=True,
        borrower_points_invalid=False,
        collector_registered=True,
        collector_trained=True,
        agreement_live=True,
        contacts_per_week_max=7,
    )
    decision = conduct.evaluate(
        request=conduct.Request(
            channel="call", contact_point="p", planned_at=planned, recipient="borrower", discloses_debt=True
        ),
        facts=facts,
        packs=conduct.load(("cn", "lender")),
        at=planned - timedelta(minutes=1),
    )
    assert not decision.allowed
    assert [reason.rule for reason in decision.reasons] == [given["rule"]]
    assert decision.earliest_next == given["earliest_next"].astimezone(UTC)


def test_the_best_plan_and_its_bound_are_as_explained() -> None:
    given = worked("placement", "assignment")
    value = np.array(given["value_minor"], dtype=np.int64)
    question = Question(
        accounts=np.array([f"account {number}" for number in range(len(value))]),
        agencies=tuple(given["agencies"]),
        value_minor=value,
        eligible=np.ones(value.shape, dtype=np.bool_),
        balance_minor=np.array(given["balance_minor"], dtype=np.int64),
        segment=np.zeros(len(value), dtype=np.int64),
        limits={"count_max": given["accounts_max"]},
        tiers=given["tier"],
    )

    def names(assignment: Any) -> list[str]:
        return [
            given["agencies"][position] if 0 <= position < len(given["agencies"]) else "in-house"
            for position in assignment
        ]

    answer = place(question=question, seed=1, share=0)
    assert names(answer.assignment) == given["best"]
    assert answer.value_minor == given["best_minor"]
    assert answer.bound_minor == given["bound_minor"]
    by_hand = rivals.by_tier(problem=answer.problem, tiers=given["tier"], columns=[0, 1], home=2)
    assert names(by_hand) == given["by_hand"]
    assert answer.rivals["greedy"]["value_minor"] == given["by_hand_minor"]


@pytest.mark.parametrize("times", [1, 10])
def test_the_fair_comparison_is_as_explained(times: int) -> None:
    given = worked("comparison", "fair")
    explained = given[f"times_{times}"]
    rows = [
        (bucket, arm, probability, float(number < paid * times))
        for bucket, arm, probability, placements, paid in given["cells"]
        for number in range(placements * times)
    ]
    assert len(rows) == explained["placements"]
    frame = pl.DataFrame(rows, schema=["bucket", "arm", "probability", "outcome"], orient="row").with_columns(
        # ids in no order of the outcome, as ids of placements are: the folds mix paid and unpaid
        unit=pl.Series([f"{number * 7_919 % len(rows):06}" for number in range(len(rows))]),
        weight=1.0,
        expected=pl.when(pl.col("bucket") == "M1").then(0.3).otherwise(0.06),
        months=3.0,
    )
    arms = {arm.arm: arm for arm in comparison.compare(frame).arms}
    b = arms["B"]
    assert {name: round(arm.raw, 3) for name, arm in arms.items()} == given["raw"]
    assert {name: round(arm.value, 3) for name, arm in arms.items()} == given["fair"]
    assert {name: round(arm.effective / times) for name, arm in arms.items()} == given["effective"]
    assert [round(b.difference_low or 0, 3), round(b.difference_high or 0, 3)] == explained["b_less_a"]
    assert (b.verdict.value, [b.rank_low, b.rank_high]) == (explained["verdict_b"], explained["rank_b"])
