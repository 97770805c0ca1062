"""What a careless or hostile system of an agency sends: a problem document, never a fault."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from weituo.foundation import clock

from tests.builders.contact import MORNING, Bench, bench, key_for

PROBLEM = "application/problem+json"


def send(desk: Bench, path: str, body: Any = None, *, raw: bytes = b"", **headers: str) -> Any:
    client = Client(headers={"Authorization": f"Bearer {key_for(desk.agency_id)}"} | headers)
    with clock.at_instant(MORNING):
        if body is None and not raw:
            return client.get(f"/api/v1{path}")
        return client.post(f"/api/v1{path}", raw or json.dumps(body), content_type="application/json")


def attempt(desk: Bench, **other: Any) -> dict[str, Any]:
    one = {"sender_ref": "a1", "case_ref": desk.cases[0].case_ref, "contact_point": str(desk.point())}
    one |= {"channel": "VOICE", "made_at": MORNING.isoformat(), "result": "UNANSWERED"}
    return {"attempts": [one | other]}


def promise(desk: Bench, **other: Any) -> dict[str, Any]:
    one = {"sender_ref": "p1", "case_ref": desk.cases[0].case_ref, "amount_minor": 5, "currency": "CNY"}
    return {"promises": [one | {"made_at": MORNING.isoformat(), "due_on": "2026-03-12"} | other]}


def remittance(desk: Bench, **other: Any) -> dict[str, Any]:
    line = {"case_ref": desk.cases[0].case_ref, "amount_minor": 5, "paid_on": "2026-03-08"}
    line |= {"method": "BANK", "bank_ref": "b1"}
    return {"sender_ref": "R1", "currency": "CNY", "total_minor": 5, "lines": [line | other]}


@pytest.mark.parametrize("field", ["sender_ref", "case_ref"])
def test_nul_in_a_body_is_a_problem(db: str, field: str) -> None:
    desk = bench()
    for path, body in [
        ("/attempts", attempt(desk, **{field: "a\0"})),
        ("/promises", promise(desk, **{field: "a\0"})),
        ("/remittances", remittance(desk) | {"sender_ref": "a\0"}),
    ]:
        answer = send(desk, path, body)
        assert (answer.status_code, answer["Content-Type"]) == (422, PROBLEM)


@pytest.mark.parametrize("path", ["/placements?after=%00", "/placements/%00"])
def test_nul_in_an_address_is_a_problem(db: str, path: str) -> None:
    answer = send(bench(), path)

    assert (answer.status_code, answer["Content-Type"]) == (422, PROBLEM)


@pytest.mark.parametrize(
    "made_at", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]
)
def test_what_lies_before_living_memory_is_not_recorded(db: str, made_at: str) -> None:
    desk = bench()

    contact = send(desk, "/attempts", attempt(desk, made_at=made_at))
    pledge = send(desk, "/promises", promise(desk, made_at=made_at, due_on=made_at[:10]))

    assert (contact.status_code, contact["Content-Type"]) == (422, PROBLEM)
    assert (pledge.status_code, pledge["Content-Type"]) == (422, PROBLEM)
    assert "made_at" in contact.content.decode() and "made_at" in pledge.content.decode()


@pytest.mark.parametrize("paid_on", ["0001-01-01", "2020-01-01", "2026-03-10", "2028-01-01", "9999-12-31"])
def test_a_payment_is_reported_for_a_day_that_can_be(db: str, paid_on: str) -> None:
    desk = bench()

    answer = send(desk, "/remittances", remittance(desk, paid_on=paid_on))

    assert (answer.status_code, answer.json()["where"]) == (422, "lines[1].paid_on")


@pytest.mark.parametrize(("amount", "status"), [(102_500, 200), (102_501, 422), (9 * 10**15, 422)])
def test_no_promise_exceeds_what_was_owed_on_its_day(db: str, amount: int, status: int) -> None:
    desk = bench()

    answer = send(desk, "/promises", promise(desk, amount_minor=amount))

    assert answer.status_code == status
    assert status == 200 or "amount_minor" in answer.content.decode()


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k1"}])
def test_a_body_that_is_too_long_is_a_problem(db: str, headers: dict[str, str]) -> None:
    answer = send(bench(), "/promises", raw=b'"' + b"x" * 3_000_000 + b'"', **headers)

    assert (answer.status_code, answer["Content-Type"]) == (413, PROBLEM)
