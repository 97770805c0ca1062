"""The conduct pages show what the gate answered, why, and what must be answered for."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from weituo.domain.contact import queries
from weituo.domain.contact import services as contact
from weituo.foundation import clock
from weituo.foundation.identity.roles import Role

from tests.builders import actors, pages
from tests.builders.contact import MORNING, Bench, bench

NIGHT = timedelta(hours=12, minutes=30)
DAY = {"from": "2026-03-09", "through": "2026-03-09"}


def ask(desk: Bench, *offsets: timedelta, number: int = 0) -> list[contact.PermitAnswer]:
    return contact.ask_permits(
        actor=actors.agency_system(desk.agency_id),
        requests=[
            contact.PermitRequest(
                case_ref=desk.cases[number].case_ref, badge=desk.badge, contact_point_id=desk.point(number), channel="VOICE",
                purpose="COLLECT", planned_at=MORNING + offset,
            )
            for offset in offsets
        ],
        at=MORNING,
    )  # fmt: skip


def report(
    desk: Bench, *, number: int = 0, permit_id: UUID | None = None, ref: str = "S-1", hours: int = 0
) -> None:
    contact.log_attempts(
        actor=actors.agency_system(desk.agency_id),
        attempts=[
            contact.AttemptReport(
                sender_ref=ref, case_ref=desk.cases[number].case_ref, contact_point_id=desk.point(number), channel="VOICE",
                made_at=MORNING + timedelta(hours=hours), result="UNANSWERED", permit_id=permit_id,
            )
        ],
        at=MORNING + timedelta(hours=hours, minutes=1),
    )  # fmt: skip


@pytest.fixture
def desk(db: str) -> Bench:
    """Two permits granted, one refused at night, one contact made with leave and one without."""
    made = bench(count=3)
    [granted, _refused] = ask(made, timedelta(0), NIGHT)
    ask(made, timedelta(0), number=1)
    report(made, permit_id=granted.permit_id)
    report(made, number=2, ref="S-2")
    return made


@pytest.fixture
def reader(desk: Bench) -> Client:
    return pages.browser(Role.COMPLIANCE)


class TestIndex:
    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_figures_of_the_day_agree_with_the_rows(self, desk: Bench, language: str) -> None:
        page = pages.browser(Role.COMPLIANCE, language=language).get("/conduct/", DAY)
        assert page.status_code == 200
        frame = queries.refusals_frame(actors.worker())
        shown = {str(one["label"]): one["n"] for one in page.context["figures"]}
        assert list(shown.values()) == [3, 2, frame.height, 0, 1]
        assert [(one["code"], one["n"]) for one in page.context["reasons"]] == [("CN-HOURS", 1)]

    def test_without_days_the_last_day_with_permits_is_shown(self, reader: Client) -> None:
        page = reader.get("/conduct/")
        assert page.context["span"]["first"].isoformat() == "2026-03-09"

    def test_the_refusal_is_shown_with_its_citation_and_sentence(self, reader: Client) -> None:
        page = pages.words(reader.get("/conduct/", DAY))
        assert "GB/T 45251-2025 5.3" in page
        assert "No collection between 22:00 and 8:00" in page
        assert "“quiet hours” stopped most: 1 of 1 refused requests" in page

    def test_the_heat_map_counts_by_the_wall_of_the_lender(self, reader: Client) -> None:
        chart = reader.get("/conduct/", DAY).context["hours_chart"]
        assert queries.attempts_frame(actors.worker()).height == 2
        # 02:00 UTC on a Monday is 10:00 in Shanghai
        assert chart["cells"] == [[10, 0, 2]]
        assert chart["title"] == "All 2 contacts were made between 08:00 and 22:00"

    def test_an_overdue_violation_is_bad_news_at_the_top(self, reader: Client) -> None:
        with clock.at_instant(MORNING + timedelta(days=30)):
            page = reader.get("/conduct/", DAY)
        assert page.context["state"]["tone"] == "bad"
        assert "1 violation waits past its day of answer." in pages.words(page)

    def test_nobody_without_the_permission_sees_it(self, desk: Bench) -> None:
        assert Client().get("/conduct/").status_code == 302

    def test_days_that_make_no_sense_fall_back(self, reader: Client) -> None:
        page = reader.get("/conduct/", {"from": "2026-03-09", "through": "nonsense"})
        assert page.status_code == 200
        assert reader.get("/conduct/", {"from": "2026-03-09", "through": "1999-01-01"}).status_code == 200


class TestPermits:
    def test_the_list_filters_by_state_rule_and_agency(self, desk: Bench, reader: Client) -> None:
        def listed(**query: str) -> list[str]:
            return [row["state"] for row in reader.get("/conduct/permits/", DAY | query).context["permits"]]

        assert sorted(listed()) == ["GRANTED", "REFUSED", "USED"]
        assert listed(state="REFUSED") == ["REFUSED"]
        assert listed(rule="CN-HOURS") == ["REFUSED"]
        assert listed(rule="LENDER-DISPUTE") == []
        assert listed(agency="nobody") == []

    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_one_permit_shows_facts_reasons_packs_and_the_same_answer_again(
        self, desk: Bench, language: str
    ) -> None:
        [refused] = queries.permits(actors.worker(), state="REFUSED")
        page = pages.browser(Role.COMPLIANCE, language=language).get(f"/conduct/permits/{refused['id']}/")
        assert page.status_code == 200
        assert page.context["again"]["same_answer"] is True
        assert page.context["state"]["tone"] == "good"
        assert [one["code"] for one in page.context["reasons"]] == ["CN-HOURS"]
        assert {pack["name"] for pack in page.context["packs"]} == {"cn", "lender"}
        assert ("China Time" if language == "en" else "中国时间") in pages.words(page)
        # every stored fact has its words: none is left out
        assert len(page.context["facts"]) == len(page.context["permit"]["facts"]["facts"]) - 1

    def test_an_unknown_permit_is_refused(self, reader: Client) -> None:
        assert reader.get(f"/conduct/permits/{UUID(int=1)}/").status_code == 404


class TestRules:
    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_every_rule_in_force_is_listed_with_citation_and_confidence(
        self, desk: Bench, language: str
    ) -> None:
        page = pages.browser(Role.COMPLIANCE, language=language).get("/conduct/rules/")
        listed = [rule for pack in page.context["packs"] for rule in pack["rules"]]
        assert {rule["rule"] for rule in listed} >= {
            "GATE-PLACEMENT",
            "CN-HOURS",
            "CN-FREQ3",
            "LENDER-DISPUTE",
        }
        assert all(rule["citation"] and rule["confidence"] in {"T", "S", "M", "H"} for rule in listed)

    def test_a_day_before_the_standard_shows_fewer_rules(self, reader: Client) -> None:
        def many(on: str) -> int:
            page = reader.get("/conduct/rules/", {"on": on})
            return sum(len(pack["rules"]) for pack in page.context["packs"])

        assert many("2025-01-15") < many("2026-03-09")


class TestViolations:
    def test_closing_needs_an_outcome_and_keeps_the_clock_until_then(
        self, desk: Bench, reader: Client
    ) -> None:
        [violation] = queries.violations(actors.worker())
        refused = reader.post(f"/conduct/violations/{violation['id']}/close/", {"outcome": "  "})
        assert refused.status_code == 422
        assert queries.violations(actors.worker())[0]["closed_at"] is None
        done = reader.post(
            f"/conduct/violations/{violation['id']}/close/", {"outcome": "Agency warned in writing"}
        )
        assert done.status_code == 302
        assert queries.violations(actors.worker()) == []
        assert "Agency warned in writing" in pages.words(reader.get("/conduct/violations/", {"all": "1"}))

    def test_closing_twice_is_refused(self, desk: Bench, reader: Client) -> None:
        [violation] = queries.violations(actors.worker())
        address = f"/conduct/violations/{violation['id']}/close/"
        reader.post(address, {"outcome": "x"})
        assert reader.post(address, {"outcome": "y"}).status_code == 409

    def test_a_reader_without_the_right_sees_no_form_and_cannot_close(self, desk: Bench) -> None:
        [violation] = queries.violations(actors.worker())
        client = pages.browser(Role.ANALYST, name="wang")
        assert "outcome" not in client.get("/conduct/violations/").content.decode()
        assert (
            client.post(f"/conduct/violations/{violation['id']}/close/", {"outcome": "x"}).status_code == 403
        )


def test_ten_times_the_rows_take_no_more_queries(db: str) -> None:
    client = pages.browser(Role.COMPLIANCE)
    few = bench(count=5)
    for number in range(5):
        ask(few, NIGHT, number=number)
        report(few, number=number, ref=f"F-{number}")
    client.get("/conduct/", DAY)
    found = {}
    for rows in (5, 50):
        if rows == 50:
            for _ in range(3):
                more = bench(count=15)
                for number in range(15):
                    ask(more, NIGHT, number=number)
                    report(more, number=number, ref=f"M-{number}")
        for address in ("/conduct/", "/conduct/permits/", "/conduct/violations/"):
            found[address, rows] = pages.statements(client, f"{address}?from=2026-03-09&through=2026-03-09")
    for address in ("/conduct/", "/conduct/permits/", "/conduct/violations/"):
        assert found[address, 5] == found[address, 50] <= 25
