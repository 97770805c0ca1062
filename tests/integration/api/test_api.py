"""The public API as an agency's system meets it: keys, cases, permits, repeats, problems."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from weituo.foundation import clock

from tests.builders.contact import MORNING, Bench, bench, key_for

Call = Callable[..., Any]


def caller(desk: Bench, *, key: str = "") -> Call:
    """Give a function that calls the API as the agency of `desk`."""
    secret = key or key_for(desk.agency_id)
    client = Client(headers={"Authorization": f"Bearer {secret}", "Accept-Language": "en"})

    def call(path: str, body: Any = None, **headers: str) -> Any:
        with clock.at_instant(MORNING):
            if body is None:
                return client.get(f"/api/v1{path}", headers=headers)
            return client.post(
                f"/api/v1{path}", json.dumps(body), content_type="application/json", headers=headers
            )

    return call


def permit_body(desk: Bench, *, hours: float = 0) -> dict[str, Any]:
    return {
        "requests": [
            {
                "case_ref": desk.cases[0].case_ref,
                "collector": desk.badge,
                "contact_point": str(desk.point()),
                "channel": "VOICE",
                "planned_at": (MORNING + timedelta(hours=hours)).isoformat(),
            }
        ]
    }


def test_the_shape_of_the_api_is_open_to_everybody(db: str) -> None:
    response = Client().get("/api/v1/openapi.json")
    assert response.status_code == 200
    assert "/api/v1/permits" in response.json()["paths"]


class TestKeys:
    def test_without_a_key_the_answer_is_401_as_a_problem(self, db: str) -> None:
        response = Client().get("/api/v1/me")
        assert response.status_code == 401
        assert response["Content-Type"] == "application/problem+json"

    def test_an_unknown_key_is_refused(self, db: str) -> None:
        response = caller(bench(), key="wt_unknown")("/me")
        assert (response.status_code, response.json()["code"]) == (401, "key_refused")

    def test_me_names_agency_and_collectors(self, db: str) -> None:
        desk = bench()
        me = caller(desk)("/me").json()
        assert (me["agency_id"], me["active_cases"]) == (str(desk.agency_id), 1)
        assert [one["badge"] for one in me["collectors"]] == [desk.badge]


class TestCases:
    def test_an_agency_sees_its_own_cases_only(self, db: str) -> None:
        mine, theirs = bench(count=2), bench()
        call = caller(mine)
        seen = {case["case_ref"] for case in call("/placements").json()["cases"]}
        assert seen == {case.case_ref for case in mine.cases}
        response = call(f"/placements/{theirs.cases[0].case_ref}")
        assert (response.status_code, response.json()["code"]) == (404, "case_not_found")

    def test_pages_follow_each_other(self, db: str) -> None:
        desk = bench(count=3)
        call = caller(desk)
        first = call("/placements?limit=2").json()
        second = call(f"/placements?limit=2&after={first['next']}").json()
        assert [len(first["cases"]), len(second["cases"]), second["next"]] == [2, 1, None]
        case = second["cases"][0]
        assert case["contact_points"][0]["role"] == "BORROWER"
        assert case["balance_minor"] == 102_500


class TestPermits:
    def test_half_past_ten_at_night_is_refused_with_citation_and_time_to_ask_again(self, db: str) -> None:
        desk = bench()
        answer = caller(desk)("/permits", permit_body(desk, hours=12.5)).json()
        assert (answer["granted"], answer["refused"]) == (0, 1)
        [reason] = answer["permits"][0]["reasons"]
        assert "GB/T 45251-2025" in reason["citation"]
        assert reason["retry_at"] == "2026-03-10T00:00:00Z"

    def test_granted_then_reported(self, db: str) -> None:
        desk = bench()
        call = caller(desk)
        granted = call("/permits", permit_body(desk)).json()["permits"][0]
        body = {
            "attempts": [
                {
                    "sender_ref": "a-1",
                    "case_ref": desk.cases[0].case_ref,
                    "contact_point": str(desk.point()),
                    "permit_id": granted["permit_id"],
                    "channel": "VOICE",
                    "made_at": MORNING.isoformat(),
                    "result": "UNANSWERED",
                }
            ]
        }
        logged = call("/attempts", body).json()
        assert (logged["recorded"], logged["attempts"][0]["violations"]) == (1, [])

    def test_another_agencys_case_is_404(self, db: str) -> None:
        mine, theirs = bench(), bench()
        response = caller(mine)("/permits", permit_body(theirs))
        assert (response.status_code, response.json()["where"]) == (404, "requests[0].case_ref")

    @pytest.mark.parametrize("body", [{}, {"requests": []}, {"requests": [], "more": 1}, [1]])
    def test_a_body_that_does_not_fit_is_422(self, db: str, body: Any) -> None:
        response = caller(bench())("/permits", body)
        assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")

    def test_a_body_that_is_no_json_is_400(self, db: str) -> None:
        desk = bench()
        client = Client(headers={"Authorization": f"Bearer {key_for(desk.agency_id)}"})
        with clock.at_instant(MORNING):
            response = client.post("/api/v1/permits", "{", content_type="application/json")
        assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")


class TestRepeats:
    def test_the_same_key_and_body_give_the_same_answer_once_worked(self, db: str) -> None:
        desk = bench()
        call = caller(desk)
        first = call("/permits", permit_body(desk), **{"Idempotency-Key": "k1"})
        again = call("/permits", permit_body(desk), **{"Idempotency-Key": "k1"})
        assert first.content == again.content
        assert again["Idempotency-Replayed"] == "true"

    def test_the_same_key_with_another_body_is_409(self, db: str) -> None:
        desk = bench()
        call = caller(desk)
        call("/permits", permit_body(desk), **{"Idempotency-Key": "k1"})
        response = call("/permits", permit_body(desk, hours=1), **{"Idempotency-Key": "k1"})
        assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_reused")

    def test_two_agencies_may_use_the_same_key(self, db: str) -> None:
        mine, theirs = bench(), bench()
        first = caller(mine)("/permits", permit_body(mine), **{"Idempotency-Key": "k1"}).json()
        second = caller(theirs)("/permits", permit_body(theirs), **{"Idempotency-Key": "k1"}).json()
        assert first["permits"][0]["case_ref"] != second["permits"][0]["case_ref"]


class TestMoneyAndCare:
    def test_a_remittance_needs_its_control_total(self, db: str) -> None:
        desk = bench()
        line = {
            "case_ref": desk.cases[0].case_ref,
            "amount_minor": 500,
            "paid_on": "2026-03-08",
            "method": "BANK",
            "bank_ref": "r1",
        }
        body = {"sender_ref": "R1", "currency": "CNY", "total_minor": 501, "lines": [line]}
        call = caller(desk)
        assert call("/remittances", body).json()["code"] == "remittance_refused"
        assert call("/remittances", body | {"total_minor": 500}).json()["lines"] == 1

    def test_a_promise_is_recorded_once(self, db: str) -> None:
        desk = bench()
        call = caller(desk)
        body = {
            "promises": [
                {"sender_ref": "p1", "case_ref": desk.cases[0].case_ref, "amount_minor": 500, "currency": "CNY", "made_at": MORNING.isoformat(), "due_on": "2026-03-12"}
            ]
        }  # fmt: skip
        assert call("/promises", body).json()["recorded"] == 1
        assert call("/promises", body).json()["repeated"] == 1

    def test_a_dispute_told_to_the_agency_stops_the_next_permit(self, db: str) -> None:
        desk = bench()
        call = caller(desk)
        told = {"case_ref": desk.cases[0].case_ref, "kind": "DISPUTE", "reason": "WRONG_AMOUNT"}
        assert call("/care-cases", told).status_code == 200
        answer = call("/permits", permit_body(desk)).json()
        assert answer["permits"][0]["reasons"][0]["code"] == "LENDER-DISPUTE"
