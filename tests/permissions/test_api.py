"""Every operation of the API: without a key, with a bad or dead key, with a session instead of a key, and on another agency's objects."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.test import Client

from weituo.api.api import api
from weituo.domain.contact import services as contact
from weituo.foundation import clock, transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity import keys
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders.contact import MORNING, Bench, bench, key_for
from tests.builders.ledger import AT
from tests.permissions import walk

#: addresses that answer without a key, with the reason
WITHOUT_KEY = {"/api/v1/openapi.json": "the shape of the API holds no data"}
OPERATIONS = sorted(
    (path, method.upper())
    for path, operations in api.get_openapi_schema()["paths"].items()
    for method in operations
)


def ask(path: str, method: str, *, key: str = "", client: Client | None = None, body: Any = None) -> Any:
    """Send one request at the builders' time, its path parts filled with what leads to nothing."""
    filled = re.sub(r"\{\w*_id\}", str(new_id()), path)
    filled = re.sub(r"\{\w+\}", "C0000000000", filled)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with clock.at_instant(MORNING):
        return (client or Client()).generic(
            method, filled, json.dumps(body or {}), content_type="application/json", headers=headers
        )


def test_every_route_of_the_api_is_an_operation_or_on_the_list() -> None:
    documented = {path for path, _method in OPERATIONS}
    routes = {
        "/api/v1" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", "/" + str(one.pattern)).rstrip("/")
        for one in api.urls[0]
        if str(one.pattern)
    }
    assert routes - documented == set(WITHOUT_KEY)


def test_without_a_live_key_every_operation_is_refused(db: str) -> None:
    dead = keys.issue_key(
        actor=actors.staff(Role.ADMIN),
        agency_id=new_id(),
        name="old",
        at=AT,
        active_to=AT + timedelta(hours=1),
    ).secret
    later = keys.issue_key(
        actor=actors.staff(Role.ADMIN), agency_id=new_id(), name="new", at=MORNING + timedelta(days=1)
    ).secret
    staff = walk.client_of(Role.VENDOR_MANAGER.value)
    assert len(OPERATIONS) >= 9
    let_in = []
    for path, method in OPERATIONS:
        for key, client in (("", None), ("wt_unknown", None), (dead, None), (later, None), ("", staff)):
            response = ask(path, method, key=key, client=client)
            if (response.status_code, response["Content-Type"]) != (401, "application/problem+json"):
                let_in.append((path, method, key, client, response.status_code))
    assert let_in == []


def test_what_is_not_ones_own_is_not_there(db: str) -> None:
    """The same answer for another agency's object and for none at all: nobody learns what exists."""
    mine, theirs = bench(), bench()
    key = key_for(mine.agency_id)
    parts = {"{case_ref}": theirs.cases[0].case_ref, "{permit_id}": str(their_permit(theirs))}
    parts |= their_objects(theirs.agency_id)
    named = [(path, method) for path, method in OPERATIONS if "{" in path]
    unknown = {part for path, _method in named for part in re.findall(r"\{\w+\}", path)} - set(parts)
    assert not unknown, f"say in this test which object of another agency {unknown} leads to"
    for path, method in named:
        there = re.sub(r"\{\w+\}", lambda part: parts[part[0]], path)
        body: dict[str, Any] = {"digest": "0" * 64}
        if "acknowledge" in path:
            body |= {"cases": 1, "balance_minor": 1}
        elif "destructions" in path:
            body = {"cases": 1}
        response, nothing = ask(there, method, key=key, body=body), ask(path, method, key=key, body=body)
        assert response.status_code == 404, (path, response.content)
        assert response.json()["code"] == nothing.json()["code"]


def their_permit(desk: Bench) -> UUID:
    """Ask a permit for another agency."""
    [answer] = contact.ask_permits(
        actor=actors.agency_system(desk.agency_id),
        requests=[
            contact.PermitRequest(
                case_ref=desk.cases[0].case_ref, badge=desk.badge, contact_point_id=desk.point(), channel="VOICE", purpose="COLLECT", planned_at=MORNING
            )
        ],
        at=MORNING,
    )  # fmt: skip
    return answer.permit_id


def their_objects(agency_id: UUID) -> dict[str, str]:
    """Make one object of each kind that an address of the API can name."""
    made = {name: new_id() for name in ("statement_id", "package_id", "destruction_id", "plan_id")}
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_statement (id, agency_id, period_from, period_to, currency, payments, collected_minor, commission_minor, drawn_by, drawn_at) "
            "VALUES (%s, %s, '2026-01-01', '2026-02-01', 'CNY', 0, 0, 0, 'x', %s)",
            [made["statement_id"], agency_id, AT],
        )
        cursor.execute(
            "INSERT INTO sharing_package (id, agency_id, run_id, agreement_id, fields, cases, balance_minor, currency, digest, size_bytes, built_at) "
            "SELECT %s, g.agency_id, p.run_id, g.id, '{}', 1, 1, 'CNY', %s, 1, %s FROM partners_agreement g JOIN placement_placement p ON p.agency_id = g.agency_id "
            "WHERE g.agency_id = %s AND g.kind = 'CONFIDENTIALITY' LIMIT 1",
            [made["package_id"], "0" * 64, AT, agency_id],
        )
        assert cursor.rowcount == 1
        cursor.execute(
            "INSERT INTO sharing_destruction (id, agency_id, package_id, placements, cases, reason, asked_at) VALUES (%s, %s, %s, %s, 1, 'CONDUCT', %s)",
            [made["destruction_id"], agency_id, made["package_id"], [new_id()], AT],
        )
        cursor.execute(
            "INSERT INTO plans_plan (id, agency_id, version, state, active_from, note, digest, lender_signed_by, lender_signed_at) "
            "VALUES (%s, %s, 1, 'OFFERED', '2026-01-01', '', %s, 'x', %s)",
            [made["plan_id"], agency_id, "0" * 64, AT],
        )
        journal.write(actor=actors.worker(), at=AT, act="test.objects", entries=[])
    return {f"{{{name}}}": str(value) for name, value in made.items()}
