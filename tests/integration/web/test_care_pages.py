"""Care in the console: the desk by clock, a case in the borrower's words, the answer, and the stop everywhere."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from weituo.domain.book import queries as book
from weituo.domain.care import errors, queries, services
from weituo.foundation import clock, transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role
from weituo.foundation.vault import store

from tests.builders import actors, pages
from tests.builders import contact as build_contact
from tests.builders import ledger as build

HE = actors.staff(Role.CARE, name="he")


def person_behind(placed: build.Placed) -> None:
    """Give a borrower of the builders a subject in the vault, so that words can be sealed."""
    [subject] = book.subject_ids(HE, borrower_ids=[placed.borrower_id]).values()
    with transactions.transaction(actors.worker()):
        store.put([store.Person(subject_id=subject, fields={"name": ["张三"]})])
        journal.write(actor=actors.worker(), at=build.AT, act="test.person", entries=[])


def opened(placed: build.Placed, *, kind: str = "DISPUTE", reason: str = "WRONG_AMOUNT", days_ago: int = 0, text: str = "") -> UUID:  # fmt: skip
    return services.open_case(
        actor=HE, kind=kind, reason=reason, at=clock.now() - timedelta(days=days_ago), source="PHONE", account_id=placed.account_id, text=text
    )  # fmt: skip


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_desk_shows_the_case_due_first_on_top(db: str, language: str) -> None:
    placed = build.placed_accounts(count=3)
    late = opened(placed[0], days_ago=9)
    soon = opened(placed[1], days_ago=4)
    calm = opened(placed[2], kind="COMPLAINT", reason="RUDE")
    response = pages.browser(Role.CARE, name="he", language=language).get("/care/")
    assert response.status_code == 200
    assert [row["id"] for row in response.context["cases"]] == [late, soon, calm]
    assert [row["tone"] for row in response.context["cases"]] == ["bad", "act", "wait"]
    counted = (response.context["open"], response.context["overdue"], response.context["soon"])
    assert counted == (queries.cases_frame(HE).height, 1, 1)
    assert response.context["state_bar"]["tone"] == "bad"
    for row in queries.cases(HE):
        assert row["number"] in pages.words(response)
    only = pages.browser(Role.CARE, name="he", language=language).get("/care/?kind=COMPLAINT")
    assert [row["id"] for row in only.context["cases"]] == [calm]


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_borrowers_words_open_only_to_who_may_read_them(db: str, language: str) -> None:
    [placed] = build.placed_accounts()
    person_behind(placed)
    case = opened(placed, text="I paid on <Monday>.")
    assert "I paid on <Monday>." in pages.words(pages.browser(Role.CARE, name="he", language=language).get(f"/care/{case}/"))  # fmt: skip
    other = pages.browser(Role.VENDOR_MANAGER, language=language).get(f"/care/{case}/")
    assert other.status_code == 200
    assert "Monday" not in other.content.decode()


def test_an_answer_needs_a_finding_and_words_and_keeps_what_was_typed(db: str) -> None:
    [placed] = build.placed_accounts()
    case = opened(placed)
    client = pages.browser(Role.CARE, name="he")
    refused = client.post(f"/care/{case}/decide/", {"answer": "We looked into it"})
    assert refused.status_code == 422
    assert "We looked into it</textarea>" in refused.content.decode()
    assert client.post(f"/care/{case}/decide/", {"upheld": "no", "answer": " "}).status_code == 422
    assert queries.case(HE, case_id=case)["state"] == "OPEN"  # type: ignore[index]
    client.post(f"/care/{case}/decide/", {"upheld": "no", "answer": "The amount is right."})
    decided = queries.case(HE, case_id=case)
    assert decided is not None
    assert (decided["state"], decided["upheld"]) == ("DECIDED", False)
    assert "The amount is right." in pages.words(client.get(f"/care/{case}/"))
    assert client.post(f"/care/{case}/decide/", {"upheld": "yes", "answer": "x"}).status_code == 409
    assert book.holds_frame(HE, at=clock.now() + timedelta(minutes=1)).is_empty()


def test_stop_everywhere_says_what_it_stops_and_stops_it(db: str) -> None:
    bench = build_contact.bench(count=1)
    case = opened(bench.cases[0], kind="COMPLAINT", reason="TOO_OFTEN")
    client = pages.browser(Role.CARE, name="he")
    page = client.get(f"/care/{case}/")
    assert {key: page.context["reach"][key] for key in ("accounts", "placements", "agencies")} == {"accounts": 1, "placements": 1, "agencies": 1}  # fmt: skip
    assert "open accounts 1 placements with agencies 1 agencies 1 permits taken back 0" in pages.words(page)
    assert client.post(f"/care/{case}/stop/", {"reason": ""}).status_code == 422
    assert client.post(f"/care/{case}/stop/", {"reason": "asked twice"}).status_code == 302
    holds = book.holds_frame(HE, at=clock.now())
    assert ("CEASED", None) in zip(holds["kind"], holds["account_id"], strict=True)
    again = client.post(f"/care/{case}/stop/", {"reason": "asked twice"})
    assert again.status_code == 409
    assert "is stopped since" in pages.words(again)


def test_a_stop_takes_back_permits_in_the_same_act(db: str) -> None:
    bench = build_contact.bench(count=1)
    borrower = bench.cases[0].borrower_id
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO contact_permit (agency_id, placement_id, borrower_id, contact_point_id, collector_id, channel, purpose, state, asked_at, planned_at, expires_at, reasons, packs, facts, facts_digest) "
            "SELECT %s, %s, %s, %s, c.id, 'VOICE', 'REMIND', 'GRANTED', %s, %s, %s, '[]', '{}', '{}', '' FROM partners_collector c",
            [bench.agency_id, bench.cases[0].placement_id, borrower, bench.point(), clock.now(), clock.now(), clock.now() + timedelta(hours=1)],
        )  # fmt: skip
        journal.write(actor=actors.worker(), at=build.AT, act="test.permit", entries=[])
    stopped = services.stop_everywhere(actor=HE, borrower_id=borrower, reason="asked", at=clock.now())
    assert (stopped.accounts, stopped.placements, stopped.agencies, stopped.permits) == (1, 1, 1, 1)
    assert queries.reach(HE, borrower_id=borrower, at=clock.now())["permits"] == 0  # type: ignore[index]
    with pytest.raises(errors.AlreadyStopped):
        services.stop_everywhere(actor=HE, borrower_id=borrower, reason="asked", at=clock.now())
    with pytest.raises(NotAllowed):
        services.stop_everywhere(actor=actors.staff(), borrower_id=borrower, reason="asked", at=clock.now())


def test_more_cases_take_no_more_statements(db: str) -> None:
    placed = build.placed_accounts(count=50)
    client = pages.browser(Role.CARE, name="he")
    for one in placed[:5]:
        opened(one)
    few = pages.statements(client, "/care/")
    for one in placed[5:]:
        opened(one)
    assert pages.statements(client, "/care/") == few
