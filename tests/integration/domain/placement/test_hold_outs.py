"""Hold-outs: drawn by chance in whole borrowers, kept with the run, priced, left alone by later runs, readable."""

from __future__ import annotations

from datetime import date

import pytest

from weituo.domain.placement import errors, exclusions, queries, services

from tests.builders import actors
from tests.builders import placement as build


@pytest.mark.parametrize("kind", ["IN_HOUSE", "LEFT_ALONE"])
def test_what_is_held_out_goes_to_no_agency_and_has_its_price(db: str, kind: str) -> None:
    build.desk(count=40)
    lin = actors.staff()
    run_id = build.solved(hold_out=0.1, hold_out_kind=kind, exploration=0.1)
    head = queries.run(lin, run_id=run_id)
    items = queries.run_items_frame(lin, run_id=run_id)
    held = items.filter(items["held_out"] != "")
    assert held.height == 4 and set(held["held_out"]) == {kind} and set(held["code"]) == {""}
    assert set(held["probability"]) == {0.1} and not held["explored"].any()
    told = head["proof"]["hold_out"]
    assert (told["accounts"], told["units"], told["share"], told["months"]) == (4, 4, 0.1, 6)
    assert told["balance_minor"] == held["balance_minor"].sum()
    assert told["expected_net_minor"] == held["expected_net_minor"].sum()
    best = [
        max(choice["value_minor"] for choice in queries.explain(lin, run_id=run_id, account_id=account)["choices"])
        for account in held["account_id"]
    ]  # fmt: skip
    if kind == "IN_HOUSE":
        assert told["cost_minor"] == sum(best), "no limit binds: nothing is taken off"
    assert items["expected_net_minor"].sum() == head["expected_net_minor"] <= head["bound_minor"]
    assert sum(row["accounts"] for row in head["by_agency"]) + 4 == head["accounts"] == 40
    assert queries.replay(lin, run_id=run_id)["same"]
    assert queries.explain(lin, run_id=run_id, account_id=held["account_id"][0])["held_out"] == kind


def test_without_a_share_nothing_is_held_out(db: str) -> None:
    build.desk(count=20)
    head = queries.run(actors.staff(), run_id=build.solved())
    assert head["proof"]["hold_out"]["accounts"] == 0 == head["proof"]["hold_out"]["cost_minor"]


def test_an_approved_hold_out_stays_out_for_its_months_and_evaluation_can_read_it(db: str) -> None:
    build.desk(count=30)
    lin = actors.staff()
    first = build.solved(hold_out=0.2, hold_out_months=2)
    assert exclusions.hold_outs_frame(lin).is_empty(), "only approved runs hold out"
    build.approved(first)
    frame = exclusions.hold_outs_frame(lin)
    assert dict(frame.schema) == exclusions.HOLD_OUTS and frame.height == 6
    assert set(frame["held_to"]) == {date(2026, 5, 1)}
    services.recall(actor=lin, placement_ids=build.placement_ids(), reason="RETURNED_BY_AGENCY", at=build.AT)
    run = queries.run(lin, run_id=build.solved())
    assert run["exclusions"]["HELD_OUT"] == 6
    later = services.solve_run(actor=lin, seed=7, at=build.AT, as_of=date(2026, 5, 1))
    assert "HELD_OUT" not in queries.run(lin, run_id=later)["exclusions"]


def test_a_borrower_is_held_out_whole_and_not_while_an_agency_works_for_them(db: str) -> None:
    desk = build.desk(count=10)
    lin = actors.staff()
    build.book(3, strategy_id=desk.strategy_id, borrower_id=desk.borrowers[0])
    for seed in range(6):
        items = queries.run_items_frame(lin, run_id=build.solved(seed=seed, hold_out=0.2))
        mine = items.filter(~items["account_id"].is_in([str(one) for one in desk.accounts[1:]]))
        assert mine["held_out"].n_unique() == 1 and mine.height == 4
    build.approved(build.solved(exploration=0))
    build.book(2, strategy_id=desk.strategy_id, borrower_id=desk.borrowers[0])
    for seed in range(6):
        later = queries.run_items_frame(lin, run_id=build.solved(seed=seed, hold_out=0.2))
        assert set(later["held_out"]) == {""}


@pytest.mark.parametrize(
    "asked",
    [
        {"hold_out": 0.3},
        {"hold_out": -0.1},
        {"hold_out": 0.1, "hold_out_kind": "BURIED"},
        {"hold_out": 0.1, "hold_out_months": 0},
    ],
)
def test_a_hold_out_that_makes_no_sense_is_refused(db: str, asked: dict[str, object]) -> None:
    build.desk(count=4)
    with pytest.raises(errors.LimitsRefused) as refusal:
        build.solved(**asked)
    assert refusal.value.where.startswith("hold_out")
