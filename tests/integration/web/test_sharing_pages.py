"""Sharing in the console: who holds what, building, previewing, keys, the log, revoking with the numbers said first."""

from __future__ import annotations

from datetime import timedelta

import pyrage
import pytest

from weituo.domain.book import queries as book
from weituo.domain.placement import services as placement
from weituo.domain.sharing import queries, services
from weituo.foundation import clock
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id
from weituo.web.presenters import placement_words

from tests.builders import actors, jobs, pages
from tests.builders import sharing as build
from tests.builders.ledger import AT

LIN = actors.staff()


def built(desk: build.Desk) -> str:
    return str(services.build_package(actor=LIN, agency_id=desk.agency_id, run_id=desk.run_id, at=AT))


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_who_holds_what_is_counted_from_packages_and_openings(db: str, language: str) -> None:
    held, waiting = build.desk(count=3), build.desk(count=2)
    package = built(held)
    with clock.at_instant(AT + timedelta(days=5)):
        response = pages.browser(language=language).get("/sharing/")
    assert response.status_code == 200
    by_agency = {row["agency_id"]: row for row in response.context["holders"]}
    assert (by_agency[held.agency_id]["active"], by_agency[held.agency_id]["live_packages"]) == (3, 1)
    assert by_agency[waiting.agency_id]["active"] == 0
    [row] = response.context["packages"]
    assert (str(row["id"]), row["cases"], row["balance_minor"]) == (package, 3, 3 * 102_500)
    assert row["late"]
    assert response.context["state"]["tone"] == "watch"
    [ready] = response.context["ready"]
    assert (ready["agency_id"], ready["cases"], ready["lacking"]) == (waiting.agency_id, 2, [])
    assert "¥307,500.00" not in pages.words(response)
    assert "¥3,075.00" in pages.words(response)


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_every_page_of_an_empty_room_teaches(db: str, language: str) -> None:
    client = pages.browser(language=language)
    for address in ("/sharing/", "/sharing/keys/", "/sharing/disclosures/", "/sharing/preview/"):
        response = client.get(address)
        assert response.status_code == 200
        assert response.context["state"]["text"]


def test_a_package_is_built_by_clicking_and_refused_without_ground(db: str) -> None:
    desk, keyless = build.desk(count=2), build.desk(key=False)
    client = pages.browser()
    with clock.at_instant(AT):
        made = jobs.result(
            client, client.post("/sharing/build/", {"agency": desk.agency_id, "run": desk.run_id})
        )
        refused = jobs.done(
            client, client.post("/sharing/build/", {"agency": keyless.agency_id, "run": keyless.run_id})
        )
        nothing = client.post("/sharing/build/", {"agency": "x", "run": ""}, follow=True)
    [row] = queries.packages(LIN)
    assert made == f"/sharing/packages/{row['id']}/"
    assert (row["agency_id"], row["cases"]) == (desk.agency_id, 2)
    assert "there is no live recipient key" in pages.words(refused)
    assert "Choose a run and an agency." in pages.words(nothing)


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_revoking_says_the_numbers_first_and_asks_for_the_reason(db: str, language: str) -> None:
    desk = build.desk(count=2)
    package, client = built(desk), pages.browser(language=language)
    with clock.at_instant(AT + timedelta(hours=1)):
        page = client.get(f"/sharing/packages/{package}/")
        assert "2" in page.context["consequence"]
        assert page.context["consequence"] in pages.words(page)
        client.post(f"/sharing/packages/{package}/revoke/", {"reason": " "})
        assert queries.package(LIN, package_id=package)["state"] == "BUILT"
        after = client.post(f"/sharing/packages/{package}/revoke/", {"reason": "wrong file"}, follow=True)
    row = queries.package(LIN, package_id=package)
    assert (row["state"], row["revoked_reason"], row["file_stands"]) == ("REVOKED", "wrong file", False)
    assert not after.context["may_revoke"]


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_what_was_taken_out_of_a_package_is_shown_and_the_others_are_sealed_anew(
    db: str, language: str
) -> None:
    desk = build.desk(count=3)
    package, client = built(desk), pages.browser(language=language)
    gone = desk.cases[0]
    with clock.at_instant(AT + timedelta(hours=1)):
        placement.recall(actor=LIN, placement_ids=[gone.placement_id], reason="CONDUCT", at=clock.now())
        room, page = client.get("/sharing/"), client.get(f"/sharing/packages/{package}/")
        assert room.context["state"]["next"][0]["url"] == "#destruction"
        assert room.context["holders"][0]["to_destroy"] == 1
        assert [row["missing"] for row in room.context["packages"]] == [False]
        [ready] = room.context["ready"]
        assert (str(ready["replaces"]), ready["cases"]) == (package, 2)
        for response in (room, page):
            assert [row["case_refs"] for row in response.context["destructions"]] == [[gone.case_ref]]
            assert gone.case_ref in pages.words(response)
        assert page.context["may_replace"]
        anew = client.post("/sharing/build/", {"agency": desk.agency_id, "run": desk.run_id})
        made = client.get(jobs.result(client, anew))
        old = client.get(f"/sharing/packages/{package}/")
    assert made.context["package"]["cases"] == 2
    assert (old.context["package"]["state"], old.context["may_replace"]) == ("REVOKED", False)
    assert old.context["package"]["why"] == placement_words.REVOCATIONS["REPLACED"]


