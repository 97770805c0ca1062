"""The sentences above charts say what the figures say: no more, and with the right month."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from django.utils import translation

from weituo.domain.tracking.queries import CURVES
from weituo.web.presenters import business_case, contact, curves, evaluation, tracking

NOW = datetime(2026, 3, 9, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


def point(
    month: int, liquidation: float, *, plan: float | None = None, n: int = 100, half: float = 0.01
) -> dict[str, Any]:
    return {
        "agency_id": "a", "month": month, "n": n, "placed_minor": 1_000_000, "recovered_minor": round(1_000_000 * liquidation),
        "liquidation": liquidation, "low": liquidation - half, "high": liquidation + half, "plan": plan,
    }  # fmt: skip


class TestStanding:
    def test_behind_since_the_first_month_of_the_unbroken_run(self) -> None:
        found = curves.standing(
            [
                point(1, 0.02, plan=0.05), point(2, 0.08, plan=0.08), point(3, 0.09, plan=0.12), point(4, 0.10, plan=0.15),
            ]
        )  # fmt: skip
        assert (found["code"], found["since"]) == ("BEHIND", 3)
        assert curves.sentence(found, agency="Agency C") == "Agency C is behind plan since month 3"

    def test_a_target_inside_the_interval_cannot_be_told_apart(self) -> None:
        found = curves.standing([point(1, 0.02, plan=0.05), point(2, 0.075, plan=0.08)])
        assert found["code"] == "ON_PLAN"
        assert "cannot be told apart from its plan at month 2" in curves.sentence(found, agency="C")

    def test_ahead_of_plan(self) -> None:
        found = curves.standing([point(1, 0.05, plan=0.05), point(2, 0.12, plan=0.08)])
        assert (found["code"], found["since"]) == ("AHEAD", 2)

    def test_under_thirty_placements_nothing_is_said(self) -> None:
        found = curves.standing([point(1, 0.0, plan=0.5, n=29)])
        assert found["code"] == "TOO_EARLY"
        assert curves.sentence(found, agency="C") == "C: too early to say"

    def test_a_thin_last_month_does_not_decide(self) -> None:
        found = curves.standing([point(1, 0.05, plan=0.05), point(2, 0.01, plan=0.50, n=12)])
        assert (found["code"], found["point"]["month"]) == ("ON_PLAN", 1)

    def test_the_first_month_has_no_point_at_all(self) -> None:
        assert curves.standing([]) == {"code": "TOO_EARLY", "since": None, "point": None}

    def test_without_a_target_the_figure_alone_is_said(self) -> None:
        found = curves.standing([point(1, 0.083)])
        assert curves.sentence(found, agency="C").startswith("C recovered 8.3% by month 1")


class TestCurvesChart:
    def frame(self, *points: dict[str, Any]) -> pl.DataFrame:
        return pl.DataFrame(list(points), schema=CURVES)

    def test_own_curve_has_a_band_the_plan_dashes_and_peers_are_grey(self) -> None:
        frame = self.frame(
            point(1, 0.05, plan=0.06), point(2, 0.06, plan=0.10), point(3, 0.07, plan=0.12, n=9), point(1, 0.04) | {"agency_id": "b"}
        )  # fmt: skip
        names = {"a": "Agency A", "b": "Agency B"}
        rows = curves.standings(frame, names=names)
        assert [row["code"] for row in rows] == ["BEHIND", "NO_PLAN"]
        chart = curves.chart(frame, chosen=rows[0], names=names, on=date(2026, 6, 1))
        assert chart is not None
        assert chart["title"] == "Agency A is behind plan since month 2"
        assert chart["x"]["values"] == [1, 2]
        assert [one["style"] for one in chart["series"]] == ["solid", "dashed", "peer"]
        assert chart["series"][0]["low"] == pytest.approx([0.04, 0.05])
        assert chart["series"][2]["values"] == [0.04, None]
        assert "n = 100 placements at month 1, 100 at month 2; band: 95% interval." in chart["note"]
        assert "Too early to say for month 3: fewer than 30 placements." in chart["note"]

    def test_too_few_placements_draw_no_curve(self) -> None:
        frame = self.frame(point(1, 0.05, n=3))
        [row] = curves.standings(frame, names={"a": "A"})
        assert curves.chart(frame, chosen=row, names={"a": "A"}, on=date(2026, 6, 1)) is None


def promise(name: str, kept: int, broken: int, low: float, high: float) -> dict[str, Any]:
    return {
        "name_zh": name, "name_en": name, "kept": kept, "broken": broken, "kept_share": kept / (kept + broken), "kept_low": low,
        "kept_high": high,
    }  # fmt: skip


class TestPromises:
    def test_intervals_apart_name_the_better(self) -> None:
        rows = [promise("A", 80, 20, 0.71, 0.87), promise("B", 40, 60, 0.31, 0.50)]
        assert tracking.promises_title(rows) == "A has more promises kept than B"

    def test_intervals_that_touch_cannot_be_told_apart(self) -> None:
        rows = [promise("A", 60, 40, 0.50, 0.69), promise("B", 50, 50, 0.40, 0.60)]
        assert tracking.promises_title(rows) == "Agencies cannot be told apart by the promises kept"

    def test_few_promises_are_not_compared(self) -> None:
        rows = [promise("A", 10, 0, 0.72, 1.0), promise("B", 0, 10, 0.0, 0.28)]
        assert "too early" in tracking.promises_title(rows)


class TestConduct:
    def test_contacts_outside_the_permitted_hours_are_counted(self) -> None:
        rows = [
            {"weekday": 1, "hour": 10, "n": 7},
            {"weekday": 2, "hour": 22, "n": 2},
            {"weekday": 7, "hour": 7, "n": 1},
        ]
        chart = contact.hours_chart(rows, hours=(8, 22), zone="Asia/Shanghai")
        assert chart is not None
        assert chart["title"] == "3 of 10 contacts were made outside 08:00–22:00"
        assert chart["cells"] == [[10, 0, 7], [22, 1, 2], [7, 6, 1]]

    def test_the_narrowest_hours_of_the_rules_hold(self) -> None:
        rules = [
            {"parameters": {"from": "08:00", "to": "22:00"}},
            {"parameters": {}},
            {"parameters": {"from": "09:00", "to": "21:00"}},
        ]
        assert contact.permitted_hours(rules) == (9, 21)
        assert contact.permitted_hours([]) is None

    def test_refusals_sum_over_agencies(self) -> None:
        rows = [
            {"code": "X", "citation": "c", "agency_code": "A", "name_en": "A", "name_zh": "A", "n": 2},
            {"code": "Y", "citation": "d", "agency_code": "A", "name_en": "A", "name_zh": "A", "n": 4},
            {"code": "X", "citation": "c", "agency_code": "B", "name_en": "B", "name_zh": "B", "n": 3},
        ]
        assert [(one["code"], one["n"]) for one in contact.by_reason(rows)] == [("X", 5), ("Y", 4)]

    def test_a_clock_says_what_is_left_and_what_is_over(self) -> None:
        def clock(left: timedelta) -> dict[str, Any]:
            return contact.clock_of({"closed_at": None, "answer_due_at": NOW + left}, at=NOW)

        assert clock(timedelta(days=3)) == {"tone": "none", "text": "3 days left"}
        assert clock(timedelta(hours=5)) == {"tone": "watch", "text": "5 hours left"}
        assert clock(timedelta(days=-2)) == {"tone": "bad", "text": "answer overdue by 2 days"}

    def test_a_day_is_the_day_on_the_wall(self) -> None:
        zone = ZoneInfo("Asia/Shanghai")
        span = contact.period({"from": "2026-03-09"}, zone=zone, now=NOW, last=None)
        assert span["since"] == datetime(2026, 3, 8, 16, tzinfo=UTC)
        assert span["until"] - span["since"] == timedelta(days=1)


def card(
    name: str, verdict: str, *, n: int = 300, gap: tuple[float, float, float] | None = None
) -> dict[str, Any]:
    against = dict(zip(("value", "low", "high"), gap or (None, None, None), strict=True))
    return {
        "id": name, "name_zh": name, "name_en": name, "verdict": verdict, "rank_low": 1, "rank_high": 3,
        "figures": {
            "placements": n, "effective_placements": n * 0.8, "months": 3.0, "fair_net": {"value": 0.1, "low": 0.08, "high": 0.12, "n": n},
            "against_peers": against | {"n": n},
        },
        "parameters": {"rules": {"placements_min": 100, "effective_min": 30.0, "months_min": 1.0}},
    }  # fmt: skip


class TestVerdicts:
    def test_undecided_agencies_cannot_be_told_apart(self) -> None:
        cards = [
            card("A", "CANNOT_BE_TOLD_APART"),
            card("B", "CANNOT_BE_TOLD_APART"),
            card("C", "TOO_EARLY", n=9),
        ]
        assert evaluation.finding(cards) == "The agencies cannot be told apart"
        chart = evaluation.league_chart(cards)
        assert chart is not None
        assert chart["x"]["values"] == ["A", "B"]
        assert chart["note"].endswith("too early to say: C (n = 9)")

    def test_the_better_and_the_worse_are_named(self) -> None:
        assert (
            evaluation.finding([card("A", "BETTER"), card("B", "CANNOT_BE_TOLD_APART")])
            == "A is better than its peers"
        )
        assert (
            evaluation.finding([card("A", "BETTER"), card("B", "WORSE")])
            == "A: better than their peers; B: worse"
        )

    def test_all_too_early_draws_nothing(self) -> None:
        cards = [card("A", "TOO_EARLY"), card("B", "TOO_EARLY")]
        assert evaluation.finding(cards) == "Too early to say how the agencies compare"
        assert evaluation.league_chart(cards) is None

    def test_what_is_missing_for_a_verdict_is_named(self) -> None:
        assert evaluation.what_would_change(card("A", "TOO_EARLY", n=80)) == ["80 placements, 100 are needed"]

    def test_the_placements_needed_follow_the_square_root_law(self) -> None:
        said = evaluation.what_would_change(card("A", "CANNOT_BE_TOLD_APART", gap=(0.01, -0.01, 0.03)))
        assert said[0] == "A difference of 2.0 percentage points would have been seen."
        # twice the half width of the difference: four times the placements
        assert "+1.0 points is real, about 1,200 placements would show it; there are 300" in said[1]

    def test_a_verdict_says_how_far_it_is_from_falling(self) -> None:
        said = evaluation.what_would_change(card("A", "WORSE", gap=(-0.05, -0.08, -0.02)))
        assert said == ["The verdict would fall if the difference shrank by 2.0 percentage points."]


def way(code: str, bucket: str, *, n: int = 100, cost: float = 0.2, net: float = 0.05) -> dict[str, Any]:
    return {
        "way": code, "bucket": bucket, "n": n, "recovered_minor": 1_000, "cost_to_collect": cost, "net_share": net, "currency": "CNY",
    }  # fmt: skip


class TestBusinessCase:
    def test_the_cheaper_way_is_named_with_both_figures(self) -> None:
        total = {"IN_HOUSE": way("IN_HOUSE", "", cost=0.3), "AGENCY": way("AGENCY", "", cost=0.22)}
        assert business_case.finding(total, costs=3).startswith("Agencies cost less per 100 recovered: 22.0 against 30.0 in-house.")  # fmt: skip

    def test_a_missing_side_is_said(self) -> None:
        assert "no in-house cost is booked" in business_case.finding({"AGENCY": way("AGENCY", "")}, costs=0)

    def test_only_buckets_that_both_work_are_counted(self) -> None:
        lines = [
            way("IN_HOUSE", "M1", cost=0.1), way("AGENCY", "M1", cost=0.2), way("IN_HOUSE", "M2", cost=0.3), way("AGENCY", "M2", cost=0.2),
            way("AGENCY", "M3"), way("IN_HOUSE", "M4", n=9), way("AGENCY", "M4"),
        ]  # fmt: skip
        chart = business_case.bucket_chart(lines, field="cost_to_collect", currency="CNY")
        assert chart is not None
        assert chart["title"] == "Agencies cost less per 100 recovered in 1 of 2 buckets that both work"
        assert chart["series"][0]["values"] == [0.1, 0.3, None, None]
        assert "M3, M4" in chart["note"]
