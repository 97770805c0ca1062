"""How many SQL statements each page takes: kept in a file, and the same however many rows there are."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from weituo.domain.care import services as care
from weituo.domain.contact import services as contact
from weituo.domain.ledger import services as ledger
from weituo.domain.tracking import services as tracking
from weituo.foundation import clock
from weituo.foundation.identity.roles import Role
from weituo.web import access

from tests.builders import actors
from tests.builders import ledger as money
from tests.builders import tracking as build
from tests.builders.contact import MORNING, Bench, bench
from tests.permissions import walk

KEPT = Path(__file__).with_name("query_counts.json")
Clone = Callable[[str], str]


def tell(*, agencies: int, cases: int) -> Bench:
    """Let agencies work their cases: permits, attempts, promises, money, a dispute; give the first agency's bench."""
    desks = [bench(count=cases) for _ in range(agencies)]
    ledger.open_book(actor=actors.worker(), at=MORNING)
    for desk in desks:
        system = actors.agency_system(desk.agency_id)
        contact.ask_permits(
            actor=system,
            requests=[
                contact.PermitRequest(
                    case_ref=case.case_ref, badge=desk.badge, contact_point_id=desk.points[case.borrower_id], channel="VOICE",
                    purpose="COLLECT", planned_at=MORNING,
                )
                for case in desk.cases
            ],
            at=MORNING,
        )  # fmt: skip
        tracking.record_promises(
            actor=system,
            promises=[
                build.promise(case, due_on=date(2026, 3, 20), ref=f"P-{case.case_ref}") for case in desk.cases
            ],
            at=MORNING,
        )
        lines = [
            ledger.RemittanceLine(
                case_ref=case.case_ref, amount_minor=10_000, paid_on=money.day(5), method="TRANSFER", bank_ref=case.case_ref
            )
            for case in desk.cases
        ]  # fmt: skip
        ref = f"R-{desk.agency_id.hex[-8:]}"
        ledger.report_remittance(
            actor=system,
            sender_ref=ref,
            currency="CNY",
            lines=lines,
            total_minor=10_000 * cases,
            at=money.REPORTED,
        )
        ledger.receive_bank_lines(
            actor=actors.worker(), lines=money.bank_line(ref, 10_000 * cases), at=MORNING
        )
        build.signed_plan(desk.agency_id, bps_by_month={1: 300, 2: 500})
    ledger.book_remittances(actor=actors.worker(), at=MORNING)
    for desk in desks:
        for case in desk.cases[: cases // 2]:
            care.open_case(
                actor=actors.borrower(case.borrower_id), kind="DISPUTE", reason="WRONG_AMOUNT", source="BORROWER_PAGE", at=MORNING
            )  # fmt: skip
    return desks[0]


def addresses(desk: Bench) -> dict[str, tuple[str, str]]:
    """Give route → (role that may open it, address), for every page that the story has an object for."""
    objects: dict[str, Any] = {
        "account_id": desk.cases[-1].account_id, "agency_id": desk.agency_id, "case_ref": desk.cases[-1].case_ref,
        "kind": "dispute", "currency": "CNY",
    }  # fmt: skip
    table = tomllib.loads(walk.KEPT.read_text(encoding="utf-8"))
    found = {}
    for route, outcomes in table.items():
        parts = re.findall(r"<(?:\w+:)?(\w+)>", route)
        openers = [
            who for outcome, those in outcomes.items() if outcome in {"open 200", "open 404"} for who in those
        ]
        if not openers or not set(parts) <= set(objects) or (not parts and "open 200" not in outcomes):
            continue
        found[route] = (openers[0], re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(objects[part[1]]), route))
    return found


def counts(desk: Bench) -> dict[str, int]:
    """Count the statements of every page that answers 200."""
    clients: dict[str, Any] = {}
    found = {}
    for route, (role, address) in addresses(desk).items():
        if role not in clients:
            clients[role] = walk.client_of(role, agency_id=desk.agency_id)
            if role == Role.BORROWER:
                _be(clients[role], desk.cases[-1].borrower_id)
        with clock.at_instant(MORNING):
            if clients[role].get(address).status_code == 200:  # and the session is warm
                found[route] = statements(clients[role], address)
    return found


def statements(client: Any, address: str) -> int:
    """Count the statements of one request over all connections."""
    with ExitStack() as stack:
        captured = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections]
        assert client.get(address).status_code == 200
    return sum(len(one) for one in captured)


def _be(client: Any, borrower_id: UUID) -> None:
    session = client.session
    session[access.BORROWER_SESSION_KEY] = str(borrower_id)
    session.save()


@pytest.mark.slow
def test_pages_take_the_statements_that_are_kept_however_many_rows_there_are(
    story_template: Callable[..., str], clone_of: Clone
) -> None:
    told: dict[str, Bench] = {}
    found = {}
    for size, (agencies, cases) in {"few": (1, 2), "many": (3, 8)}.items():

        def story(size: str = size, agencies: int = agencies, cases: int = cases) -> None:
            told[size] = tell(agencies=agencies, cases=cases)

        clone_of(story_template(f"pages_{size}", story))
        found[size] = counts(told[size])
    grown = {
        route: (found["few"][route], found["many"][route])
        for route in found["few"]
        if found["few"][route] != found["many"].get(route)
    }
    assert grown == {}, "statements grow with rows: (few, many)"
    if os.environ.get("WEITUO_WRITE_SNAPSHOTS") == "1":
        KEPT.write_text(json.dumps(found["many"], indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert json.loads(KEPT.read_text(encoding="utf-8")) == found["many"]


def test_no_page_takes_more_than_sixty_statements() -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    assert len(kept) > 20
    assert {route: count for route, count in kept.items() if count > 60} == {}