def test_a_demand_that_nobody_confirms_turns_red_and_a_confirmed_one_green(db: str) -> None:
    desk = build.desk()
    built(desk)
    client = pages.browser()
    placement.recall(actor=LIN, placement_ids=[desk.cases[0].placement_id], reason="CONDUCT", at=AT)
    [demand] = queries.destructions(LIN)
    tones = []
    for days in (1, 3):
        with clock.at_instant(AT + timedelta(days=days)):
            tones += [row["shown"]["tone"] for row in client.get("/sharing/").context["destructions"]]
    services.confirm_destruction(
        actor=actors.agency_system(desk.agency_id), destruction_id=demand["id"], cases=1, at=AT
    )
    with clock.at_instant(AT + timedelta(days=3)):
        tones += [row["shown"]["tone"] for row in client.get("/sharing/").context["destructions"]]
    assert tones == ["watch", "bad", "good"]


class TestAtTheAgency:
    @pytest.mark.parametrize("language", pages.LANGUAGES)
    def test_it_reads_which_cases_to_destroy_and_confirms_their_number(self, db: str, language: str) -> None:
        desk = build.desk(count=3)
        package = built(desk)
        client = pages.browser(
            Role.AGENCY_SUPERVISOR, name="deng", language=language, agency_id=desk.agency_id
        )
        gone = sorted(case.case_ref for case in desk.cases[:2])
        with clock.at_instant(AT + timedelta(hours=1)):
            placement.recall(
                actor=LIN, placement_ids=[case.placement_id for case in desk.cases[:2]], reason="DISPUTE", at=clock.now()
            )  # fmt: skip
            start, page = client.get("/agency/"), client.get("/agency/packages/")
            assert 2 in {one["n"] for one in start.context["waits"]}
            assert page.context["state"]["tone"] == "bad"
            [told] = page.context["destructions"]
            assert told["case_refs"] == gone
            assert " ".join(gone) in pages.words(page)
            [row] = page.context["packages"]
            assert (str(row["id"]), row["may_fetch"]) == (package, False)
            address = f"/agency/destructions/{told['id']}/confirm/"
            client.post(address, {"cases": "1"})
            assert queries.destructions(LIN)[0]["confirmed_at"] is None
            after = client.post(address, {"cases": "2"}, follow=True)
        assert queries.destructions(LIN)[0]["confirmed_at"] == AT + timedelta(hours=1)
        assert not after.context["destructions"][0]["may_confirm"]
        assert after.context["state"]["tone"] != "bad"

    def test_a_collector_reads_it_and_confirms_nothing(self, db: str) -> None:
        desk = build.desk()
        built(desk)
        placement.recall(actor=LIN, placement_ids=[desk.cases[0].placement_id], reason="DISPUTE", at=AT)
        [demand] = queries.destructions(LIN)
        client = pages.browser(Role.COLLECTOR, name="shi", agency_id=desk.agency_id)
        assert not client.get("/agency/packages/").context["destructions"][0]["may_confirm"]
        answer = client.post(f"/agency/destructions/{demand['id']}/confirm/", {"cases": "1"})
        assert answer.status_code == 403


