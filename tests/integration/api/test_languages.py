"""The API refuses in the language that its caller asks for; codes stay the same."""

from __future__ import annotations

import pytest
from django.test import Client

from weituo.foundation.identity import keys
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders.contact import MORNING, bench

LINE = {"amount_minor": 100, "paid_on": "2026-03-09", "method": "TRANSFER", "bank_ref": "B-1"}


@pytest.mark.parametrize(
    ("language", "double", "needed"),
    [
        ("en", "a bank reference stands twice", "This field is needed."),
        ("zh-CN", "同一银行流水号出现两次", "此字段必填。"),
    ],
)
def test_a_refusal_speaks_the_callers_language(db: str, language: str, double: str, needed: str) -> None:
    desk = bench(count=1)
    admin = actors.staff(Role.ADMIN)
    issued = keys.issue_key(actor=admin, agency_id=desk.agency_id, name="system", at=MORNING)
    client = Client(headers={"Authorization": f"Bearer {issued.secret}", "Accept-Language": language})
    line = LINE | {"case_ref": desk.cases[0].case_ref}
    body = {"sender_ref": "R-1", "currency": "CNY", "total_minor": 200, "lines": [line, line]}
    refused = client.post("/api/v1/remittances", body, content_type="application/json", headers={"Idempotency-Key": "k-1"})  # fmt: skip
    assert (refused.status_code, refused.json()["code"]) == (422, "remittance_refused")
    assert double in refused.json()["message"]
    del body["currency"]
    misfit = client.post("/api/v1/remittances", body, content_type="application/json", headers={"Idempotency-Key": "k-2"})  # fmt: skip
    assert misfit.json()["code"] == "bad_input"
    assert [one["message"] for one in misfit.json()["problems"]] == [needed]
