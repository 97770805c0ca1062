"""Agencies in the console: the board, the dossier, and every step from prospect to partner done by clicking."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from weituo.domain.partners import queries, scoring, services
from weituo.foundation import clock, days, transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role

from tests.builders import actors, pages
from tests.builders import ledger as build
from tests.builders import partners as partners_build
from tests.builders.contact import bench

SCORES = {"qualifications": 90, "performance": 80, "references": 70, "security": 85, "compliance": 95}


def today() -> date:
    return days.day_of(clock.now())


def papers(
    agency: UUID, *, kinds: tuple[str, ...] = ("LICENCE", "SECURITY", "PERFORMANCE"), verified: bool = True
) -> list[UUID]:
    lin = actors.staff()
    found = [
        services.add_paper(
            actor=lin, agency_id=agency, kind=kind, number=f"{kind}-1", issuer="office", valid_from=today() - timedelta(days=30),
            valid_to=today() + timedelta(days=20), digest="ab" * 32, facts={"liquidation": 0.19} if kind == "PERFORMANCE" else {}, at=clock.now(),
        )
        for kind in kinds
    ]  # fmt: skip
    for paper in found if verified else []:
        services.verify_paper(actor=lin, paper_id=paper, at=clock.now())
    return found


def register(code: str = "HENGAN") -> UUID:
    return services.register_agency(
        actor=actors.staff(),
        code=code,
        name_zh="恒岸",
        name_en=f"Hengan {code}",
        regions=["440000"],
        at=clock.now(),
    )


def screened(code: str = "HENGAN", *, agreement: bool = True) -> UUID:
    agency = register(code)
    rests_on = papers(agency)
    if agreement:
        services.sign_agreement(
            actor=actors.staff(), agency_id=agency, kind="CONFIDENTIALITY", active_from=today(), active_to=None, fields_allowed=["name"], at=clock.now()
        )  # fmt: skip
    services.assess(
        actor=actors.staff(), agency_id=agency, scores=SCORES, evidence=dict.fromkeys(SCORES, rests_on), at=clock.now()
    )  # fmt: skip
    return agency


def state_of(agency: UUID) -> str:
    return next(row.state for row in queries.agencies(actors.staff()) if row.id == agency)


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_board_shows_each_agency_in_its_state_with_what_it_lacks(db: str, language: str) -> None:
    screened("READY")
    screened("NODA", agreement=False)
    register("FRESH")
    response = pages.browser(language=language).get("/agencies/")
    assert response.status_code == 200
    columns = {column["state"]: column["cards"] for column in response.context["columns"]}
    assert {state: [card["code"] for card in cards] for state, cards in columns.items()} == {
        "PROSPECT": ["FRESH"], "SCREENED": ["NODA", "READY"], "PROPOSED": [], "APPROVED": []
    }  # fmt: skip
    assert [len(card["lacks"]) for card in columns["SCREENED"]] == [1, 0]
    assert len(columns["PROSPECT"][0]["lacks"]) == 4
    for code in ("READY", "NODA", "FRESH"):
        assert code in pages.words(response)


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_score_on_the_page_is_the_weighted_sum(db: str, language: str) -> None:
    agency = screened()
    words = pages.words(pages.browser(language=language).get(f"/agencies/{agency}/"))
    total = sum(SCORES[name] * weight / 10_000 for name, weight in scoring.WEIGHTS.items())
    assert f"{total:.2f}" in words
    for name, weight in scoring.WEIGHTS.items():
        assert f"{SCORES[name] * weight / 10_000:.2f}" in words
    assert "19.0%" in words
    assert ("20 days left" if language == "en" else "恒岸") in words


def test_a_prospect_becomes_a_partner_by_two_persons_clicking(db: str) -> None:
    lin, zhao = pages.browser(), pages.browser(name="zhao")
    response = lin.post("/agencies/register/", {"code": "hengan", "name_zh": "恒岸", "name_en": "Hengan"})
    here = response["Location"]
    agency = UUID(here.rstrip("/").split("/")[-1])
    file = SimpleUploadedFile("licence.pdf", b"the licence")
    lin.post(f"{here}papers/", {"kind": "LICENCE", "number": "L-7", "issuer": "office", "valid_from": "2026-01-01", "file": file})  # fmt: skip
    certificate = SimpleUploadedFile("iso27001.pdf", b"the certificate")
    lin.post(f"{here}papers/", {"kind": "SECURITY", "number": "S-7", "issuer": "body", "valid_from": "2026-01-01", "file": certificate})  # fmt: skip
    paper, other = queries.dossier(actors.staff(), agency_id=agency)["papers"]  # type: ignore[index]
    assert paper["digest"] == hashlib.sha256(b"the licence").hexdigest()
    assert paper["verified_at"] is None
    for one in (paper, other):
        lin.post(f"{here}papers/{one['id']}/verify/")
    scores = {f"score_{name}": str(value) for name, value in SCORES.items()}
    lin.post(f"{here}assess/", scores | {f"evidence_{name}": [str(paper["id"])] for name in SCORES})
    assert state_of(agency) == "SCREENED"

    refused = lin.post(f"{here}propose/", {"capacity": "500", "reason": "good"})
    assert refused.status_code == 409
    assert "confidentiality agreement" in pages.words(refused)
    lin.post(f"{here}agreements/", {"kind": "CONFIDENTIALITY", "active_from": "2026-01-01", "fields_allowed": ["name", "balance"]})  # fmt: skip
    lin.post(f"{here}agreements/", {"kind": "SERVICE", "active_from": "2026-01-01", "fee_M2": "18", "fee_default": "25.5"})  # fmt: skip
    [live] = queries.live_agreements(actors.staff(), kind="SERVICE", on=today())
    assert live.fee_bps_by_bucket == {"M2": 1_800, "default": 2_550}
    lin.post(f"{here}propose/", {"capacity": "500", "reason": "good"})
    assert state_of(agency) == "PROPOSED"

    [proposal] = queries.open_proposals(actors.staff())
    own = lin.get(here)
    assert own.context["may"]["decide_now"] is False
    assert "a second person has to decide" in pages.words(own)
    address = f"{here}proposals/{proposal['id']}/decide/"
    assert lin.post(address, {"approved": "yes", "reason": "mine"}).status_code == 409
    assert zhao.get(here).context["may"]["decide_now"] is True
    assert zhao.post(address, {"approved": "yes", "reason": "seen"}).status_code == 302
    [row] = queries.agencies(actors.staff())
    assert (row.state, row.capacity_accounts_max, row.tier) == ("APPROVED", 500, 2)


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_an_agency_with_a_lapsed_required_paper_is_not_shown_at_work(db: str, language: str) -> None:
    desk = bench()
    here = f"/agencies/{desk.agency_id}/"
    client = pages.browser(language=language)
    portal = pages.browser(Role.AGENCY_SUPERVISOR, name="deng", language=language, agency_id=desk.agency_id)
    with clock.at_instant(build.AT):
        before = client.get("/agencies/")
        assert portal.get("/agency/").context["state"]["tone"] != "bad"
    lapse(desk.agency_id, kind="SECURITY", on=build.AT.date())
    with clock.at_instant(build.AT):
        after, dossier, start = client.get("/agencies/"), client.get(here), portal.get("/agency/")
    assert [column["state"] for column in before.context["columns"] if column["cards"]] == ["APPROVED"]
    assert [column["state"] for column in after.context["columns"] if column["cards"]] == ["HALTED"]
    assert after.context["state"]["tone"] == "bad"
    for response in (dossier, start):
        assert response.context["state"]["tone"] == "bad"
        assert build.AT.date().isoformat() in response.context["state"]["text"]


def test_another_lapsed_paper_is_named_and_the_agency_works_on(db: str) -> None:
    desk = bench()
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        partners_build.papers(
            cursor, agency_id=desk.agency_id, verified_at=build.AT, kinds=("TRAINING",), to=build.AT.date()
        )
        journal.write(actor=actors.worker(), at=build.AT, act="test.paper", entries=[])
    found = queries.dossier(actors.staff(), agency_id=desk.agency_id)
    rests_on = tuple(paper["id"] for paper in found["papers"] if paper["kind"] != "TRAINING")  # type: ignore[index]
    services.assess(
        actor=actors.staff(), agency_id=desk.agency_id, scores=SCORES, evidence=dict.fromkeys(SCORES, rests_on),
        at=build.AT,
    )  # fmt: skip
    with clock.at_instant(build.AT):
        response = pages.browser().get(f"/agencies/{desk.agency_id}/")
    assert response.context["agency"]["standing"] == "APPROVED"
    assert response.context["state"]["tone"] == "watch"
    assert "training record L (" in response.context["state"]["text"]


def lapse(agency_id: UUID, *, kind: str, on: date) -> None:
    """Let an agency's papers of a kind end on a day."""
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE partners_paper SET valid_to = %s WHERE agency_id = %s AND kind = %s",
            [on, agency_id, kind],
        )
        journal.write(actor=actors.worker(), at=build.AT, act="test.lapse", entries=[])