def test_who_may_not_revoke_sees_no_button_and_is_refused(db: str) -> None:
    package = built(build.desk())
    analyst = pages.browser(Role.ANALYST, name="wu")
    assert not analyst.get(f"/sharing/packages/{package}/").context["may_revoke"]
    assert analyst.post(f"/sharing/packages/{package}/revoke/", {"reason": "x"}).status_code == 403
    assert queries.package(LIN, package_id=package)["state"] == "BUILT"


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_preview_is_what_the_package_holds_with_the_word_that_allows_it(db: str, language: str) -> None:
    desk = build.desk(count=1)
    address = f"/sharing/preview/?agency={desk.agency_id}&account={desk.cases[0].account_id}"
    with clock.at_instant(AT):
        response = pages.browser(language=language).get(address)
        package = queries.package(LIN, package_id=built(desk))
        care = pages.browser(Role.CARE, name="he", language=language).get(address)
        number = book.numbers(LIN, account_ids=[desk.cases[0].account_id])[str(desk.cases[0].account_id)]
        named = pages.browser(language=language).get(f"/sharing/preview/?agency={desk.agency_id}&account={number}")  # fmt: skip
    assert named.context["facts"] == response.context["facts"]
    assert [fact["name"] for fact in response.context["facts"]] == package["fields"]
    assert {fact["word"] for fact in response.context["facts"]} - {""} <= set(build.USUAL)
    assert "¥1,025.00" in pages.words(response)
    # a vendor manager sees that a name would leave, not the name; customer care may read it
    assert "张00000" not in pages.words(response)
    assert "张00000" in pages.words(care)
    assert "identity_number" in {fact["name"] for fact in response.context["withheld"]}


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_a_found_file_and_an_account_are_traced_to_who_holds_them(db: str, language: str) -> None:
    desk, other = build.desk(count=1), build.desk(count=1)
    package = queries.package(LIN, package_id=built(desk))
    built(other)
    client = pages.browser(language=language)
    with clock.at_instant(AT + timedelta(hours=1)):
        services.revoke_package(actor=LIN, package_id=package["id"], reason="leak", at=clock.now())
        found = client.get(f"/sharing/?digest={package['digest'][:20].upper()}").context["trace"]
        short = client.get("/sharing/?digest=abc").context["trace"]
        foreign = client.get("/sharing/?digest=" + "0" * 64).context["trace"]
        account = client.get(f"/sharing/preview/?agency={other.agency_id}&account={desk.cases[0].account_id}")
    assert [row["id"] for row in found["found"]] == [package["id"]]
    assert (short["found"], foreign["found"]) == ([], [])
    assert short["text"] != foreign["text"]
    assert [row["agency_id"] for row in account.context["holders"]] == [desk.agency_id]


def test_a_preview_of_nothing_says_what_is_missing(db: str) -> None:
    desk = build.desk(agreement=False)
    client = pages.browser()
    with clock.at_instant(AT):
        none = client.get(f"/sharing/preview/?agency={desk.agency_id}&account={desk.cases[0].account_id}")
        bad = client.get("/sharing/preview/?agency=x&account=7")
        unknown = client.get(f"/sharing/preview/?agency={desk.agency_id}&account={new_id()}")
    assert none.context["state"]["tone"] == "bad"
    assert "there is no live confidentiality agreement" in pages.words(none)
    assert bad.context["problem"]
    assert unknown.context["problem"]


def test_a_key_is_registered_and_a_private_one_is_not_shown_again(db: str) -> None:
    desk = build.desk(key=False)
    client, identity = pages.browser(), pyrage.x25519.Identity.generate()
    secret = client.post("/sharing/keys/", {"agency": desk.agency_id, "public_key": str(identity)})
    assert secret.status_code == 400
    assert str(identity) not in secret.content.decode()
    wrong = client.post("/sharing/keys/", {"agency": desk.agency_id, "public_key": "age1nothing"})
    assert wrong.status_code == 400
    assert "age1nothing" in wrong.content.decode()
    client.post("/sharing/keys/", {"agency": desk.agency_id, "public_key": str(identity.to_public())})
    [row] = queries.recipients(LIN)
    page = client.get("/sharing/keys/")
    assert row["public_key"] == str(identity.to_public())
    assert row["fingerprint"] in pages.words(page)
    assert page.context["state"]["tone"] == "good"


def test_the_log_shows_every_act_of_sharing(db: str) -> None:
    desk = build.desk(count=2)
    package = built(desk)
    client = pages.browser(Role.AUDITOR, name="auditor")
    response = client.get("/sharing/disclosures/")
    [row] = response.context["rows"]
    assert (str(row["package_id"]), row["cases"]) == (package, 2)
    assert len(row["facts"]) == 13
    assert client.get("/sharing/disclosures/?limit=0").status_code == 200


def test_the_number_of_statements_does_not_grow_with_packages(db: str) -> None:
    for _ in range(2):
        built(build.desk())
    client = pages.browser()
    client.get("/sharing/")
    few = pages.statements(client, "/sharing/")
    for _ in range(6):
        built(build.desk())
    assert pages.statements(client, "/sharing/") == few
