"""An agency's system fetches its package, opens and confirms it, opens one case online, and signs its plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from typing import Any

from django.test import Client

from weituo.domain.partners import services as partners
from weituo.domain.placement import services as placement
from weituo.domain.plans import services as plans
from weituo.domain.sharing import queries, services
from weituo.foundation import clock
from weituo.foundation.audit import journal
from weituo.foundation.identity import keys
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import sharing as build
from tests.builders.ledger import AT

MANAGER = actors.staff()


def caller(desk: build.Desk) -> Callable[..., Any]:
    """Give a function that calls the API as the agency of `desk`."""
    key = keys.issue_key(
        actor=actors.staff(Role.ADMIN), agency_id=desk.agency_id, name="test system", at=AT
    ).secret
    client = Client(headers={"Authorization": f"Bearer {key}", "Accept-Language": "en"})

    def call(path: str, body: Any = None) -> Any:
        with clock.at_instant(AT):
            if body is None:
                return client.get(f"/api/v1{path}")
            return client.post(f"/api/v1{path}", json.dumps(body), content_type="application/json")

    return call


def built(desk: build.Desk) -> str:
    return str(services.build_package(actor=MANAGER, agency_id=desk.agency_id, run_id=desk.run_id, at=AT))


def test_a_package_is_listed_fetched_opened_and_confirmed(db: str) -> None:
    desk = build.desk()
    package_id = built(desk)
    call = caller(desk)
    [listed] = call("/packages").json()["packages"]
    assert (listed["id"], listed["state"], listed["cases"]) == (package_id, "BUILT", 2)
    response = call(f"/packages/{package_id}/file")
    sealed = b"".join(response.streaming_content)
    assert (response.status_code, response["Content-Type"]) == (200, "application/octet-stream")
    assert response["Cache-Control"] == "no-store"
    cases, manifest = build.opened_bytes(sealed, desk.identity)
    receipt = {
        "digest": hashlib.sha256(sealed).hexdigest(),
        "cases": len(cases),
        "balance_minor": sum(case["balance_minor"] for case in cases),
    }
    answer = call(f"/packages/{package_id}/acknowledge", receipt)
    assert (answer.status_code, answer.json()["state"]) == (200, "ACKNOWLEDGED")
    assert manifest["package_id"] == package_id


def test_wrong_totals_are_a_problem_that_names_the_difference(db: str) -> None:
    desk = build.desk()
    package_id = built(desk)
    answer = caller(desk)(
        f"/packages/{package_id}/acknowledge", {"digest": "0" * 64, "cases": 1, "balance_minor": 0}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "totals_differ")
    assert answer.json()["where"] == "digest, cases, balance_minor"


def test_another_agencys_package_is_404(db: str) -> None:
    desk, other = build.desk(), build.desk()
    package_id = built(desk)
    call = caller(other)
    assert call("/packages").json() == {"packages": []}
    response = call(f"/packages/{package_id}/file")
    assert (response.status_code, response.json()["code"]) == (404, "package_not_found")


def test_a_revoked_package_is_not_sent(db: str) -> None:
    desk = build.desk()
    package_id = built(desk)
    partners.suspend(actor=actors.staff(Role.COMPLIANCE), agency_id=desk.agency_id, reason="leak", at=AT)
    response = caller(desk)(f"/packages/{package_id}/file")
    assert (response.status_code, response.json()["code"]) == (409, "package_revoked")


def test_cases_taken_back_are_named_and_their_destruction_is_confirmed(db: str) -> None:
    desk, other = build.desk(count=3), build.desk()
    package_id = built(desk)
    gone = desk.cases[1]
    placement.recall(actor=MANAGER, placement_ids=[gone.placement_id], reason="DISPUTE", at=AT)
    call = caller(desk)
    [listed] = call("/packages").json()["packages"]
    assert (listed["state"], listed["taken_back"], listed["to_destroy"]) == ("BUILT", 1, 1)
    refused = call(f"/packages/{package_id}/file")
    assert (refused.status_code, refused.json()["code"]) == (409, "package_outdated")
    assert call(f"/placements/{gone.case_ref}").json()["code"] == "case_ended"
    [demand] = call("/destructions").json()["destructions"]
    assert (demand["package_id"], demand["case_refs"], demand["reason"]) == (package_id, [gone.case_ref], "DISPUTE")  # fmt: skip
    address = f"/destructions/{demand['id']}/confirm"
    assert call(address, {"cases": 2}).json()["code"] == "destruction_miscounted"
    foreign = caller(other)
    assert foreign("/destructions").json() == {"destructions": []}
    assert foreign(address, {"cases": 1}).status_code == 404
    done = call(address, {"cases": 1})
    assert (done.status_code, done.json()["confirmed_at"] is not None) == (200, True)


def test_one_case_is_opened_with_its_allowed_facts_and_logged(db: str) -> None:
    desk = build.desk(words=("name", "phone"))
    case_ref = desk.cases[0].case_ref
    seen = caller(desk)(f"/placements/{case_ref}").json()
    assert list(seen["disclosed"]) == ["case_ref", "name", "phone"]
    assert seen["disclosed"]["name"] == "张00000"
    points = {point["contact_point"] for point in seen["case"]["contact_points"]}
    assert seen["disclosed"]["phone"][0]["contact_point"] in points
    assert [row["case_ref"] for row in queries.disclosures(MANAGER)] == [case_ref]
    assert journal.entries(actors.staff(Role.COMPLIANCE), act="sharing.open_case")


def test_one_case_stays_closed_without_an_agreement(db: str) -> None:
    desk = build.desk(agreement=False)
    answer = caller(desk)(f"/placements/{desk.cases[0].case_ref}")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_may_be_shared")


def test_the_plan_is_read_and_signed_over_its_digest(db: str) -> None:
    desk = build.desk()
    plan_id = plans.draft_plan(
        actor=MANAGER,
        agency_id=desk.agency_id,
        active_from=date(2026, 3, 1),
        active_to=None,
        targets={"M2": [300, 600]},
        milestones=[
            {
                "title_zh": "首次复盘",
                "title_en": "First review",
                "owner": "LENDER",
                "due_on": date(2026, 4, 1),
            }
        ],
        at=AT,
    )
    call = caller(desk)
    assert call("/plan").json() == {"plans": []}
    plans.sign_as_lender(actor=MANAGER, plan_id=plan_id, at=AT)
    [offered] = call("/plan").json()["plans"]
    assert (offered["state"], len(offered["targets"]), len(offered["milestones"])) == ("OFFERED", 2, 1)
    refused = call(f"/plan/{plan_id}/sign", {"digest": "0" * 64})
    assert (refused.status_code, refused.json()["where"]) == (409, "digest")
    signed = call(f"/plan/{plan_id}/sign", {"digest": offered["digest"]})
    assert (signed.status_code, signed.json()["state"]) == (200, "SIGNED")