def test_capacity_suspension_and_its_lifting_need_reasons_and_two_persons(db: str) -> None:
    [placed] = build.placed_accounts(count=1)
    here = f"/agencies/{placed.agency_id}/"
    lin, zhao = pages.browser(), pages.browser(Role.COMPLIANCE, name="chen")
    assert lin.post(f"{here}capacity/", {"capacity": "7"}).status_code == 422
    kept = lin.post(f"{here}capacity/", {"capacity": "many", "reason": "surge in week 12"})
    assert "surge in week 12" in kept.content.decode()
    lin.post(f"{here}capacity/", {"capacity": "7", "reason": "shrink"})
    assert [row.capacity_accounts_max for row in queries.agencies(actors.staff())] == [7]
    assert "its 1 account" in pages.words(lin.get(here))
    lin.post(f"{here}suspend/", {"reason": "leak"})
    assert state_of(placed.agency_id) == "SUSPENDED"
    assert "You suspended it" in pages.words(lin.get(here))
    assert lin.post(f"{here}reinstate/", {"reason": "fine"}).status_code == 409
    lacking = zhao.get(here)
    assert lacking.context["may"]["reinstate_now"] is False
    rests_on = papers(placed.agency_id)
    services.sign_agreement(
        actor=actors.staff(), agency_id=placed.agency_id, kind="CONFIDENTIALITY", active_from=today(), active_to=None, fields_allowed=["name"], at=clock.now()
    )  # fmt: skip
    services.assess(
        actor=actors.staff(), agency_id=placed.agency_id, scores=SCORES,
        evidence=dict.fromkeys(SCORES, rests_on), at=clock.now(),
    )  # fmt: skip
    assert zhao.post(f"{here}reinstate/", {"reason": "mended"}).status_code == 302
    assert state_of(placed.agency_id) == "APPROVED"


