"""Evaluation: figures from booked rows, verdicts that can be made again, decisions that change the agency."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from weituo.domain.care import services as care
from weituo.domain.evaluation import errors, outcomes, queries, services
from weituo.domain.ledger import services as ledger
from weituo.domain.partners import errors as partner_errors
from weituo.domain.partners import queries as partners
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id

from tests.builders import actors
from tests.builders import evaluation as build
from tests.builders.ledger import AT, Placed, day

MANAGER = actors.staff()
#: the day of the builders' accounts
STATED = day(1)
PERIOD = {"period_from": date(2026, 3, 1), "period_to": date(2026, 6, 1)}


def evaluated() -> dict[UUID, dict[str, object]]:
    found = queries.evaluation(MANAGER, evaluation_id=services.evaluate(actor=MANAGER, at=AT, **PERIOD))
    return {row["agency_id"]: row for row in found["scorecards"]}


def attempt(case: Placed, result: str, number: int) -> None:
    """One contact as reported."""
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        point = new_id()
        cursor.execute(
            "INSERT INTO book_contact_point (id, borrower_id, channel, role, field, position, zones, valid) VALUES (%s, %s, 'PHONE', 'BORROWER', 'phone', %s, '{Asia/Shanghai}', true)",
            [point, case.borrower_id, number],
        )
        cursor.execute(
            "INSERT INTO contact_attempt (agency_id, placement_id, borrower_id, contact_point_id, channel, made_at, reported_at, result, sender_ref) VALUES (%s, %s, %s, %s, 'VOICE', %s, %s, %s, %s)",
            [case.agency_id, case.placement_id, case.borrower_id, point, AT, AT, result, f"a{number}"],
        )
        journal.write(actor=actors.worker(), at=AT, act="test.attempt", entries=[])


class TestOutcomes:
    def test_every_result_that_reached_the_borrower_counts_as_right_party(self, db: str) -> None:
        [[case]] = build.agencies(payers=(0.0,), count=1)
        results = ["UNANSWERED", "SENT", "WRONG_PARTY", "THIRD_PARTY", "RIGHT_PARTY", "PROMISE", "REFUSED", "DISPUTE", "HARDSHIP", "CEASE_WISH"]  # fmt: skip
        for number, result in enumerate(results):
            attempt(case, result, number)
        [row] = outcomes.outcomes(MANAGER, **PERIOD).to_dicts()
        assert (row["attempts"], row["right_party"]) == (10, 6)

    def test_the_words_of_contact_are_known(self) -> None:
        from weituo.domain.contact.services.attempts import RESULTS

        assert set(outcomes.SPOKEN) < set(RESULTS)

    def test_money_and_fees_are_the_booked_ones(self, db: str) -> None:
        build.agencies(payers=(1.0, 0.0), count=2)
        frame = outcomes.outcomes(MANAGER, **PERIOD)
        assert frame["recovered_minor"].sum() == 102_500
        assert frame["commission_minor"].sum() == 20_500
        assert frame["placed_minor"].sum() == 410_000


class TestEvaluate:
    def test_a_much_better_agency_is_found_and_ranked_first(self, db: str) -> None:
        made = build.agencies(payers=(0.6, 0.15, 0.15))
        cards = evaluated()
        best = cards[made[0][0].agency_id]
        assert (best["verdict"], best["rank_low"], best["rank_high"]) == ("BETTER", 1, 1)
        assert {cards[cases[0].agency_id]["verdict"] for cases in made[1:]} == {"WORSE"}

    def test_equal_agencies_cannot_be_told_apart(self, db: str) -> None:
        build.agencies(payers=(0.3, 0.3, 0.3))
        cards = evaluated().values()
        assert {card["verdict"] for card in cards} == {"CANNOT_BE_TOLD_APART"}
        assert {(card["rank_low"], card["rank_high"]) for card in cards} == {(1, 3)}

    def test_few_placements_are_too_early(self, db: str) -> None:
        build.agencies(payers=(0.9, 0.1), count=20)
        assert {card["verdict"] for card in evaluated().values()} == {"TOO_EARLY"}

    def test_figures_are_sums_of_rows_with_sample_sizes(self, db: str) -> None:
        [cases, _] = build.agencies(payers=(1.0, 0.0), count=3)
        care.open_case(
            actor=actors.agency_system(cases[0].agency_id), kind="COMPLAINT", reason="OTHER", case_ref=cases[0].case_ref, text="", source="AGENCY", at=AT
        )  # fmt: skip
        figures = evaluated()[cases[0].agency_id]["figures"]
        assert (figures["placements"], figures["placed_minor"]) == (3, 307_500)
        assert (figures["recovered_minor"], figures["commission_minor"], figures["net_minor"]) == (153_750, 30_750, 123_000)  # fmt: skip
        assert figures["liquidation"]["value"] == pytest.approx(0.5)
        assert figures["cost_to_collect"] == pytest.approx(0.2)
        assert (figures["complaints"], figures["complaints_per_1000"]["n"]) == (1, 3)
        assert figures["complaints_per_1000"]["value"] == pytest.approx(1000 / 3)
        assert figures["complaints_per_1000"]["low"] < 1000 / 3 < figures["complaints_per_1000"]["high"]
        assert figures["net_after_harm_minor"] == 123_000 - figures["harm_minor"] == 123_000 - 20_000
        assert figures["refusals_per_1000"]["value"] is None

    def test_it_can_be_made_again_until_rows_change(self, db: str) -> None:
        made = build.agencies(payers=(0.6, 0.15))
        evaluation_id = services.evaluate(actor=MANAGER, at=AT, **PERIOD)
        assert queries.replay(MANAGER, evaluation_id=evaluation_id) == {"same_inputs": True, "same_verdicts": True, "differences": []}  # fmt: skip
        build.pay(made[1][0].agency_id, made[1][:1], amount_minor=100)
        ledger.book_remittances(actor=actors.staff(Role.FINANCE), at=AT)
        assert not queries.replay(MANAGER, evaluation_id=evaluation_id)["same_inputs"]

    def test_a_period_without_placements_is_refused(self, db: str) -> None:
        with pytest.raises(errors.NothingToCompare):
            services.evaluate(actor=MANAGER, period_from=date(2020, 1, 1), period_to=date(2020, 2, 1), at=AT)

    def test_it_stands_in_the_log(self, db: str) -> None:
        build.agencies(payers=(0.5, 0.5), count=3)
        evaluated()
        [entry] = journal.entries(actors.staff(Role.COMPLIANCE), act="evaluation.evaluate")
        assert (entry["detail"]["placements"], entry["detail"]["agencies"]) == (6, 2)


class TestDecide:
    def card(self) -> dict[str, object]:
        build.agencies(payers=(0.5, 0.5), count=3)
        return next(iter(evaluated().values()))

    def test_a_tier_and_a_capacity_change_the_agency_in_the_same_act(self, db: str) -> None:
        card = self.card()
        common = {"actor": MANAGER, "scorecard_id": card["id"], "at": AT}
        services.decide(decision="TIER", tier=1, reason="steady work", **common)
        services.decide(decision="CAPACITY", capacity=5_000, reason="room to grow", **common)
        agency = next(row for row in partners.agencies(MANAGER) if row.id == card["agency_id"])
        assert (agency.tier, agency.capacity_accounts_max) == (1, 5_000)
        decided = queries.decisions(MANAGER)
        assert [row["decision"] for row in decided] == ["CAPACITY", "TIER"]
        assert decided[0]["detail"]["capacity_before"] == 100
        assert len(queries.scorecard(MANAGER, scorecard_id=card["id"])["decisions"]) == 2

    def test_an_exit_lets_no_further_account_in(self, db: str) -> None:
        card = self.card()
        services.decide(
            actor=MANAGER, scorecard_id=card["id"], decision="EXIT", reason="harm to customers", at=AT
        )
        agency = next(row for row in partners.agencies(MANAGER) if row.id == card["agency_id"])
        assert agency.capacity_accounts_max == 0

    @pytest.mark.parametrize(
        ("given", "where"),
        [
            ({"decision": "TIER", "reason": "steady work"}, "tier"),
            ({"decision": "CAPACITY", "reason": "steady work"}, "capacity"),
            ({"decision": "RENEW", "reason": " "}, "reason"),
            ({"decision": "PRAISE", "reason": "steady work"}, "decision"),
        ],
    )
    def test_what_is_missing_is_named(self, db: str, given: dict[str, str], where: str) -> None:
        card = self.card()
        with pytest.raises(errors.DecisionRefused) as refused:
            services.decide(actor=MANAGER, scorecard_id=card["id"], at=AT, **given)
        assert refused.value.where == where

    def test_a_change_that_is_refused_leaves_no_decision(self, db: str) -> None:
        card = self.card()
        from weituo.domain.partners import services as partner_acts

        partner_acts.suspend(
            actor=actors.staff(Role.COMPLIANCE), agency_id=card["agency_id"], reason="leak", at=AT
        )
        with pytest.raises(partner_errors.WrongState):
            services.decide(
                actor=MANAGER, scorecard_id=card["id"], decision="TIER", tier=1, reason="steady work", at=AT
            )
        assert queries.decisions(MANAGER) == []

    def test_who_may_not_is_refused(self, db: str) -> None:
        card = self.card()
        with pytest.raises(NotAllowed):
            services.decide(
                actor=actors.staff(Role.ANALYST), scorecard_id=card["id"], decision="RENEW", reason="steady work", at=AT
            )  # fmt: skip
        with pytest.raises(NotAllowed):
            queries.evaluations(actors.agency_system(card["agency_id"]))


class TestBusinessCase:
    def test_both_ways_are_reckoned_from_booked_rows(self, db: str) -> None:
        build.agencies(payers=(1.0, 0.0), count=2)
        finance = actors.staff(Role.FINANCE)
        own = build.unplaced(count=3)
        ledger.book_direct_payments(actor=finance, payments=build.direct(own[0], amount_minor=20_000), at=AT)
        ledger.record_cost(
            actor=finance,
            reference="wages-2026-03",
            amount_minor=9_000,
            currency="CNY",
            value_on=day(31),
            at=AT,
        )
        found = queries.business_case(MANAGER, on=STATED)
        [agency] = [row for row in found["total"] if row["way"] == "AGENCY"]
        assert (agency["n"], agency["placed_minor"], agency["recovered_minor"], agency["cost_minor"]) == (4, 410_000, 102_500, 20_500)  # fmt: skip
        assert agency["cost_to_collect"] == pytest.approx(0.2)
        assert agency["net_minor"] == 82_000
        assert found["cost_basis"]["in_house_costs_booked"] == 1
        [mine] = [row for row in found["total"] if row["way"] == "IN_HOUSE"]
        assert (mine["n"], mine["payers"], mine["placed_minor"], mine["recovered_minor"]) == (
            3,
            1,
            307_500,
            20_000,
        )
        assert (mine["cost_minor"], mine["net_minor"]) == (9_000, 11_000)
        assert mine["liquidation"]["low"] <= mine["liquidation"]["value"] <= mine["liquidation"]["high"]
        assert [(row["bucket"], row["way"]) for row in found["by_bucket"]] == [
            ("M2", "AGENCY"),
            ("M2", "IN_HOUSE"),
        ]
        assert found["capacity"] == {"in_house_accounts": 3, "agency_accounts": 4, "agency_capacity": 200, "agency_free": 196}  # fmt: skip
        [row] = found["book"]
        assert (row["accounts"], row["balance_minor"], row["npl_accounts"]) == (7, 595_000, 0)

    def test_who_counts_as_in_house_does_not_hang_on_who_paid(self, db: str) -> None:
        own = build.unplaced(count=4)
        with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
            strategy, row = new_id(), new_id()
            cursor.execute(
                "INSERT INTO plans_strategy (id, version, state, note, made_by, made_at, published_by) VALUES (%s, 1, 'PUBLISHED', '', 'x', %s, 'y')",
                [strategy, AT],
            )
            cursor.execute(
                "INSERT INTO plans_strategy_row (id, strategy_id, position, buckets, products, treatment, tier_max, channels, tone, contacts_per_week_max, settlement_bps_max) VALUES (%s, %s, 1, '{}', '{}', 'AGENCY', 3, '{VOICE}', 'FRIENDLY', 3, 0)",
                [row, strategy],
            )
            for account, treatment in zip(own, ("AGENCY", "AGENCY", "AGENCY", "HOLD"), strict=True):
                cursor.execute(
                    "INSERT INTO plans_treatment (account_id, strategy_id, row_id, treatment, tier_max, decided_at) VALUES (%s, %s, %s, %s, 3, %s)",
                    [account, strategy, row, treatment, AT],
                )
            journal.write(actor=actors.worker(), at=AT, act="test.treated", entries=[])
        ledger.book_direct_payments(
            actor=actors.staff(Role.FINANCE), payments=build.direct(own[0], amount_minor=20_000), at=AT
        )
        [mine] = queries.business_case(MANAGER, on=STATED)["total"]
        assert (mine["way"], mine["n"], mine["payers"]) == ("IN_HOUSE", 3, 1)

    def test_a_period_is_half_open(self, db: str) -> None:
        build.agencies(payers=(1.0,), count=1)
        found = {
            (start, end): queries.business_case(MANAGER, on=STATED, period_from=start, period_to=end)[
                "total"
            ][0]["recovered_minor"]
            for start, end in ((day(5), day(6)), (day(4), day(5)), (day(6), day(7)))
        }
        assert found == {(day(5), day(6)): 51_250, (day(4), day(5)): 0, (day(6), day(7)): 0}

    def test_what_an_agency_took_meanwhile_was_there_to_collect_in_house(self, db: str) -> None:
        build.agencies(payers=(1.0,), count=2)
        self._came(date(2026, 2, 1))
        lines = {row["way"]: row for row in queries.business_case(MANAGER, on=STATED)["total"]}
        assert lines["AGENCY"]["recovered_minor"] == 102_500
        # the desk had both accounts for four weeks: everything was there then
        assert (lines["IN_HOUSE"]["n"], lines["IN_HOUSE"]["placed_minor"]) == (2, 205_000)
        self._came(date(2026, 2, 20))
        assert "IN_HOUSE" not in {row["way"] for row in queries.business_case(MANAGER, on=STATED)["total"]}

    def _came(self, on: date) -> None:
        with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
            cursor.execute("UPDATE book_import_file SET as_of = %s", [on])
            journal.write(actor=actors.worker(), at=AT, act="test.came", entries=[])

    def test_a_period_begins_with_what_was_owed_then(self, db: str) -> None:
        build.agencies(payers=(1.0,), count=2)
        own = build.unplaced(count=3)
        ledger.book_direct_payments(
            actor=actors.staff(Role.FINANCE), payments=build.direct(own[0], amount_minor=20_000), at=AT
        )
        # everything was paid on the fifth
        for start, owed in ((day(5), (205_000, 307_500)), (day(6), (102_500, 287_500))):
            found = queries.business_case(MANAGER, on=STATED, period_from=start)["total"]
            lines = {row["way"]: row["placed_minor"] for row in found}
            assert (lines["AGENCY"], lines["IN_HOUSE"]) == owed

    def test_money_that_belongs_to_neither_way_is_told(self, db: str) -> None:
        placed = build.agencies(payers=(0.0,), count=1)
        ledger.book_direct_payments(
            actor=actors.staff(Role.FINANCE),
            payments=build.direct(self._account(placed), amount_minor=7_000),
            at=AT,
        )
        found = queries.business_case(MANAGER, on=STATED)
        total = sum(row["recovered_minor"] for row in [*found["total"], *found["outside"]])
        assert total == 7_000

    def _account(self, placed: Any) -> UUID:
        with transactions.reading(MANAGER):
            return transactions.rows("SELECT id FROM book_account ORDER BY id LIMIT 1")[0]["id"]

    def test_non_performing_is_counted_on_the_day_that_is_asked_about(self, db: str) -> None:
        build.unplaced(count=2)
        shares = {
            on: [row["npl_accounts"] for row in queries.business_case(MANAGER, on=on)["book"]]
            for on in (STATED, date(2026, 4, 15), date(2026, 4, 16))
        }
        assert list(shares.values()) == [[0], [0], [2]]

    def test_an_empty_book_gives_no_line_and_no_division_by_zero(self, db: str) -> None:
        found = queries.business_case(MANAGER, on=STATED)
        assert (found["book"], found["by_bucket"], found["total"]) == ([], [], [])
