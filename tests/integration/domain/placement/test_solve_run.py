"""Solving a run: who is in, who is left out and why, what it rests on, what it refuses."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from weituo.domain.book import services as book_services
from weituo.domain.partners import services as partners
from weituo.domain.placement import errors, queries, services
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed, NotFound, Refusal
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders import placement as build


def test_accounts_that_must_not_go_out_are_counted_by_reason(db: str) -> None:
    desk = build.desk(count=30)
    care = actors.staff(Role.CARE)
    build.book(3, treatment="IN_HOUSE", strategy_id=desk.strategy_id)
    build.book(2, currency="TWD", strategy_id=desk.strategy_id)
    book_services.place_hold(
        actor=care,
        borrower_id=desk.borrowers[0],
        account_id=None,
        kind="DECEASED",
        reason="told",
        at=build.AT,
    )
    book_services.place_hold(
        actor=care, borrower_id=desk.borrowers[1], account_id=desk.accounts[1], kind="DISPUTE", reason="told", at=build.AT
    )  # fmt: skip
    book_services.place_hold(
        actor=care,
        borrower_id=desk.borrowers[2],
        account_id=None,
        kind="VULNERABLE",
        reason="told",
        at=build.AT,
    )
    head = queries.run(actors.staff(), run_id=build.solved())
    assert head["exclusions"] == {"DECEASED": 1, "DISPUTE": 1, "OTHER_CURRENCY": 2, "OTHER_TREATMENT": 3}
    assert (head["accounts"], head["currency"]) == (28, "CNY")


def test_tier_region_and_earlier_agencies_limit_where_an_account_goes(db: str) -> None:
    desk = build.book(10, region="440000", tier_max=2)
    build.book(5, region="110000", tier_max=1, strategy_id=desk.strategy_id)
    build.model_in_use()
    build.agency("SOUTH", regions=["44"], tier=2)
    build.agency("NORTH", regions=["110000"], tier=1)
    build.agency("LOW", tier=3)
    build.agency("UNPAPERED", tier=1, papers=("LICENCE", "SECURITY", "SERVICE"))
    build.agency("UNLICENSED", tier=1, papers=("SECURITY", "CONFIDENTIALITY", "SERVICE"))
    build.agency("UNCERTIFIED", tier=1, papers=("LICENCE", "CONFIDENTIALITY", "SERVICE"))
    lin = actors.staff()
    run_id = build.solved(exploration=0.3)
    items = queries.run_items_frame(lin, run_id=run_id)
    by_region = items.group_by("region").agg("code").sort("region").to_dicts()
    assert set(by_region[0]["code"]) <= {"NORTH", ""} and set(by_region[1]["code"]) <= {"SOUTH", ""}
    assert [row["code"] for row in queries.run(lin, run_id=run_id)["by_agency"]] == [
        "LOW",
        "NORTH",
        "SOUTH",
        "",
    ]
    account = UUID(items.filter(items["region"] == "440000")["account_id"][0])
    told = {
        row["code"]: row["why_not"]
        for row in queries.explain(lin, run_id=run_id, account_id=account)["choices"]
    }
    assert told == {"LOW": "TIER", "NORTH": "REGION", "SOUTH": ""}
    with pytest.raises(NotFound):
        queries.explain(lin, run_id=run_id, account_id=new_id())


def test_an_account_does_not_go_back_to_an_agency_that_had_it(db: str) -> None:
    build.desk(count=6)
    lin = actors.staff()
    first = build.solved(exploration=0)
    build.approved(first)
    before = {row["account_id"]: row["agency_id"] for row in queries.placements_frame(lin).to_dicts()}
    services.recall(actor=lin, placement_ids=build.placement_ids(), reason="RETURNED_BY_AGENCY", at=build.AT)
    build.approved(build.solved(exploration=0))
    again = queries.placements_frame(lin).filter(queries.placements_frame(lin)["state"] == "ACTIVE")
    assert again.height > 0
    assert set(again["sequence"]) == {2}
    assert all(before[row["account_id"]] != row["agency_id"] for row in again.to_dicts())


def test_a_borrower_never_hears_from_two_agencies(db: str) -> None:
    desk = build.desk(count=10, capacity=30)
    lin = actors.staff()
    build.book(3, strategy_id=desk.strategy_id, borrower_id=desk.borrowers[0])
    run_id = build.solved(exploration=0.5)
    items = queries.run_items_frame(lin, run_id=run_id)
    together = items.filter(~items["account_id"].is_in([str(one) for one in desk.accounts[1:]]))
    assert together.height == 4 and together["agency_id"].drop_nulls().n_unique() == 1
    build.approved(run_id)
    build.book(2, strategy_id=desk.strategy_id, borrower_id=desk.borrowers[0])
    second = build.solved(exploration=0.5)
    later = queries.run_items_frame(lin, run_id=second)
    assert set(later["agency_id"].drop_nulls()) <= set(together["agency_id"].drop_nulls())
    told = queries.explain(lin, run_id=second, account_id=UUID(later["account_id"][0]))
    assert sorted(choice["why_not"] for choice in told["choices"]) == ["", "ONE_A_BORROWER"]
    assert queries.replay(lin, run_id=run_id)["same"]


def test_capacity_and_stated_limits_are_kept_and_priced(db: str) -> None:
    build.desk(count=40, capacity=15)
    lin = actors.staff()
    run_id = build.solved(
        limits={"agencies": {"BETA": {"accounts_max": 5, "accounts_min": 2}}, "mix_tolerance": 0.5},
        exploration=0,
    )
    rows = {row["code"]: row for row in queries.run(lin, run_id=run_id)["by_agency"]}
    assert rows["ALPHA"]["accounts"] == 15 and rows["BETA"]["accounts"] == 5 and rows[""]["accounts"] == 20
    assert rows["ALPHA"]["binding"] and rows["BETA"]["prices"][0]["price"] > 0
    assert rows["BETA"]["name_en"] == "BETA Ltd"
    rivals = queries.run(lin, run_id=run_id)["rivals"]
    assert {broken["limit"] for broken in rivals["round_robin"]["broken"]} == {"accounts_max"}


def test_better_stated_figures_win_but_are_shrunk(db: str) -> None:
    desk = build.book(20)
    build.model_in_use()
    build.agency("GOOD", liquidation=0.24)
    build.agency("POOR", liquidation=0.16)
    lin = actors.staff()
    run_id = build.solved(exploration=0)
    assert set(queries.run_items_frame(lin, run_id=run_id)["code"]) <= {"GOOD", ""}
    choices = queries.explain(lin, run_id=run_id, account_id=desk.accounts[3])["choices"]
    good, poor = choices[0], choices[1]
    assert 1 < good["expected_minor"] / poor["expected_minor"] < 0.24 / 0.16
    assert good["net_minor"] == good["expected_minor"] - good["commission_minor"] - good["cost_minor"]


IMPOSSIBLE: list[tuple[dict[str, Any], type[Refusal]]] = [
    ({"strange": 1}, errors.LimitsRefused),
    ({"agencies": {"NOBODY": {}}}, errors.LimitsRefused),
    ({"agencies": {"ALPHA": {"colour": 1}}}, errors.LimitsRefused),
    ({"agencies": {"ALPHA": {"accounts_max": -1}}}, errors.LimitsRefused),
    ({"agencies": {"ALPHA": {"accounts_max": 1.5}}}, errors.LimitsRefused),
    ({"mix_tolerance": 2}, errors.LimitsRefused),
    ({"prices": {"tea": 1}}, errors.LimitsRefused),
    ({"prices": {"placing_minor": -1}}, errors.LimitsRefused),
    ({"prices": {"in_house_bps": {"M9": 1}}}, errors.LimitsRefused),
    ({"agencies": {"ALPHA": {"accounts_min": 9, "accounts_max": 8}}}, errors.LimitsBackwards),
    ({"agencies": {"ALPHA": {"balance_min_minor": 10**12}}}, errors.LimitsTooHigh),
    ({"agencies": {"ALPHA": {"accounts_min": 11}, "BETA": {"accounts_min": 11}}}, errors.LimitsTooHigh),
    ({"agencies": {"ALPHA": {"accounts_min": 10, "balance_max_minor": 10_000}}}, errors.LimitsTogether),
]


def test_limits_that_cannot_stand_are_refused_with_their_figures(db: str) -> None:
    build.desk(count=20)
    for limits, refusal in IMPOSSIBLE:
        with pytest.raises(refusal) as caught:
            build.solved(limits=limits)
        assert "%(" not in str(caught.value)
        assert caught.value.where
    assert queries.runs(actors.staff()) == []


def test_exploration_has_bounds_and_prices_are_recorded(db: str) -> None:
    build.desk(count=5)
    with pytest.raises(errors.LimitsRefused):
        build.solved(exploration=0.9)
    run_id = build.solved(limits={"prices": {"placing_minor": 900, "in_house_bps": {"M2": 1_000}}})
    prices = queries.run(actors.staff(), run_id=run_id)["parameters"]["prices"]
    assert (prices["placing_minor"], prices["in_house_bps"]["M2"], prices["in_house_bps"]["M3"]) == (
        900,
        1_000,
        5_000,
    )


def test_what_is_missing_is_named(db: str) -> None:
    lin = actors.staff()
    with pytest.raises(errors.NotTreated):
        build.solved()
    desk = build.book(3)
    with pytest.raises(errors.NoModel):
        build.solved()
    model_id = build.model_in_use()
    with pytest.raises(errors.NoEligibleAgency):
        build.solved()
    agency = build.agency("ALPHA", regions=["11"])
    with pytest.raises(errors.NothingToPlace) as caught:
        build.solved()
    assert "NO_AGENCY 3" in caught.value.facts["reasons"]
    partners.suspend(actor=lin, agency_id=agency, reason="papers", at=build.AT)
    with pytest.raises(errors.NoEligibleAgency):
        build.solved()
    build.agency("BETA")
    artefact = build.models_folder() / queries.model(lin, model_id=model_id)["artefact"]
    kept = artefact.read_bytes()
    try:
        artefact.write_bytes(kept + b"x")
        with pytest.raises(errors.ModelUnusable):
            build.solved()
        artefact.unlink()
        with pytest.raises(errors.ModelUnusable):
            build.solved()
    finally:
        artefact.write_bytes(kept)
    assert queries.run(lin, run_id=build.solved())["accounts"] == len(desk.accounts)


def test_the_same_inputs_give_the_same_digests_and_an_altered_row_is_found(db: str) -> None:
    build.desk(count=25)
    lin = actors.staff()
    first, second, other = build.solved(), build.solved(), build.solved(seed=8)
    heads = [queries.run(lin, run_id=run_id) for run_id in (first, second, other)]
    assert heads[0]["inputs_digest"] == heads[1]["inputs_digest"] != heads[2]["inputs_digest"]
    assert heads[0]["result_digest"] == heads[1]["result_digest"]
    assert [head["number"] for head in heads] == [1, 2, 3]
    assert queries.replay(lin, run_id=first)["same"]
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE placement_run_item SET probability = 0.5 WHERE run_id = %s AND account_id = (SELECT account_id FROM placement_run_item WHERE run_id = %s LIMIT 1)",
            [first, first],
        )
        journal.write(actor=actors.worker(), at=build.AT, act="test.alter", entries=[])
    told = queries.replay(lin, run_id=first)
    assert (told["same"], told["result_same"], told["rows_same"]) == (False, True, False)


def test_a_run_stands_in_the_audit_and_its_inputs_cannot_be_changed(db: str) -> None:
    build.desk(count=5)
    run_id = build.solved()
    auditor = actors.staff(Role.AUDITOR, name="auditor")
    [entry] = journal.entries(auditor, act="placement.solve_run")
    assert entry["ref"] == str(run_id)
    with (
        pytest.raises(Exception, match="append|denied|refuse"),
        transactions.transaction(actors.worker()),
        transactions.connection().cursor() as cursor,
    ):
        cursor.execute("UPDATE placement_run_inputs SET body = '' WHERE run_id = %s", [run_id])
    with pytest.raises(NotAllowed):
        services.solve_run(actor=actors.staff(Role.CARE), seed=1, at=build.AT, as_of=build.AS_OF)


@pytest.mark.parametrize("agencies", [5, "x", ["A"], {"A": 5}, {"A": [1]}])
def test_limits_of_another_shape_are_refused(db: str, agencies: object) -> None:
    with pytest.raises(errors.LimitsRefused) as refusal:
        build.solved(limits={"agencies": agencies})
    assert refusal.value.where == "agencies"