def test_ended_agreements_show_as_ended(db: str) -> None:
    agency = screened()
    [agreement] = queries.dossier(actors.staff(), agency_id=agency)["agreements"]  # type: ignore[index]
    client = pages.browser()
    client.post(f"/agencies/{agency}/agreements/{agreement['id']}/end/", {"reason": "breach"})
    words = pages.words(client.get(f"/agencies/{agency}/"))
    assert "breach" in words
    assert "no live confidentiality agreement" in words


def test_an_auditor_reads_and_finds_no_form(db: str) -> None:
    agency = screened()
    client = pages.browser(Role.AUDITOR, name="audit")
    response = client.get(f"/agencies/{agency}/")
    assert response.status_code == 200
    assert f'action="/agencies/{agency}/' not in response.content.decode()
    assert client.post(f"/agencies/{agency}/suspend/", {"reason": "x"}).status_code == 403


@pytest.mark.parametrize("address", ["/agencies/", "dossier"])
def test_more_rows_take_no_more_statements(db: str, address: str) -> None:
    agency = screened("FIRST")

    def grow(first: int, last: int) -> None:
        for number in range(first, last):
            register(f"A{number:03d}")
            services.register_collector(
                actor=actors.staff(), agency_id=agency, badge=f"B{number:03d}", alias="Li", registered_on=today(), trained_until=today() + timedelta(days=99), at=clock.now()
            )  # fmt: skip

    client: Client = pages.browser()
    page = address if address.startswith("/") else f"/agencies/{agency}/"
    grow(0, 5)
    few = pages.statements(client, page)
    grow(5, 50)
    assert pages.statements(client, page) == few
