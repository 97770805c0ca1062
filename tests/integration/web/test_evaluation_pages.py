"""League, scorecards, decisions and the business case show what rows say, and no more than that."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from weituo.domain.evaluation import queries
from weituo.domain.evaluation import services as evaluation
from weituo.domain.ledger import queries as ledger_queries
from weituo.domain.ledger import services as ledger
from weituo.domain.partners import queries as partners
from weituo.foundation.identity.roles import Role

from tests.builders import actors, jobs, pages
from tests.builders import evaluation as build
from tests.builders.ledger import AT, Placed, day

PERIOD = {"period_from": "2026-03-01", "period_to": "2026-06-01"}
DAYS = {name: date.fromisoformat(value) for name, value in PERIOD.items()}
ANALYST, MANAGER = actors.staff(Role.ANALYST), actors.staff(Role.VENDOR_MANAGER)
UNEQUAL = (0.10, 0.35, 0.60)


def evaluated(*, payers: tuple[float, ...] = UNEQUAL, count: int = 120) -> tuple[list[list[Placed]], UUID]:
    made = build.agencies(payers=payers, count=count)
    return made, evaluation.evaluate(actor=ANALYST, **DAYS, at=AT)


def card_of(evaluation_id: UUID, agency_id: UUID) -> dict[str, Any]:
    cards = queries.evaluation(ANALYST, evaluation_id=evaluation_id)["scorecards"]
    return next(card for card in cards if card["agency_id"] == agency_id)


class TestLeague:
    @pytest.mark.parametrize("language", pages.LANGUAGES)
    def test_money_in_the_league_is_the_booked_money(self, db: str, language: str) -> None:
        made, _ = evaluated()
        page = pages.browser(Role.ANALYST, language=language).get("/evaluation/")
        assert page.status_code == 200
        booked = ledger_queries.payments_frame(actors.worker())
        for cases in made:
            agency_id = cases[0].agency_id
            row = next(row for row in page.context["league"] if row["agency_id"] == agency_id)
            own = booked.filter(booked["agency_id"] == str(agency_id))
            assert row["figures"]["recovered_minor"] == own["amount_minor"].sum()
            assert row["figures"]["placements"] == 120

    def test_the_best_and_the_worst_are_named_and_wait_for_a_decision(self, db: str) -> None:
        made, evaluation_id = evaluated()
        page = pages.browser(Role.ANALYST).get("/evaluation/")
        verdicts = {row["agency_id"]: row["verdict"] for row in page.context["league"]}
        assert verdicts[made[2][0].agency_id] == "BETTER"
        assert verdicts[made[0][0].agency_id] == "WORSE"
        assert page.context["state"]["tone"] == "watch"
        assert "better than their peers" in page.context["chart"]["title"]
        chart = page.context["chart"]["series"][0]
        best = card_of(evaluation_id, made[2][0].agency_id)["figures"]["fair_net"]
        assert chart["values"][0] == best["value"]
        assert chart["low"][0] < chart["values"][0] < chart["high"][0]

    def test_equal_agencies_cannot_be_told_apart(self, db: str) -> None:
        evaluated(payers=(0.3, 0.3), count=110)
        page = pages.browser().get("/evaluation/")
        assert {row["verdict"] for row in page.context["league"]} == {"CANNOT_BE_TOLD_APART"}
        assert "The agencies cannot be told apart" in pages.words(page)
        assert {row["rank"] for row in page.context["league"]} == {"1–2"}

    def test_few_placements_are_too_early_and_not_drawn(self, db: str) -> None:
        evaluated(payers=(0.2, 0.8), count=20)
        page = pages.browser().get("/evaluation/")
        assert page.context["chart"] is None
        assert "too early to say" in pages.words(page)
        assert {row["rank"] for row in page.context["league"]} == {"–"}

    def test_nothing_evaluated_teaches_what_to_do(self, db: str) -> None:
        page = pages.browser().get("/evaluation/")
        assert page.context["state"]["tone"] == "none"
        assert "Choose a period" in pages.words(page)


class TestEvaluate:
    def test_running_one_leads_to_it(self, db: str) -> None:
        build.agencies(payers=(0.2, 0.4), count=30)
        client = pages.browser(Role.ANALYST)
        address = jobs.result(client, client.post("/evaluation/run/", PERIOD))
        [made] = queries.evaluations(ANALYST)
        assert address == f"/evaluation/{made['id']}/"

    def test_an_empty_period_is_refused_and_kept_in_the_form(self, db: str) -> None:
        client = pages.browser(Role.ANALYST)
        page = jobs.done(client, client.post("/evaluation/run/", PERIOD))
        assert page.context["job"]["state"] == "REFUSED"
        assert "No placement was made in this period" in pages.words(page)
        [back] = page.context["state"]["next"]
        assert client.get(back["url"]).context["form"]["period_from"] == date(2026, 3, 1)

    def test_an_auditor_cannot_run_one(self, db: str) -> None:
        client = pages.browser(Role.AUDITOR, name="audit")
        assert client.get("/evaluation/").status_code == 200
        assert client.post("/evaluation/run/", PERIOD).status_code == 403


@pytest.fixture
def best(db: str) -> dict[str, Any]:
    made, evaluation_id = evaluated()
    return card_of(evaluation_id, made[2][0].agency_id)


class TestScorecard:
    @pytest.mark.parametrize("language", pages.LANGUAGES)
    def test_it_shows_money_cost_customer_conduct_and_harm(self, best: dict[str, Any], language: str) -> None:
        page = pages.browser(language=language).get(f"/evaluation/scorecards/{best['id']}/")
        assert page.status_code == 200
        figures, prices = page.context["figures"], page.context["prices"]
        assert figures["cost_to_collect"] == pytest.approx(0.20)
        assert figures["net_minor"] == figures["recovered_minor"] - figures["commission_minor"]
        assert figures["harm_minor"] == sum(one["minor"] * one["n"] for one in prices)
        assert f"{figures['recovered_minor'] / 100:,.2f}" in pages.words(page)

    def test_a_change_of_tier_holds_at_once_and_is_shown_with_its_reason(self, best: dict[str, Any]) -> None:
        client = pages.browser()
        address = f"/evaluation/scorecards/{best['id']}/"
        answer = client.post(
            f"{address}decide/", {"decision": "TIER", "tier": "1", "reason": "Best of three in the half-year"}
        )
        assert answer.status_code == 302
        assert next(row for row in partners.agencies(MANAGER) if row.id == best["agency_id"]).tier == 1
        text = pages.words(client.get(address))
        assert "Best of three in the half-year" in text
        assert "→ 1" in text
        assert pages.words(client.get("/evaluation/")).count("decided") >= 1

    def test_an_exit_lets_no_further_account_in(self, best: dict[str, Any]) -> None:
        client = pages.browser()
        page = client.get(f"/evaluation/scorecards/{best['id']}/")
        assert 'data-confirm="' in page.content.decode()
        client.post(
            f"/evaluation/scorecards/{best['id']}/decide/",
            {"decision": "EXIT", "reason": "Data found abroad"},
        )
        agency = next(row for row in partners.agencies(MANAGER) if row.id == best["agency_id"])
        assert agency.capacity_accounts_max == 0

    def test_a_decision_without_reason_is_refused_and_keeps_what_was_typed(
        self, best: dict[str, Any]
    ) -> None:
        page = pages.browser().post(
            f"/evaluation/scorecards/{best['id']}/decide/", {"decision": "CAPACITY", "capacity": "4000", "reason": ""}
        )  # fmt: skip
        assert page.status_code == 422
        assert page.context["typed"]["capacity"] == "4000"
        assert queries.decisions(MANAGER) == []

    def test_an_analyst_reads_but_does_not_decide(self, best: dict[str, Any]) -> None:
        client = pages.browser(Role.ANALYST, name="wang")
        assert client.get(f"/evaluation/scorecards/{best['id']}/").context["may_decide"] is False
        answer = client.post(f"/evaluation/scorecards/{best['id']}/decide/", {"decision": "RENEW", "reason": "xxxxx"})  # fmt: skip
        assert answer.status_code == 403

    def test_an_unknown_scorecard_is_not_found(self, db: str) -> None:
        assert pages.browser().get(f"/evaluation/scorecards/{UUID(int=1)}/").status_code == 404


class TestBusinessCase:
    @pytest.mark.parametrize("language", pages.LANGUAGES)
    def test_both_ways_agree_with_the_ledger(self, db: str, language: str) -> None:
        build.agencies(payers=(0.5, 0.5), count=40)
        own = build.unplaced(count=40)
        finance = actors.staff(Role.FINANCE)
        for account_id in own[:10]:
            ledger.book_direct_payments(
                actor=finance, payments=build.direct(account_id, amount_minor=20_000), at=AT
            )
        ledger.record_cost(
            actor=finance, reference="March", amount_minor=80_000, currency="CNY", value_on=day(31), at=AT
        )
        page = pages.browser(Role.FINANCE, language=language).get("/business-case/")
        assert page.status_code == 200
        total = {row["way"]: row for row in page.context["total"]}
        payments = ledger_queries.payments_frame(actors.worker())
        placed = payments.filter(payments["placement_id"].is_not_null())
        fees = ledger_queries.commissions_frame(actors.worker())
        assert total["AGENCY"]["recovered_minor"] == placed["applied_minor"].sum()
        assert total["AGENCY"]["cost_minor"] == fees["amount_minor"].sum()
        assert (total["IN_HOUSE"]["recovered_minor"], total["IN_HOUSE"]["cost_minor"]) == (200_000, 80_000)
        if language == "en":
            assert "Agencies cost less per 100 recovered: 20.0 against 40.0 in-house." in pages.words(page)
            assert page.context["cost_chart"]["title"].endswith("in 1 of 1 bucket that both work")

    def test_without_booked_costs_the_missing_side_is_said(self, db: str) -> None:
        build.agencies(payers=(0.5, 0.5), count=40)
        page = pages.browser(Role.FINANCE).get("/business-case/")
        assert page.context["state"]["tone"] == "watch"
        assert "no in-house cost is booked" in pages.words(page)

    def test_an_empty_book_has_a_page_too(self, db: str) -> None:
        page = pages.browser(Role.FINANCE).get(
            "/business-case/", {"period_from": "x", "period_to": "2026-01-01"}
        )
        assert page.status_code == 200
        assert "nothing to compare" in pages.words(page)


def test_ten_times_the_agencies_take_no_more_queries(db: str) -> None:
    client, found = pages.browser(), {}
    for many in (5, 50):
        build.agencies(payers=(0.5,) * many, count=3)
        evaluation.evaluate(actor=ANALYST, **DAYS, at=AT)
        for card in queries.evaluation(ANALYST, evaluation_id=queries.evaluations(ANALYST)[0]["id"])[
            "scorecards"
        ][:many]:
            evaluation.decide(
                actor=MANAGER, scorecard_id=card["id"], decision="RENEW", reason="as before", at=AT
            )
        found[many] = [pages.statements(client, address) for address in ("/evaluation/", "/business-case/")]
    assert found[5] == found[50]
    assert max(found[50]) <= 25
