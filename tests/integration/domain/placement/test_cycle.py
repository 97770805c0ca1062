"""A run from its solution to placements, its replay and its explanation."""

from __future__ import annotations

from uuid import UUID

from weituo.domain.placement import queries

from tests.builders import actors
from tests.builders import placement as build


def test_a_run_becomes_placements_by_two_persons(db: str) -> None:
    desk = build.desk(count=40)
    lin = actors.staff()
    run_id = build.solved()
    head = queries.run(lin, run_id=run_id)
    assert head["state"] == "SOLVED" and head["accounts"] == 40
    assert head["expected_net_minor"] <= head["bound_minor"]
    assert head["proof"]["all_in_house_minor"] < head["expected_net_minor"]
    items = queries.run_items_frame(lin, run_id=run_id)
    assert items.height == 40 and items["expected_net_minor"].sum() == head["expected_net_minor"]
    assert sum(row["accounts"] for row in head["by_agency"]) == 40
    made = build.approved(run_id)
    frame = queries.placements_frame(lin)
    assert frame.height == made == items["agency_id"].is_not_null().sum()
    assert dict(frame.schema) == queries.PLACEMENTS
    assert frame["term_to"].unique().to_list() == [build.AS_OF.replace(month=9, day=2)]
    assert set(frame["fee_bps"]) == {1_800}
    assert frame["case_ref"].n_unique() == made and all(
        ref.split("-")[0] in {"ALPHA", "BETA"} for ref in frame["case_ref"]
    )
    assert set(frame["agency_id"]) <= {str(agency) for agency in desk.agencies.values()}
    assert queries.runs(lin)[0]["placements"] == made
    assert queries.replay(lin, run_id=run_id)["same"]
    told = queries.explain(lin, run_id=run_id, account_id=UUID(frame["account_id"][0]))
    assert {choice["code"] for choice in told["choices"]} == {"ALPHA", "BETA"}
    assert told["chosen"] in {"ALPHA", "BETA"}
