"""The progress pages follow booked money against plans, and turn alerts into actions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import polars as pl
import pytest
from django.test import Client

from weituo.domain.ledger import services as ledger
from weituo.domain.tracking import queries
from weituo.domain.tracking import services as tracking
from weituo.foundation import clock, transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role

from tests.builders import actors, pages
from tests.builders import tracking as build
from tests.builders.ledger import AT, Placed, placed_accounts

LAST = date(2026, 5, 5)
NOW = datetime(2026, 5, 6, 2, 0, tzinfo=UTC)
MANAGER = actors.staff(Role.VENDOR_MANAGER)


@dataclass(frozen=True, slots=True)
class Scene:
    """Two agencies with forty cases each: the slow one is behind its plan from month 1 on, the quick one has no plan."""

    slow: list[Placed]
    quick: list[Placed]

    @property
    def slow_id(self) -> UUID:
        return self.slow[0].agency_id


def name(agency_id: UUID, text: str) -> None:
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE partners_agency SET name_en = %s, name_zh = %s WHERE id = %s",
            [text, f"机构{text}", agency_id],
        )
        journal.write(actor=actors.worker(), at=AT, act="test.name", entries=[])


def pay(cases: list[Placed], *, minor: int, on: date, ref: str) -> None:
    """Book one payment a case; every second case pays half as much, so that there is something to estimate."""
    ledger.book_direct_payments(
        actor=actors.staff(Role.FINANCE),
        payments=pl.DataFrame(
            {
                "reference": [f"{ref}-{number}" for number in range(len(cases))],
                "account_id": [str(case.account_id) for case in cases],
                "amount_minor": [minor // (1 + number % 2) for number in range(len(cases))],
                "currency": ["CNY"] * len(cases),
                "paid_on": [on] * len(cases),
                "method": ["TRANSFER"] * len(cases),
            }
        ),
        at=NOW,
    )


@pytest.fixture
def scene(db: str) -> Scene:
    made = Scene(placed_accounts(count=40), placed_accounts(count=40))
    name(made.slow[0].agency_id, "Slow")
    name(made.quick[0].agency_id, "Quick")
    ledger.open_book(actor=actors.staff(Role.FINANCE), at=AT)
    build.signed_plan(made.slow_id, bps_by_month={1: 600, 2: 1_200})
    pay(made.slow, minor=2_000, on=date(2026, 3, 20), ref="s")
    pay(made.quick, minor=12_000, on=date(2026, 3, 20), ref="q")
    pay(made.quick[:1], minor=400, on=LAST, ref="l")
    return made


@pytest.fixture
def manager(scene: Scene) -> Client:
    return pages.browser(Role.VENDOR_MANAGER)


class TestIndex:
    @pytest.mark.parametrize("language", pages.LANGUAGES)
    def test_the_title_states_the_finding_and_the_figures_are_booked_money(
        self, scene: Scene, language: str
    ) -> None:
        page = pages.browser(Role.ANALYST, language=language).get("/progress/")
        assert page.status_code == 200
        first = page.context["standings"][0]
        # 20 cases paid 20.00 and 20 paid 10.00, of 1,025.00 each
        assert first["liquidation"] == pytest.approx((20 * 2_000 + 20 * 1_000) / (40 * 102_500))
        assert (first["code"], first["since"], first["n"]) == ("BEHIND", 1, 40)
        assert first["plan"] == pytest.approx(0.12)
        assert page.context["chart"]["title"] == first["text"]
        assert page.context["state"]["tone"] == "bad"
        if language == "en":
            assert "Slow is behind plan since month 1" in pages.words(page)

    def test_the_quick_agency_without_plan_is_shown_as_peer_and_on_its_own(
        self, scene: Scene, manager: Client
    ) -> None:
        chart = manager.get("/progress/").context["chart"]
        assert [one["style"] for one in chart["series"]] == ["solid", "dashed", "peer"]
        own = manager.get("/progress/", {"agency": str(scene.quick[0].agency_id)}).context["chart"]
        assert own["title"].startswith("Quick recovered ")
        # the payment of 5 May came in the third month, which no case has completed
        assert own["series"][0]["values"] == pytest.approx([(20 * 12_000 + 20 * 6_000) / (40 * 102_500)] * 2)

    def test_every_figure_leads_to_its_cases(self, scene: Scene, manager: Client) -> None:
        page = manager.get("/progress/", {"bucket": "M2"})
        address = page.context["standings"][0]["cases_url"]
        assert f"agency={scene.slow_id}" in address
        assert "40" in pages.words(manager.get(address))

    def test_a_bucket_without_cases_is_too_early(self, manager: Client) -> None:
        page = manager.get("/progress/", {"bucket": "M5"})
        assert page.context["chart"] is None
        assert "too early to say" in pages.words(page)

    def test_nothing_placed_teaches_what_to_do(self, db: str) -> None:
        page = pages.browser().get("/progress/")
        assert page.context["state"]["tone"] == "none"
        assert "Approve a placement run" in pages.words(page)

    def test_promises_show_the_share_kept_of_those_decided(self, scene: Scene, manager: Client) -> None:
        tracking.record_promises(
            actor=actors.agency_system(scene.slow_id),
            promises=[
                build.promise(case, due_on=date(2026, 3, 21), amount_minor=1_000, ref=f"P{number}")
                for number, case in enumerate(scene.slow[:3])
            ],
            at=AT,
        )
        with clock.at_instant(NOW):
            assert manager.post("/progress/promises/decide/").status_code == 302
        [row] = manager.get("/progress/").context["promises"]
        assert (row["made"], row["kept"], row["kept_share"], row["early"]) == (3, 3, 1.0, True)

    def test_every_case_rests_when_nobody_was_contacted(self, manager: Client) -> None:
        page = manager.get("/progress/")
        assert [(row["active"], row["tried"], row["resting"]) for row in page.context["coverage"]] == [
            (40, 0, 40)
        ] * 2
        assert "40 of 40 cases rest for 14 days or longer" in page.context["coverage_title"]


class TestAlerts:
    def raised(self, manager: Client) -> dict[str, dict[str, object]]:
        with clock.at_instant(NOW):
            manager.post("/progress/alerts/raise/")
        return {row["code"]: row for row in queries.alerts(MANAGER) if row["name_en"] == "Slow"}

    def test_raising_twice_raises_once(self, manager: Client) -> None:
        assert set(self.raised(manager)) == {"BEHIND_PLAN", "NO_ACTIVITY"}
        many = len(queries.alerts(MANAGER))
        self.raised(manager)
        assert len(queries.alerts(MANAGER)) == many
        assert "planned 12.0%; n = 40" in pages.words(manager.get("/progress/"))

    def test_closing_needs_an_action(self, manager: Client) -> None:
        alert = self.raised(manager)["NO_ACTIVITY"]
        address = f"/progress/alerts/{alert['id']}/close/"
        manager.post(address, {"action": " "})
        assert "NO_ACTIVITY" in {row["code"] for row in queries.alerts(MANAGER) if row["id"] == alert["id"]}
        manager.post(address, {"action": "Agency adds two collectors by Monday"})
        assert alert["id"] not in {row["id"] for row in queries.alerts(MANAGER)}

    def test_a_review_answers_an_alert_with_its_actions(self, scene: Scene, manager: Client) -> None:
        alert = self.raised(manager)["BEHIND_PLAN"]
        page = manager.get(next(row for row in manager.get("/progress/").context["alerts"] if row["id"] == alert["id"])["act"]["url"])  # fmt: skip
        assert page.context["alert"]["id"] == alert["id"]
        typed = {
            "agency": str(scene.slow_id), "period_from": "2026-03-01", "period_to": "2026-05-01", "findings": "Too few evening calls",
            "actions": "Two more collectors by 18 May", "alert": str(alert["id"]),
        }  # fmt: skip
        assert manager.post("/progress/reviews/hold/", typed).status_code == 302
        [closed] = [row for row in queries.alerts(MANAGER, open_only=False) if row["id"] == alert["id"]]
        assert closed["action"] == "Two more collectors by 18 May"

    def test_an_auditor_reads_and_changes_nothing(self, scene: Scene) -> None:
        auditor = pages.browser(Role.AUDITOR, name="audit")
        assert auditor.get("/progress/").status_code == 200
        assert auditor.post("/progress/alerts/raise/").status_code == 403
        assert auditor.post("/progress/reviews/hold/", {}).status_code == 403


class TestReviews:
    @pytest.mark.parametrize("language", pages.LANGUAGES)
    def test_figures_are_frozen_as_they_were(self, scene: Scene, language: str) -> None:
        client = pages.browser(language=language)
        query = {"agency": str(scene.slow_id), "period_from": "2026-03-01", "period_to": "2026-05-01"}
        preview = client.get("/progress/reviews/", query).context["preview"]
        shown = {one["label"]: one["value"] for one in preview}
        client.post("/progress/reviews/hold/", query | {"findings": "x", "actions": ""})
        pay(scene.slow, minor=500, on=date(2026, 4, 20), ref="later")
        page = client.get("/progress/reviews/")
        [held] = page.context["reviews"]
        assert {one["label"]: one["value"] for one in held["shown"]} == shown
        assert held["figures"]["recovered_minor"] == 20 * 2_000 + 20 * 1_000
        now = queries.figures(
            MANAGER, agency_id=scene.slow_id, period_from=date(2026, 3, 1), period_to=date(2026, 5, 1)
        )
        assert now["recovered_minor"] == held["figures"]["recovered_minor"] + 20 * 500 + 20 * 250

    def test_a_refused_review_keeps_what_was_typed(self, scene: Scene, manager: Client) -> None:
        typed = {"agency": str(scene.slow_id), "period_from": "2026-05-01", "period_to": "2026-03-01", "findings": "typed findings"}  # fmt: skip
        page = manager.post("/progress/reviews/hold/", typed)
        assert page.status_code == 422
        assert page.context["form"]["findings"] == "typed findings"
        assert queries.reviews(MANAGER) == []

    def test_without_an_agency_it_is_refused(self, manager: Client) -> None:
        assert manager.post("/progress/reviews/hold/", {"findings": "x"}).status_code == 422


def test_ten_times_the_agencies_take_no_more_queries(db: str) -> None:
    client, found = pages.browser(), {}
    for many in (5, 50):
        for _ in range(many - len(found) * 5):
            [case] = placed_accounts()
            build.signed_plan(case.agency_id, bps_by_month={1: 500})
            tracking.record_promises(
                actor=actors.agency_system(case.agency_id),
                promises=[build.promise(case, due_on=date(2026, 3, 6))],
                at=AT,
            )
        with clock.at_instant(AT + timedelta(days=60)):
            client.post("/progress/alerts/raise/")
        found[many] = pages.statements(client, "/progress/")
    assert found[5] == found[50] <= 25
