"""Placement in the console: a run from batch to placements by clicking, its proof, its refusals, recall with its numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import polars as pl
import pytest

from weituo.domain.placement import queries, services
from weituo.domain.sharing import queries as sharing_queries
from weituo.domain.sharing import services as sharing
from weituo.foundation import clock
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors, jobs, pages
from tests.builders import contact as contact_build
from tests.builders import placement as build

LIN = actors.staff()
AT = build.AT


@pytest.fixture
def desk(databases: Any, story_template: Callable[..., str], clone_of: Callable[[str], str]) -> None:
    """A lender with 40 candidates and two agencies with room for 15 each."""
    clone_of(story_template("pages_desk", lambda: build.desk(count=40, capacity=15)))


@pytest.fixture
def solved(desk: None) -> UUID:
    """A solved run."""
    return build.solved()


def placed(run_id: UUID) -> pl.DataFrame:
    """The placements of a run, made as Lin and Zhao."""
    build.approved(run_id)
    return queries.placements_frame(LIN)


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_an_empty_room_teaches_and_says_what_is_missing(db: str, language: str) -> None:
    client = pages.browser(language=language)
    assert client.get("/placement/").status_code == 200
    assert client.get("/placement/placements/").status_code == 200
    for step in ("batch", "value", "limits"):
        response = client.get(f"/placement/new/{step}/")
        assert response.status_code == 200
        assert response.context["state"]["tone"] == "bad"
        assert response.context["state"]["next"]


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_first_steps_count_what_the_run_then_takes(desk: None, language: str) -> None:
    client = pages.browser(language=language)
    with clock.at_instant(AT):
        batch = client.get(f"/placement/new/batch/?as_of={build.AS_OF}")
        value = client.get(f"/placement/new/value/?as_of={build.AS_OF}")
        limits = client.get(f"/placement/new/limits/?as_of={build.AS_OF}")
    run = queries.run(LIN, run_id=build.solved())
    assert batch.context["batch"]["accounts"] == run["accounts"] == 40
    assert batch.context["batch"]["balance_minor"] == run["balance_minor"]
    assert {row["code"]: row["n"] for row in batch.context["exclusions"]} == run["exclusions"]
    rows = queries.explain(LIN, run_id=run["id"], account_id=_first(run["id"]))
    assert rows["choices"]
    assert (
        sum(row["expected_minor"] for row in value.context["buckets"])
        == value.context["batch"]["expected_minor"]
    )
    assert [(row["code"], row["room"], row["most"]) for row in limits.context["agencies"]] == [("ALPHA", 15, 15), ("BETA", 15, 15)]  # fmt: skip
    assert limits.context["state"]["tone"] == "watch"


def _first(run_id: UUID) -> UUID:
    return UUID(queries.run_items_frame(LIN, run_id=run_id)["account_id"][0])


def test_a_run_goes_from_batch_to_placements_by_clicking(desk: None) -> None:
    lin, zhao = pages.browser(), pages.browser(name="zhao")
    with clock.at_instant(AT):
        answer = lin.post(
            "/placement/new/solve/",
            {"as_of": str(build.AS_OF), "exploration": "10", "seed": "11", "most_ALPHA": "9", "least_ALPHA": "0", "most_BETA": "15", "least_BETA": "4"},
        )  # fmt: skip
        address = jobs.result(lin, answer)
        [run] = queries.runs(LIN)
        assert address == f"/placement/runs/{run['id']}/compare/"
        whole = queries.run(LIN, run_id=run["id"])
        assert (run["seed"], whole["parameters"]["exploration"]) == (11, 0.1)
        assert whole["parameters"]["limits"] == {
            "agencies": {"ALPHA": {"accounts_max": 9}, "BETA": {"accounts_min": 4}}
        }
        assert lin.get(address).status_code == 200
        lin.post(f"/placement/runs/{run['id']}/propose/")
        page = lin.get(f"/placement/runs/{run['id']}/approve/")
        assert not page.context["may_decide"]
        own = lin.post(f"/placement/runs/{run['id']}/approve/", {"decision": "approve", "term_months": "6"})
        assert own.status_code == 400
        assert "Whoever proposed a run cannot decide it" in pages.words(own)
        assert queries.placements_frame(LIN).is_empty()
        page = zhao.get(f"/placement/runs/{run['id']}/approve/")
        done = zhao.post(f"/placement/runs/{run['id']}/approve/", {"decision": "approve", "reason": "checked", "term_months": "3"}, follow=True)  # fmt: skip
    made = queries.placements_frame(LIN)
    wanted = sum(row["accounts"] for row in whole["by_agency"] if row["agency_id"])
    assert made.height == wanted
    assert f"{wanted} accounts" in page.context["consequence"]
    assert f"{wanted} accounts are placed or offered." in pages.words(done)
    assert made["term_to"].unique().to_list() == [AT.date().replace(month=6)]
    assert done.context["state"]["tone"] == "good"


def test_a_limit_can_be_tightened_but_not_widened_and_the_form_keeps_what_was_typed(desk: None) -> None:
    client = pages.browser()
    typed = {"as_of": str(build.AS_OF), "exploration": "5", "seed": "3", "most_ALPHA": "16", "most_BETA": "2"}
    with clock.at_instant(AT):
        wide = client.post("/placement/new/solve/", typed)
        chance = client.post("/placement/new/solve/", typed | {"most_ALPHA": "4", "exploration": "60"})
        words = client.post("/placement/new/solve/", typed | {"most_ALPHA": "many"})
        least = client.post("/placement/new/solve/", typed | {"most_ALPHA": "4", "least_ALPHA": "5"})
        refused = jobs.done(client, least)
        back = client.get(refused.context["state"]["next"][0]["url"])
    assert refused.context["job"]["state"] == "REFUSED"
    assert {row["code"]: (row["least"], row["most"]) for row in back.context["agencies"]}["ALPHA"] == (
        "5",
        "4",
    )
    for answer in (wide, chance, words):
        assert answer.status_code == 400
        assert answer.context["problem"]
    assert {row["code"]: row["most"] for row in wide.context["agencies"]} == {"ALPHA": "16", "BETA": "2"}
    assert chance.context["asked"].exploration == "60"
    assert queries.runs(LIN) == []


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_every_page_of_a_run_shows_figures_that_its_rows_add_up_to(solved: UUID, language: str) -> None:
    client = pages.browser(language=language)
    items = queries.run_items_frame(LIN, run_id=solved)
    with clock.at_instant(AT):
        page = client.get(f"/placement/runs/{solved}/")
        listed = client.get("/placement/")
        shown = client.get(f"/placement/runs/{solved}/accounts/?agency=ALPHA")
    assert page.context["run"]["expected_net_minor"] == items["expected_net_minor"].sum()
    assert page.context["run"]["gap_minor"] >= 0
    for row in page.context["agencies"]:
        mine = items.filter(pl.col("code") == row["code"])
        assert (row["accounts"], row["balance_minor"], row["explored"]) == (mine.height, mine["balance_minor"].sum(), mine["explored"].sum())  # fmt: skip
        assert row["expected_net_minor"] == mine["expected_net_minor"].sum()
    assert page.context["prices"], "both agencies are full, so a place has a price"
    assert "¥" in page.context["prices"][0]
    assert listed.context["runs"][0]["worth_minor"] == page.context["run"]["worth_minor"]
    assert len(shown.context["rows"]) == items.filter(pl.col("code") == "ALPHA").height


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_comparison_counts_money_and_broken_limits(solved: UUID, language: str) -> None:
    run = queries.run(LIN, run_id=solved)
    page = pages.browser(language=language).get(f"/placement/runs/{solved}/compare/")
    own, *rivals = page.context["rows"]
    assert own["worth_minor"] == run["expected_net_minor"] - run["proof"]["all_in_house_minor"]
    assert [row["n_broken"] for row in rivals] == [len(run["rivals"][key]["broken"]) for key in ("round_robin", "greedy")]  # fmt: skip
    for row in rivals:
        assert row["less_minor"] == run["expected_net_minor"] - row["net_minor"]
    assert page.context["state"]["tone"] in {"good", "watch"}


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_one_account_is_explained_by_what_each_agency_is_worth(solved: UUID, language: str) -> None:
    items = queries.run_items_frame(LIN, run_id=solved).filter(~pl.col("explored"))
    client = pages.browser(language=language)
    for code in ("ALPHA", ""):
        account = items.filter(pl.col("code") == code)["account_id"][0]
        page = client.get(f"/placement/runs/{solved}/accounts/{account}/")
        assert page.status_code == 200
        best = max(page.context["choices"], key=lambda row: row["margin_minor"])
        chosen = [row["code"] for row in page.context["choices"] if row["chosen"]]
        assert chosen == ([code] if code else [])
        # whoever is chosen has the greatest margin, up to the one account that the rounding may move
        assert best["margin_minor"] >= 0 if code else best["margin_minor"] <= 5_000
    assert client.get(f"/placement/runs/{solved}/accounts/{new_id()}/").status_code == 404


def test_a_replay_gives_the_same_digest(solved: UUID) -> None:
    page = pages.browser().get(f"/placement/runs/{solved}/replay/")
    assert page.context["state"]["tone"] == "good"
    assert page.context["found"]["replayed_digest"] == queries.run(LIN, run_id=solved)["result_digest"]


def test_placements_are_filtered_and_one_tells_its_history(solved: UUID) -> None:
    made = placed(solved)
    client = pages.browser()
    alpha = made.filter(pl.col("agency_id") == made["agency_id"][0])
    page = client.get(f"/placement/placements/?agency={made['agency_id'][0]}&state=ACTIVE")
    assert page.context["total"] == alpha.height
    assert client.get("/placement/placements/?agency=x&state=y&page=z").context["total"] == made.height
    one = client.get(f"/placement/placements/?case={made['case_ref'][3].lower()}")
    assert [row["case_ref"] for row in one.context["rows"]] == [made["case_ref"][3]]
    history = client.get(f"/placement/placements/{made['placement_id'][0]}/")
    assert history.status_code == 200
    assert made["case_ref"][0] in pages.words(history)
    assert client.get(f"/placement/placements/{new_id()}/").status_code == 404


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_a_case_that_was_worked_shows_permits_and_contacts(db: str, language: str) -> None:
    from weituo.domain.contact import services as contact

    bench = contact_build.bench()
    case, system = bench.cases[0], actors.agency_system(bench.agency_id)
    [permit] = contact.ask_permits(
        actor=system,
        requests=[contact.PermitRequest(case_ref=case.case_ref, badge=bench.badge, contact_point_id=bench.point(), channel="VOICE", purpose="COLLECT", planned_at=contact_build.MORNING + timedelta(minutes=5))],
        at=contact_build.MORNING,
    )  # fmt: skip
    page = pages.browser(language=language).get(f"/placement/placements/{case.placement_id}/")
    assert [row["id"] for row in page.context["permits"]] == [permit.permit_id]
    assert page.context["attempts"] == []


def test_a_recall_says_its_numbers_asks_for_a_coded_reason_and_takes_the_cases_out_of_packages(
    solved: UUID,
) -> None:
    import pyrage

    made = placed(solved)
    agency = made["agency_id"][0]
    sharing.register_recipient(actor=LIN, agency_id=UUID(agency), public_key=str(pyrage.x25519.Identity.generate().to_public()), at=AT)  # fmt: skip
    with clock.at_instant(AT + timedelta(hours=1)):
        sharing.build_package(actor=LIN, agency_id=UUID(agency), run_id=solved, at=clock.now())
        client, address = pages.browser(), f"/placement/recall/?agency={agency}"
        mine = made.filter(pl.col("agency_id") == agency)
        page = client.get(address)
        assert (
            page.context["consequence"]
            == f"{mine.height} placements will be recalled, taken out of 1 package."
        )
        assert client.post(address, {"n": mine.height, "reason": ""}).status_code == 400
        assert client.post(address, {"n": mine.height + 1, "reason": "CONDUCT"}).status_code == 400
        assert client.post(address, {"n": mine.height, "reason": "NO_SUCH"}).status_code == 400
        assert queries.placements_frame(LIN).filter(pl.col("state") == "ACTIVE").height == made.height
        client.post(address, {"n": mine.height, "reason": "CONDUCT"})
        after = client.get(f"/placement/placements/{mine['placement_id'][0]}/")
    now = queries.placements_frame(LIN)
    assert now.filter(pl.col("recall_reason") == "CONDUCT").height == mine.height
    assert [row["state"] for row in sharing_queries.packages(LIN)] == ["REVOKED"]
    assert "conduct of the agency" in pages.words(after)
    assert not after.context["recall"]


def test_nothing_chosen_recalls_nothing(solved: UUID) -> None:
    made = placed(solved)
    client = pages.browser()
    assert client.get("/placement/recall/").context["n"] == 0
    assert client.get("/placement/recall/?agency=x").context["n"] == 0
    client.post("/placement/recall/", {"n": "0", "reason": "CONDUCT"})
    assert queries.placements_frame(LIN).filter(pl.col("state") == "ACTIVE").height == made.height
    one = client.get(f"/placement/recall/?placement={made['placement_id'][0]}")
    assert one.context["n"] == 1


def test_who_may_not_decide_or_recall_is_refused(solved: UUID) -> None:
    analyst, auditor = pages.browser(Role.ANALYST, name="wu"), pages.browser(Role.AUDITOR, name="au")
    services.propose_run(actor=LIN, run_id=solved, at=AT)
    refused = analyst.post(f"/placement/runs/{solved}/approve/", {"decision": "approve", "term_months": "6"})
    assert refused.status_code in {400, 403}
    assert not analyst.get(f"/placement/runs/{solved}/approve/").context["may_decide"]
    assert analyst.get("/placement/recall/").status_code == 403
    assert auditor.get("/placement/new/batch/").status_code == 403
    assert auditor.get(f"/placement/runs/{solved}/").status_code == 200
    assert queries.placements_frame(LIN).is_empty()


def test_the_number_of_statements_does_not_grow_with_rows(desk: None) -> None:
    client = pages.browser()
    run = build.solved()
    placed(run)
    addresses = [
        "/placement/",
        "/placement/placements/",
        f"/placement/runs/{run}/",
        f"/placement/runs/{run}/accounts/",
    ]
    for address in addresses:
        client.get(address)
    few = [pages.statements(client, address) for address in addresses]
    for seed in range(5):
        build.solved(seed=seed)
    assert [pages.statements(client, address) for address in addresses] == few
