"""Opening one case online, showing beforehand what would be shared, and telling who holds what."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from weituo.core.recovery.buckets import bucket_of
from weituo.domain.partners import services as partners
from weituo.domain.sharing import errors, queries, services
from weituo.domain.sharing.services import opening
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import sharing as build
from tests.builders.ledger import AT

MANAGER = actors.staff()
COMPLIANCE = actors.staff(Role.COMPLIANCE, name="wu")


class TestOpening:
    def test_the_agency_sees_what_its_agreement_allows_and_it_is_logged(self, db: str) -> None:
        desk = build.desk(words=("name", "phone", "balance"))
        system = actors.agency_system(desk.agency_id, role=Role.COLLECTOR)
        case = services.disclose_case(actor=system, case_ref=desk.cases[0].case_ref, at=AT)
        assert list(case) == ["case_ref", "name", "phone", "currency", "balance_minor"]
        assert (case["name"], case["balance_minor"]) == ("张00000", 102_500)
        [row] = queries.disclosures(MANAGER)
        assert (row["purpose"], row["case_ref"], row["disclosed_by"]) == (
            "CASE",
            desk.cases[0].case_ref,
            system.id,
        )
        [entry] = journal.entries(COMPLIANCE, act="sharing.open_case")
        assert entry["detail"]["on_behalf_of"] == system.id

    def test_another_agencys_case_is_not_there(self, db: str) -> None:
        desk, other = build.desk(), build.desk()
        with pytest.raises(errors.CaseNotFound):
            services.disclose_case(
                actor=actors.agency_system(other.agency_id), case_ref=desk.cases[0].case_ref, at=AT
            )
        assert queries.disclosures(MANAGER) == []

    def test_without_a_live_agreement_nothing_opens(self, db: str) -> None:
        desk = build.desk(agreement=False)
        with pytest.raises(errors.NothingMayBeShared) as refused:
            services.disclose_case(
                actor=actors.agency_system(desk.agency_id), case_ref=desk.cases[0].case_ref, at=AT
            )
        assert refused.value.where == "agreement"

    def test_a_suspended_agency_opens_nothing(self, db: str) -> None:
        desk = build.desk()
        partners.suspend(actor=COMPLIANCE, agency_id=desk.agency_id, reason="leak", at=AT)
        with pytest.raises(errors.NothingMayBeShared) as refused:
            services.disclose_case(
                actor=actors.agency_system(desk.agency_id), case_ref=desk.cases[0].case_ref, at=AT
            )
        assert refused.value.where == "state"

    def test_a_recalled_case_is_closed(self, db: str) -> None:
        desk = build.desk()
        end(desk)
        with pytest.raises(errors.CaseEnded):
            services.disclose_case(
                actor=actors.agency_system(desk.agency_id), case_ref=desk.cases[0].case_ref, at=AT
            )

    def test_openings_are_counted_by_the_hour(self, db: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(opening, "OPENINGS_PER_HOUR_MAX", 2)
        desk = build.desk()
        system = actors.agency_system(desk.agency_id)
        for minutes in (0, 20):
            services.disclose_case(
                actor=system, case_ref=desk.cases[0].case_ref, at=AT + timedelta(minutes=minutes)
            )
        with pytest.raises(errors.TooManyOpenings) as refused:
            services.disclose_case(
                actor=system, case_ref=desk.cases[0].case_ref, at=AT + timedelta(minutes=59)
            )
        assert refused.value.facts["again_at"] == (AT + timedelta(hours=1)).isoformat(timespec="seconds")
        services.disclose_case(actor=system, case_ref=desk.cases[0].case_ref, at=AT + timedelta(hours=1))


def end(desk: build.Desk) -> None:
    """End the first case of a desk."""
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE placement_placement SET state = 'RECALLED', ended_at = %s, recall_reason = 'LENDER' WHERE id = %s",
            [AT + timedelta(minutes=1), desk.cases[0].placement_id],
        )
        journal.write(actor=actors.worker(), at=AT, act="test.recall", entries=[])


class TestPreview:
    def test_it_shows_what_would_be_shared_with_source_and_ground(self, db: str) -> None:
        desk = build.desk(words=("name", "balance"))
        seen = queries.preview(
            COMPLIANCE, agency_id=desk.agency_id, account_id=desk.cases[0].account_id, on=AT.date()
        )
        assert {fact["name"]: fact["value"] for fact in seen["facts"]} == {
            "case_ref": desk.cases[0].case_ref,
            "name": "张00000",
            "currency": "CNY",
            "balance_minor": 102_500,
        }
        assert (seen["placed"], seen["lacking"], seen["agreement"]["version"]) == (True, {}, 1)
        assert all(fact["source"] for fact in seen["facts"])
        assert "phone" in {fact["name"] for fact in seen["withheld"]}

    def test_it_is_what_the_package_then_holds(self, db: str) -> None:
        desk = build.desk(count=1)
        seen = queries.preview(
            COMPLIANCE, agency_id=desk.agency_id, account_id=desk.cases[0].account_id, on=AT.date()
        )
        package_id = services.build_package(
            actor=MANAGER, agency_id=desk.agency_id, run_id=desk.run_id, at=AT
        )
        [[case], _] = build.opened(queries.package_path(MANAGER, package_id=package_id), desk.identity)
        shown = {fact["name"]: fact["value"] for fact in seen["facts"]}
        assert {name: str(value) for name, value in shown.items()} == {
            name: str(value) for name, value in case.items()
        }

    def test_how_late_an_account_is_is_counted_to_the_day_of_sharing(self, db: str) -> None:
        desk = build.desk(words=("past_due_since",))
        shown = {}
        for days in (0, 30):
            seen = queries.preview(
                COMPLIANCE, agency_id=desk.agency_id, account_id=desk.cases[0].account_id, on=AT.date() + timedelta(days=days),
            )  # fmt: skip
            values = {fact["name"]: fact["value"] for fact in seen["facts"]}
            shown[days] = (values["days_past_due"], values["bucket"])
        since = (AT.date() - date(2026, 3, 1)).days + 45
        assert shown == {0: (since, bucket_of(since)), 30: (since + 30, bucket_of(since + 30))}
        case = services.disclose_case(
            actor=actors.agency_system(desk.agency_id, role=Role.COLLECTOR), case_ref=desk.cases[0].case_ref, at=AT + timedelta(days=30),
        )  # fmt: skip
        assert (case["days_past_due"], case["bucket"]) == shown[30]

    def test_who_may_not_read_the_vault_sees_masks(self, db: str) -> None:
        desk = build.desk()
        seen = queries.preview(
            MANAGER, agency_id=desk.agency_id, account_id=desk.cases[0].account_id, on=AT.date()
        )
        shown = {fact["name"]: fact["value"] for fact in seen["facts"]}
        assert shown["name"] == "张*****"
        assert shown["phone"][0]["value"] == "199****0000"

    def test_it_names_what_stands_against_sharing(self, db: str) -> None:
        desk, other = build.desk(key=False), build.desk(agreement=False)
        seen = queries.preview(
            MANAGER, agency_id=other.agency_id, account_id=desk.cases[0].account_id, on=AT.date()
        )
        assert (seen["placed"], set(seen["lacking"]), seen["facts"]) == (False, {"agreement"}, [])
        seen = queries.preview(
            MANAGER, agency_id=desk.agency_id, account_id=desk.cases[0].account_id, on=AT.date()
        )
        assert set(seen["lacking"]) == {"key"}


class TestHolders:
    def test_packages_openings_and_ended_cases_are_counted(self, db: str) -> None:
        desk, idle = build.desk(count=3), build.desk()
        services.build_package(actor=MANAGER, agency_id=desk.agency_id, run_id=desk.run_id, at=AT)
        services.disclose_case(
            actor=actors.agency_system(desk.agency_id), case_ref=desk.cases[1].case_ref, at=AT
        )
        end(desk)
        rows = {row["agency_id"]: row for row in queries.holders(MANAGER)}
        mine = rows[desk.agency_id]
        assert (mine["cases"], mine["active"], mine["ended"], mine["openings"]) == (3, 2, 1, 1)
        assert (mine["live_packages"], mine["agreement_version"], mine["has_key"]) == (1, 1, True)
        assert rows[idle.agency_id]["cases"] == 0

    def test_one_accounts_holders_are_named(self, db: str) -> None:
        desk = build.desk()
        assert queries.account_holders(MANAGER, account_id=desk.cases[0].account_id) == []
        services.build_package(actor=MANAGER, agency_id=desk.agency_id, run_id=desk.run_id, at=AT)
        [row] = queries.account_holders(MANAGER, account_id=desk.cases[0].account_id)
        assert (row["agency_id"], row["packages"], row["openings"], row["state"]) == (desk.agency_id, 1, 0, "ACTIVE")  # fmt: skip

    def test_what_could_be_built_is_listed_until_it_stands(self, db: str) -> None:
        desk, keyless = build.desk(), build.desk(key=False)
        rows = {row["agency_id"]: row for row in queries.ready(MANAGER, on=AT.date())}
        assert (rows[desk.agency_id]["cases"], rows[desk.agency_id]["lacking"]) == (2, {})
        assert set(rows[keyless.agency_id]["lacking"]) == {"key"}
        services.build_package(actor=MANAGER, agency_id=desk.agency_id, run_id=desk.run_id, at=AT)
        assert {row["agency_id"] for row in queries.ready(MANAGER, on=AT.date())} == {keyless.agency_id}
