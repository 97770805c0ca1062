"""An agency's system answers offers, reads recall notices and objects, page by page and repeatably."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.test import Client

from weituo.domain.placement import queries, services
from weituo.foundation import clock
from weituo.foundation.identity import keys
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import placement as build

LIN = actors.staff()
LATER = build.AT + timedelta(hours=1)


def offered() -> tuple[UUID, UUID]:
    """Two agencies that answer each offer, and an approved run."""
    made = build.desk(count=10, capacity=5)
    for agency_id in made.agencies.values():
        build.answers_each(agency_id)
    build.approved(build.solved(exploration=0))
    return made.agencies["ALPHA"], made.agencies["BETA"]


def caller(agency_id: UUID) -> Callable[..., Any]:
    """Give a function that calls the API as an agency."""
    key = keys.issue_key(
        actor=actors.staff(Role.ADMIN), agency_id=agency_id, name="system", at=build.AT
    ).secret
    client = Client(headers={"Authorization": f"Bearer {key}", "Accept-Language": "en"})

    def call(path: str, body: Any = None, **headers: str) -> Any:
        with clock.at_instant(LATER):
            if body is None:
                return client.get(f"/api/v1{path}")
            return client.post(
                f"/api/v1{path}", json.dumps(body), content_type="application/json", headers=headers
            )

    return call


def test_offers_are_listed_without_persons_and_answered(db: str) -> None:
    alpha, _beta = offered()
    call = caller(alpha)
    first = call("/offers?limit=3").json()
    rest = call(f"/offers?limit=3&after={first['next']}").json()
    refs = [row["case_ref"] for row in first["offers"] + rest["offers"]]
    assert len(refs) == 5 and rest["next"] is None
    assert not {"account_id", "borrower_id", "name"} & set(first["offers"][0])
    assert call("/placements?state=ALL").json()["cases"] == []
    answer = call("/offers/accept", {"case_refs": refs[:2]}, **{"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()) == (200, {"accepted": 2, "withdrawn": 0})
    again = call("/offers/accept", {"case_refs": refs[:2]}, **{"Idempotency-Key": "k1"})
    assert again.json() == answer.json() and again["Idempotency-Replayed"] == "true"
    assert call("/offers/decline", {"case_refs": refs[2:4], "reason": "NO_CAPACITY"}).json() == {
        "declined": 2
    }
    assert [row["case_ref"] for row in call("/placements").json()["cases"]] == refs[:2]
    assert len(call("/offers?everything=true").json()["offers"]) == 5
    happened = call(f"/placements/{refs[2]}/history").json()["history"]
    assert [(row["what"], row["code"]) for row in happened] == [("DECLINED", "NO_CAPACITY"), ("OFFERED", "")]


def test_wrong_answers_are_problems(db: str) -> None:
    alpha, beta = offered()
    call, other = caller(alpha), caller(beta)
    [ref, *_rest] = [row["case_ref"] for row in call("/offers").json()["offers"]]
    assert other("/offers/accept", {"case_refs": [ref]}).status_code == 404
    assert other(f"/placements/{ref}/history").status_code == 404
    assert call("/offers/accept", {"case_refs": []}).status_code == 422
    assert call("/offers/decline", {"case_refs": [ref], "reason": "BORED"}).status_code == 422
    assert call("/offers/decline", {"case_refs": [ref], "reason": "OTHER"}).json()["code"] == "answer_refused"
    call("/offers/accept", {"case_refs": [ref]})
    refused = call("/offers/decline", {"case_refs": [ref], "reason": "NO_CAPACITY"})
    assert (refused.status_code, refused.json()["code"]) == (409, "offer_answered")
    assert (
        call("/recall-notices/object", {"case_refs": [ref], "code": "OTHER", "text": "no"}).status_code == 404
    )


def test_a_recall_is_read_and_objected_to(db: str) -> None:
    alpha, beta = offered()
    call = caller(alpha)
    refs = [row["case_ref"] for row in call("/offers").json()["offers"]]
    call("/offers/accept", {"case_refs": refs})
    services.give_notice(
        actor=LIN, placement_ids=build.placement_ids(LIN), reason="STRATEGY_CHANGED", at=LATER
    )
    rows = call("/recall-notices").json()["notices"]
    assert [row["case_ref"] for row in rows] == refs and {row["final_on"] for row in rows} == {"2026-03-09"}
    made = call(
        "/recall-notices/object",
        {
            "case_refs": refs[:2],
            "code": "PAYMENT_UNDER_WAY",
            "evidence_on": "2026-03-12",
            "evidence_minor": 5_000,
        },
    )
    assert (made.status_code, made.json()) == (200, {"waiting": 2, "upheld": 0})
    states = {row["case_ref"]: row["objection_state"] for row in call("/recall-notices").json()["notices"]}
    assert states == {ref: "OPEN" if ref in refs[:2] else None for ref in refs}
    assert caller(beta)("/recall-notices").json()["notices"] == []
    assert set(queries.placements_frame(LIN)["state"]) == {"ACTIVE"}
