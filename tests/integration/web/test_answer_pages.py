"""After an approval, by clicking: an agency answers offers and objects to a recall, the lender refills, decides and extends."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from weituo.domain.placement import answers, queries, services, terms
from weituo.foundation import clock
from weituo.foundation.identity.roles import Role

from tests.builders import actors, jobs, pages
from tests.builders import placement as build

LIN = actors.staff()
AT = build.AT
HOUR = timedelta(hours=1)


class Desk:
    """ALPHA answers each offer, BETA accepts in advance; a run of 20 is approved."""

    def __init__(self) -> None:
        made = build.desk(count=20, capacity=12)
        self.alpha = made.agencies["ALPHA"]
        build.answers_each(self.alpha)
        self.run_id = build.solved(exploration=0, limits={"agencies": {"ALPHA": {"accounts_min": 12}}})
        build.approved(self.run_id)
        self.agency = actors.agency_system(self.alpha, role=Role.AGENCY_SUPERVISOR)

    def portal(self, *, language: str = "en", role: Role = Role.AGENCY_SUPERVISOR) -> Client:
        return pages.browser(role, name=f"sup-{role.value}", agency_id=self.alpha, language=language)

    def refs(self) -> list[str]:
        return [row["case_ref"] for row in answers.my_offers(self.agency)]


@pytest.fixture
def desk(db: str) -> Desk:
    """A lender with an approved run whose offers wait."""
    return Desk()


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_pages_without_anything_say_so(db: str, language: str) -> None:
    client = pages.browser(language=language)
    for name in ("offers", "recalls", "terms"):
        assert client.get(reverse(f"placement:{name}")).status_code == 200
    agency_id = build.agency("ALPHA")
    portal = pages.browser(Role.AGENCY_SUPERVISOR, name="sup", agency_id=agency_id, language=language)
    for name in ("offers", "recalls"):
        page = portal.get(reverse(f"agency:{name}"))
        assert (page.status_code, page.context["state"]["tone"]) == (200, "good")


def test_an_agency_accepts_some_and_declines_the_rest(desk: Desk) -> None:
    refs = desk.refs()
    with clock.at_instant(AT + HOUR):
        portal = desk.portal()
        start = portal.get(reverse("agency:start"))
        assert "Offers to answer" in pages.words(start)
        page = portal.get(reverse("agency:offers"))
        assert page.context["total"] == 12
        assert all(ref in pages.words(page) for ref in refs)
        nothing = portal.post(reverse("agency:answer"), {"decision": "accept"}, follow=True)
        assert "choose from the list" in pages.words(nothing)
        done = portal.post(reverse("agency:answer"), {"decision": "accept", "case": refs[:7]}, follow=True)
        assert "7 cases are yours." in pages.words(done)
        wrong = portal.post(
            reverse("agency:answer"), {"decision": "decline", "all": "yes", "reason": "OTHER"}, follow=True
        )
        assert "needs words" in pages.words(wrong)
        done = portal.post(
            reverse("agency:answer"),
            {"decision": "decline", "all": "yes", "reason": "NO_CAPACITY"},
            follow=True,
        )
        assert "5 offers are declined." in pages.words(done)
        case = portal.get(reverse("agency:case", args=[refs[0]]))
    assert "accepted by the agency" in pages.words(case)
    assert answers.overview(LIN, at=AT + HOUR)["to_refill"] == 5


def test_a_collector_sees_neither_offers_nor_notices(desk: Desk) -> None:
    portal = desk.portal(role=Role.COLLECTOR)
    for name in ("offers", "recalls"):
        assert portal.get(reverse(f"agency:{name}")).status_code == 403
    assert portal.post(reverse("agency:answer"), {"decision": "accept", "all": "yes"}).status_code == 403
    assert len(desk.refs()) == 12


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_lender_sees_what_came_back_and_refills(desk: Desk, language: str) -> None:
    services.decline_placements(
        actor=desk.agency, case_refs=desk.refs()[:6], reason="NO_CAPACITY", at=AT + HOUR
    )
    client = pages.browser(language=language)
    with clock.at_instant(AT + 2 * HOUR):
        page = client.get(reverse("placement:offers"))
        assert page.context["state"]["tone"] == "watch"
        [row] = page.context["runs"]
        assert (row["offered"], row["declined"], row["to_refill"]) == (6, 6, 6)
        assert client.get("/").status_code == 200
        address = jobs.result(client, client.post(reverse("placement:refill", args=[desk.run_id])))
        refilled = client.get(address)
        assert [(one["placed"], one["kept"]) for one in refilled.context["totals"]] == [(4, 2)]
        assert len(refilled.context["rows"]) == 6
    with clock.at_instant(AT + timedelta(days=5)):
        assert client.get(reverse("placement:offers")).context["overdue"] == 6
        jobs.result(client, client.post(reverse("placement:lapse")))
        assert client.get(reverse("placement:offers")).context["overdue"] == 0
    analyst = pages.browser(Role.AUDITOR, name="au")
    assert analyst.post(reverse("placement:refill", args=[desk.run_id])).status_code == 403


def test_offered_and_declined_placements_say_what_they_are(desk: Desk) -> None:
    services.decline_placements(
        actor=desk.agency, case_refs=desk.refs()[:1], reason="BORROWER_KNOWN", at=AT + HOUR
    )
    client = pages.browser()
    offered, declined = (
        queries.placements_page(LIN, filters={"state": state})["rows"][0] for state in ("OFFERED", "DECLINED")
    )
    page = client.get(reverse("placement:placement", args=[offered["id"]]))
    assert "nothing of it is shared before the agency accepts" in pages.words(page)
    assert not page.context["recall"] and not page.context["retain"]
    page = client.get(reverse("placement:placement", args=[declined["id"]]))
    assert "the borrower is known to it" in pages.words(page)
    listing = client.get(reverse("placement:placements") + "?state=OFFERED")
    assert len(listing.context["rows"]) == 11


def active(desk: Desk) -> UUID:
    """One active case of ALPHA."""
    [ref, *_rest] = desk.refs()
    services.accept_placements(actor=desk.agency, case_refs=[ref], at=AT + HOUR)
    return UUID(str(queries.placements_page(LIN, filters={"case_ref": ref})["rows"][0]["id"]))


def test_notice_objection_and_decision(desk: Desk) -> None:
    placement_id = active(desk)
    ref = queries.placement(LIN, placement_id=placement_id)["case_ref"]
    with clock.at_instant(AT + 2 * HOUR):
        client, portal = pages.browser(), desk.portal()
        address = f"{reverse('placement:recall')}?placement={placement_id}"
        early = client.post(address, {"n": "1", "reason": "NO_PROGRESS", "final_on": "2026-03-05"})
        assert early.status_code == 400
        told = client.post(
            address, {"n": "1", "reason": "NO_PROGRESS", "final_on": "2026-03-10"}, follow=True
        )
        assert "1 placement is under notice of recall." in pages.words(told)
        assert "Under notice of recall" in pages.words(
            client.get(reverse("placement:placement", args=[placement_id]))
        )
        page = portal.get(reverse("agency:recalls"))
        assert ref in pages.words(page)
        assert "Recalls announced" in pages.words(portal.get(reverse("agency:start")))
        portal.post(reverse("agency:objection"), {"code": "PROMISE_DUE", "case": ref}, follow=True)
        objected = portal.post(
            reverse("agency:objection"),
            {"code": "PROMISE_DUE", "case": ref, "evidence_on": "2026-03-15", "amount": "1,200.50"},
            follow=True,
        )
        assert "waits for the lender's decision" in pages.words(objected)
        queue = client.get(reverse("placement:recalls"))
        [row] = queue.context["objections"]
        assert (row["evidence_minor"], row["evidence_on"]) == (120_050, date(2026, 3, 15))
        assert "Objection to a recall" in pages.words(client.get("/"))
        decide = reverse("placement:decide_objections")
        assert (
            client.post(decide, {"decision": "uphold", "reason": "x", "until": "2026-03-16"}).status_code
            == 400
        )
        wrong = client.post(decide, {"objection": row["objection_id"], "decision": "uphold", "reason": "x"})
        assert wrong.status_code == 400
        client.post(
            decide,
            {
                "objection": row["objection_id"],
                "decision": "uphold",
                "reason": "a promise",
                "until": "2026-03-16",
            },
        )
        shown = pages.words(portal.get(reverse("agency:recalls")))
        assert "upheld" in shown and "a promise" in shown
    with clock.at_instant(AT + timedelta(days=20)):
        assert client.get(reverse("placement:recalls")).context["due"] == 1
        jobs.result(client, client.post(reverse("placement:finalise")))
    assert queries.placement(LIN, placement_id=placement_id)["state"] == "RECALLED"


def test_a_notice_is_withdrawn_by_clicking(desk: Desk) -> None:
    placement_id = active(desk)
    services.give_notice(actor=LIN, placement_ids=[placement_id], reason="NO_PROGRESS", at=AT + HOUR)
    client = pages.browser()
    address = reverse("placement:withdraw_notice")
    assert client.post(address, {"reason": "they work"}).status_code == 400
    assert client.post(address, {"placement": placement_id}).status_code == 400
    client.post(address, {"placement": placement_id, "reason": "they work again"})
    assert answers.notices(LIN) == []
    assert client.get(reverse("placement:recalls") + "?all=1").context["notices"][0]["state"] == "WITHDRAWN"


def test_a_term_is_extended_by_clicking(desk: Desk) -> None:
    placement_id = active(desk)
    client = pages.browser()
    with clock.at_instant(AT + 2 * HOUR):
        page = client.get(reverse("placement:placement", args=[placement_id]))
        address = page.context["retain"]
        assert client.get(address).context["possible"]
        assert client.post(address, {"term_to": "2027-09-02", "reason": "x"}).status_code == 400
        assert client.post(address, {"term_to": "", "reason": "x"}).status_code == 400
        done = client.post(
            address, {"term_to": "2026-11-02", "reason": "instalments are being paid"}, follow=True
        )
    assert "term extended" in pages.words(done)
    assert queries.placement(LIN, placement_id=placement_id)["term_to"] == date(2026, 11, 2)


def test_terms_are_shown_and_set(db: str) -> None:
    client = pages.browser()
    form = {
        "answer_days": "2", "notice_days": "10", "retention_times_max": "1", "retention_months_max": "2", "upheld_PROMISE_DUE": "12",
        "reason": "as agreed",
    }  # fmt: skip
    address = reverse("placement:terms")
    kept = client.post(address, form | {"notice_days": "0"})
    assert kept.status_code == 400 and "as agreed" in kept.content.decode()
    assert client.post(address, form | {"notice_days": "many"}).status_code == 400
    client.post(address, form)
    now = terms.current(LIN)
    assert (now.answer_days, now.notice_days, dict(now.upheld_days)) == (2, 10, {"PROMISE_DUE": 12})
    assert "for at most 12 days" in pages.words(client.get(address))
    analyst = pages.browser(Role.ANALYST, name="wu")
    assert not analyst.get(address).context["may_set"]
    assert analyst.post(address, form).status_code in {400, 403}
    assert terms.current(LIN).version == 1
