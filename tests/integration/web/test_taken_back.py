"""What was taken back is said wherever a permit is read: portal, console, API, command line."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from weituo.cli import face
from weituo.domain.care import services as care
from weituo.domain.contact import services as contact
from weituo.domain.partners import queries as partners
from weituo.foundation import clock
from weituo.foundation.identity.roles import Role

from tests.builders import actors, pages
from tests.builders.contact import MORNING, Bench, bench, key_for

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LIN = actors.staff(Role.VENDOR_MANAGER)


def ask(desk: Bench, offset: timedelta) -> UUID:
    [answer] = contact.ask_permits(
        actor=actors.agency_system(desk.agency_id),
        requests=[
            contact.PermitRequest(
                case_ref=desk.cases[0].case_ref, badge=desk.badge, contact_point_id=desk.point(), channel="VOICE", purpose="COLLECT",
                planned_at=MORNING + offset,
            )
        ],
        at=MORNING,
    )  # fmt: skip
    assert answer.granted
    return answer.permit_id


def wish(desk: Bench) -> None:
    care.set_wish(
        actor=actors.staff(Role.CARE), borrower_id=desk.cases[0].borrower_id, channels=["LETTER"], hour_from=8, hour_to=9, language="zh", at=MORNING
    )  # fmt: skip


def get(client: Client, address: str, *, at: Any = MORNING) -> Any:
    with clock.at_instant(at):
        return client.get(address)


class TestPortal:
    def visit(self, desk: Bench, *, at: Any = MORNING, page: str = "agency:case") -> str:
        client = pages.browser(Role.AGENCY_SUPERVISOR, name="sup", agency_id=desk.agency_id)
        address = reverse(page, args=[desk.cases[0].case_ref] if page == "agency:case" else [])
        return pages.words(get(client, address, at=at))

    def test_contact_now_ends_where_the_rules_end_it(self, db: str) -> None:
        desk = bench()
        ask(desk, 12 * HOUR - 2 * MINUTE)
        evening = MORNING + 12 * HOUR
        shown = self.visit(desk, at=evening - MINUTE, page="agency:cases")
        assert "Contact now: call. until 22:00" in shown
        assert "Contact now" not in self.visit(desk, at=evening, page="agency:cases")

    def test_contact_now_does_not_begin_before_its_instant(self, db: str) -> None:
        desk = bench()
        ask(desk, HOUR)
        assert "Contact now" not in self.visit(desk, at=MORNING + HOUR - MINUTE / 2, page="agency:cases")
        assert "Contact now" in self.visit(desk, at=MORNING + HOUR, page="agency:cases")

    def test_a_permit_that_was_taken_back_says_why(self, db: str) -> None:
        desk = bench()
        ask(desk, HOUR)
        wish(desk)
        shown = self.visit(desk)
        assert (
            "Not now: the permit was taken back. The borrower's chosen hours and channels are kept." in shown
        )
        assert "house rule: the borrower's wish" in shown
        assert "taken back" in self.visit(desk, page="agency:cases")


def test_the_console_shows_answer_and_taking_back_side_by_side(db: str) -> None:
    desk = bench()
    permit_id = ask(desk, HOUR)
    wish(desk)
    client = pages.browser(Role.COMPLIANCE, name="chen")
    shown = pages.words(get(client, reverse("contact:permit", args=[permit_id])))
    assert "Taken back" in shown
    assert "No rule stood against this contact." in shown
    assert "the borrower's wish LENDER-WISH" in shown
    assert "same answer" in shown


class TestApi:
    def call(self, desk: Bench, path: str, *, language: str = "en") -> Any:
        client = Client(
            headers={"Authorization": f"Bearer {key_for(desk.agency_id)}", "Accept-Language": language}
        )
        return get(client, f"/api/v1{path}")

    def test_a_permit_says_how_it_stands(self, db: str) -> None:
        desk = bench()
        permit_id = ask(desk, HOUR)
        granted = self.call(desk, f"/permits/{permit_id}").json()
        assert (granted["state"], granted["collector"], granted["reasons"]) == ("GRANTED", desk.badge, [])
        wish(desk)
        void = self.call(desk, f"/permits/{permit_id}").json()
        assert (void["state"], void["voided_at"]) == ("VOID", "2026-03-09T02:00:00Z")
        assert [(one["code"], one["message"]) for one in void["reasons"]] == [
            ("LENDER-WISH", "The borrower's chosen hours and channels are kept.")
        ]
        chinese = self.call(desk, f"/permits/{permit_id}", language="zh-hans").json()
        assert chinese["reasons"][0]["message"] == "尊重借款人选择的联系时间与方式。"

    def test_what_was_taken_back_meanwhile_is_listed(self, db: str) -> None:
        desk, other = bench(), bench()
        permit_id = ask(desk, HOUR)
        ask(other, HOUR)
        wish(desk)
        since = "2026-03-09T02:00:00%2B00:00"
        assert [one["permit_id"] for one in self.call(desk, f"/permits?state=VOID&since={since}").json()["permits"]] == [str(permit_id)]  # fmt: skip
        later = "2026-03-09T02:00:01%2B00:00"
        assert self.call(desk, f"/permits?state=VOID&since={later}").json()["permits"] == []
        assert self.call(other, "/permits?state=VOID").json()["permits"] == []
        case_ref = desk.cases[0].case_ref
        assert len(self.call(desk, f"/permits?case_ref={case_ref}").json()["permits"]) == 1
        assert self.call(other, f"/permits?case_ref={case_ref}").json()["permits"] == []


class TestCollectors:
    def collector(self, desk: Bench) -> partners.CollectorRow:
        found = partners.collector_by_badge(LIN, badge=desk.badge)
        assert found is not None
        return found

    def change(self, desk: Bench, **fields: str) -> str:
        client = pages.browser()
        address = reverse("partners:change_collector", args=[desk.agency_id])
        with clock.at_instant(MORNING):
            response = client.post(
                address,
                {"collector": str(self.collector(desk).id), "reason": "told us"} | fields,
                follow=True,
            )
        return pages.words(response)

    def test_one_who_leaves_is_gone_from_the_choice_and_the_permits_are_void(self, db: str) -> None:
        desk = bench()
        permit_id = ask(desk, HOUR)
        assert "The collector has left." in self.change(desk, change="LEFT")
        assert self.collector(desk).active_to == date(2026, 3, 9)
        standing = TestApi().call(desk, f"/permits/{permit_id}").json()
        assert [one["code"] for one in standing["reasons"]] == ["LENDER-COLLECTOR"]
        assert "Let go" not in self.change(desk, change="LEFT")

    def test_training_is_written_down(self, db: str) -> None:
        desk = bench()
        shown = self.change(desk, change="TRAINING", trained_until="2026-06-30")
        assert "The training is written down." in shown
        assert self.collector(desk).trained_until == date(2026, 6, 30)

    def test_what_is_missing_is_said(self, db: str) -> None:
        desk = bench()
        before = self.collector(desk)
        self.change(desk, change="LEFT", collector="")
        self.change(desk, change="LEFT", reason=" ")
        self.change(desk, change="TRAINING")
        assert self.collector(desk) == before

    def test_the_command_line_does_the_same(
        self, db: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk = bench()
        monkeypatch.setattr("weituo.config.database.prepare", lambda home: None)
        pages.browser()
        with clock.at_instant(MORNING):
            words = ["partners", "training", desk.badge, "--until", "2026-06-30", "--reason", "test", "--as", "lin", "--json"]  # fmt: skip
            assert face.main(words) == 0
            assert json.loads(capsys.readouterr().out)["trained_until"] == "2026-06-30"
            words = ["partners", "collector-leaves", desk.badge, "--reason", "left", "--as", "lin", "--json"]
            assert face.main(words) == 0
            assert face.main(words) != 0
        assert self.collector(desk).active_to == date(2026, 3, 9)
        assert self.collector(desk).trained_until == date(2026, 6, 30)
