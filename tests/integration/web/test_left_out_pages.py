"""Whom a run leaves out and holds out, and an agency's relations, as staff see them in the console."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from weituo.domain.book import services as book
from weituo.domain.partners import services as partners
from weituo.domain.placement import queries, services
from weituo.foundation import clock
from weituo.foundation.identity.roles import Role

from tests.builders import actors, jobs, pages
from tests.builders import placement as build

LIN = actors.staff()
AT = build.AT


def scrubbed() -> build.Desk:
    """40 candidates, three of them on hold, one of those for two reasons; ALPHA had 15, and BETA is its sister."""
    desk = build.desk(count=40, capacity=15)
    for number, kind in ((0, "DECEASED"), (0, "DISPUTE"), (1, "DISPUTE"), (2, "SOLD")):
        book.place_hold(
            actor=actors.staff(Role.CARE), borrower_id=desk.borrowers[number], account_id=None, kind=kind, reason="told", at=AT
        )  # fmt: skip
    build.agency("GAMMA", capacity=60)
    build.approved(build.solved(exploration=0, limits={"agencies": {"BETA": {"accounts_max": 0}, "GAMMA": {"accounts_max": 0}}}))  # fmt: skip
    services.recall(actor=LIN, placement_ids=build.placement_ids(), reason="RETURNED_BY_AGENCY", at=AT)
    for code in ("ALPHA", "BETA"):
        partners.enter_group(actor=LIN, agency_id=desk.agencies[code], group="Holding", reason="register", at=AT, active_from=build.AS_OF)  # fmt: skip
    return desk


_told: dict[str, build.Desk] = {}


@pytest.fixture
def desk(databases: Any, story_template: Callable[..., str], clone_of: Callable[[str], str]) -> build.Desk:
    """The scrubbed desk."""

    def tell() -> None:
        _told["desk"] = scrubbed()

    clone_of(story_template("scrubbed", tell))
    return _told["desk"]


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_batch_step_says_who_is_left_out_and_who_is_kept_from_whom(
    desk: build.Desk, language: str
) -> None:
    client = pages.browser(language=language)
    with clock.at_instant(AT):
        batch = client.get(f"/placement/new/batch/?as_of={build.AS_OF}")
        counted = {row["code"]: row["n"] for row in batch.context["exclusions"]}
        assert counted == {"DISPUTE": 1, "DECEASED": 1, "SOLD": 1}
        [sister, same] = sorted(batch.context["barred"], key=lambda text: "ALPHA" in text)
        assert "15" in sister and "BETA" in sister and "15" in same and "ALPHA" in same
        assert batch.context["batch"]["borrowers"] == 37
        listed = client.get(
            next(row["url"] for row in batch.context["exclusions"] if row["code"] == "DECEASED")
        )
    [row] = listed.context["rows"]
    assert row["account_id"] == desk.accounts[0] and len(row["others"]) == 1
    assert f'href="/book/accounts/{desk.accounts[0]}/"' in listed.content.decode()


def test_a_run_shows_whom_it_left_out_as_a_list_and_as_a_file(desk: build.Desk) -> None:
    client = pages.browser()
    run_id = build.solved()
    assert client.get(f"/placement/runs/{run_id}/").context["barred"]
    page = client.get(f"/placement/runs/{run_id}/left-out/?reason=DISPUTE")
    assert [row["account_id"] for row in page.context["rows"]] == [desk.accounts[1]]
    assert {option["value"]: option["n"] for option in page.context["reasons"]} == {"DECEASED": 1, "SOLD": 1, "DISPUTE": 1}  # fmt: skip
    everything = client.get(f"/placement/runs/{run_id}/left-out/?reason=WEATHER&page=x")
    assert len(everything.context["rows"]) == 3
    file = client.get(f"/placement/runs/{run_id}/left-out/file/")
    rows = list(csv.DictReader(io.StringIO(b"".join(file.streaming_content).decode("utf-8-sig"))))
    assert {row["account"]: row["reasons"] for row in rows} == {
        desk.accounts[0].hex: "DECEASED DISPUTE",
        desk.accounts[1].hex: "DISPUTE",
        desk.accounts[2].hex: "SOLD",
    }


def test_the_list_takes_as_many_statements_however_long_it_is(desk: build.Desk) -> None:
    client = pages.browser()
    first = f"/placement/runs/{build.solved()}/left-out/"
    client.get(first)
    few = pages.statements(client, first)
    for number in range(3, 30):
        book.place_hold(
            actor=actors.staff(Role.CARE), borrower_id=desk.borrowers[number], account_id=None, kind="LEGAL", reason="told", at=AT
        )  # fmt: skip
    assert pages.statements(client, f"/placement/runs/{build.solved()}/left-out/") == few


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_a_share_is_held_out_from_the_wizard_and_its_price_is_shown(desk: build.Desk, language: str) -> None:
    client = pages.browser(language=language)
    order = {"as_of": str(build.AS_OF), "exploration": "0", "seed": "3", "hold_out": "10", "hold_out_kind": "LEFT_ALONE"}  # fmt: skip
    with clock.at_instant(AT):
        assert client.post("/placement/new/solve/", order | {"hold_out": "30"}).status_code == 400
        batch = client.get("/placement/new/batch/", order)
        assert batch.context["batch"]["hold_out"]["accounts"] in {3, 4} and batch.context["held_out"]
        assert "hold_out=10" in batch.context["onward"]
        nonsense = client.get("/placement/new/batch/", order | {"hold_out": "30", "seed": "x"})
        assert nonsense.context["held_out"] == ""
        jobs.result(client, client.post("/placement/new/solve/", order))
    run = queries.runs(LIN)[0]
    told = queries.run(LIN, run_id=run["id"])["proof"]["hold_out"]
    assert told["by_bucket"] == batch.context["batch"]["hold_out"]["by_bucket"]
    assert (told["kind"], told["share"]) == ("LEFT_ALONE", 0.1) and told["accounts"] in {3, 4}
    page = client.get(f"/placement/runs/{run['id']}/")
    assert page.context["held_out"]["cost_minor"] == told["cost_minor"]
    assert "50%" in page.context["held_out"]["assumed"]
    held = queries.run_items_frame(LIN, run_id=run["id"])
    account = held.filter(held["held_out"] != "")["account_id"][0]
    assert client.get(f"/placement/runs/{run['id']}/accounts/").status_code == 200
    why = client.get(f"/placement/runs/{run['id']}/accounts/{account}/")
    assert "10.00%" in why.context["state"]["text"]


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_relations_are_entered_seen_from_both_sides_and_ended(desk: build.Desk, language: str) -> None:
    client = pages.browser(language=language)
    alpha = desk.agencies["ALPHA"]
    base = f"/agencies/{alpha}/relations/"
    with clock.at_instant(AT):
        page = client.get(base)
        assert page.context["group"] == "Holding" and "BETA" in page.context["state"]["text"]
        bad = client.post(f"{base}conflicts/", {"kind": "BORROWER", "subject": "nobody", "reason": "kin"})
        assert bad.status_code == 422 and bad.context["typed"]["reason"] == "kin"
        number = desk.borrowers[5].hex
        done = client.post(
            f"{base}conflicts/", {"kind": "BORROWER", "subject": number, "reason": "kin"}, follow=True
        )
        [row] = done.context["conflicts"]
        assert number in row["subject_label"]
        seen = client.get(f"/book/accounts/{desk.accounts[5]}/")
        assert [one["reason"] for one in seen.context["conflicts"]] == ["kin"]
        assert client.get(f"/book/accounts/{desk.accounts[6]}/").context["conflicts"] == []
        client.post(f"{base}conflicts/{row['id']}/end/", {"reason": "gone"})
        client.post(f"{base}group/", {"change": "LEAVE", "reason": "sold"})
        left = client.get(base)
        assert not left.context["conflicts"][0]["open"] and left.context["group"] == ""
        again = client.post(f"{base}group/", {"group": "Other", "reason": "bought"}, follow=True)
        assert again.context["group"] == "Other"
        assert client.get(f"/agencies/{alpha}/").context["agency"]["group"] == "Other"
