"""Packages: only what the agreement allows, only under a live ground, sealed for one agency, revocable, traceable."""

from __future__ import annotations

import hashlib
import stat
from datetime import timedelta

import pyrage
import pytest
from django.db import DatabaseError

from weituo.domain.partners import queries as partners_queries
from weituo.domain.partners import services as partners
from weituo.domain.partners.policies import REQUIRED_PAPERS
from weituo.domain.sharing import errors, fields, packing, queries, services
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import sharing as build
from tests.builders.ledger import AT

MANAGER = actors.staff()
COMPLIANCE = actors.staff(Role.COMPLIANCE, name="wu")


def built(desk: build.Desk) -> dict[str, object]:
    package_id = services.build_package(actor=MANAGER, agency_id=desk.agency_id, run_id=desk.run_id, at=AT)
    return queries.package(MANAGER, package_id=package_id)


def test_a_package_opens_with_the_private_key_and_holds_only_what_is_allowed(db: str) -> None:
    desk = build.desk(count=3)
    row = built(desk)
    path = queries.package_path(MANAGER, package_id=row["id"])
    cases, manifest = build.opened(path, desk.identity)
    allowed = ["case_ref", "name", "phone", "product", "currency", "balance_minor", "past_due_since", "days_past_due",
               "bucket", "paid_months_6", "paid_minor_6", "worst_months_late_6", "last_paid_month"]  # fmt: skip
    assert [list(case) for case in cases] == [allowed] * 3
    assert manifest["fields"] == row["fields"] == allowed
    assert {case["case_ref"] for case in cases} == {case.case_ref for case in desk.cases}
    assert (manifest["cases"], manifest["balance_minor"], manifest["currency"]) == (3, 307_500, "CNY")
    assert (row["cases"], row["balance_minor"], row["state"]) == (3, 307_500, "BUILT")
    assert manifest["agreement_version"] == 1
    first = cases[0]
    assert (first["paid_months_6"], first["paid_minor_6"], first["worst_months_late_6"]) == (3, 1_500, 6)
    assert first["last_paid_month"] == "2025-12-01"
    assert [point["value"][:7] for point in first["phone"]] == ["1990000"]


def test_nothing_that_is_not_allowed_stands_anywhere_in_the_package(db: str) -> None:
    desk = build.desk(words=("balance",))
    path = queries.package_path(MANAGER, package_id=built(desk)["id"])
    cases, manifest = build.opened(path, desk.identity)
    text = repr(cases) + repr(manifest)
    secrets = ["张0", "1990000", "1991111", "某省", "person.example", "ID0000"]
    secrets += [case.account_id.hex for case in desk.cases] + [case.borrower_id.hex for case in desk.cases]
    assert [secret for secret in secrets if secret in text] == []


def test_the_file_is_sealed_private_and_as_its_digest_says(db: str) -> None:
    desk = build.desk()
    row = built(desk)
    path = queries.package_path(MANAGER, package_id=row["id"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row["digest"]
    assert path.stat().st_size == row["size_bytes"]
    assert "张0".encode() not in path.read_bytes()
    with pytest.raises(pyrage.DecryptError):
        build.opened(path, pyrage.x25519.Identity.generate())


def test_the_registry_knows_every_word_of_an_agreement_and_no_number_of_the_lender() -> None:
    from weituo.domain.partners.services.agreements import FIELDS

    assert set(FIELDS) == fields.WORDS
    assert [fact.name for fact in fields.FACTS if "external_ref" in fact.sql] == []
    assert [fact.name for fact in fields.allowed(["external_ref", "no such word"])] == ["case_ref"]


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"agreement": False}, "agreement"),
        ({"key": False}, "key"),
        ({"agreement": False, "key": False}, "agreement, key"),
    ],
)
def test_what_is_missing_is_named_and_nothing_leaves(db: str, given: dict[str, bool], where: str) -> None:
    desk = build.desk(**given)
    with pytest.raises(errors.NothingMayBeShared) as refused:
        built(desk)
    assert refused.value.where == where
    assert queries.packages(MANAGER) == []
    assert queries.disclosures(MANAGER) == []


def test_an_agreement_that_has_run_out_is_none(db: str) -> None:
    desk = build.desk()
    with pytest.raises(errors.NothingMayBeShared, match="agreement"):
        services.build_package(
            actor=MANAGER, agency_id=desk.agency_id, run_id=desk.run_id, at=AT + timedelta(days=400)
        )


@pytest.mark.parametrize("kind", REQUIRED_PAPERS)
def test_a_lapsed_required_paper_stops_building_handing_over_and_opening(db: str, kind: str) -> None:
    desk = build.desk()
    row = built(desk)
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE partners_paper SET valid_to = %s WHERE agency_id = %s AND kind = %s",
            [AT.date(), desk.agency_id, kind],
        )
        journal.write(actor=actors.worker(), at=AT, act="test.lapse", entries=[])
    system = actors.agency_system(desk.agency_id)
    for refused_act in (
        lambda: services.hand_over(actor=system, package_id=row["id"], at=AT),
        lambda: services.disclose_case(actor=system, case_ref=desk.cases[0].case_ref, at=AT),
        lambda: built(desk),
    ):
        with pytest.raises(errors.NothingMayBeShared) as refused:
            refused_act()
        assert refused.value.where == kind.lower()


def test_a_suspended_agency_gets_nothing_and_its_packages_are_destroyed(db: str) -> None:
    desk = build.desk()
    row = built(desk)
    path = queries.package_path(MANAGER, package_id=row["id"])
    partners.suspend(actor=COMPLIANCE, agency_id=desk.agency_id, reason="leak", at=AT)
    assert not path.exists()
    after = queries.package(MANAGER, package_id=row["id"])
    assert (after["state"], after["revoked_reason"]) == ("REVOKED", "AGENCY_SUSPENDED")
    with pytest.raises(errors.NothingMayBeShared) as refused:
        built(desk)
    assert refused.value.where == "state"


def test_the_end_of_the_agreement_takes_its_packages_back(db: str) -> None:
    desk = build.desk()
    row = built(desk)
    [agreement] = partners_queries.live_agreements(MANAGER, kind="CONFIDENTIALITY", on=AT.date())
    partners.end_agreement(actor=MANAGER, agreement_id=agreement.id, reason="breach", at=AT)
    assert queries.package(MANAGER, package_id=row["id"])["state"] == "REVOKED"
    with pytest.raises(errors.PackageRevoked):
        queries.package_path(MANAGER, package_id=row["id"])
    with pytest.raises(errors.PackageRevoked):
        services.hand_over(actor=actors.agency_system(desk.agency_id), package_id=row["id"], at=AT)


def test_a_second_package_of_the_same_run_needs_the_first_revoked(db: str) -> None:
    desk = build.desk()
    first = built(desk)
    with pytest.raises(errors.PackageStands):
        built(desk)
    services.revoke_package(actor=COMPLIANCE, package_id=first["id"], reason="wrong run", at=AT)
    assert built(desk)["state"] == "BUILT"
    with pytest.raises(errors.PackageRevoked):
        services.revoke_package(actor=COMPLIANCE, package_id=first["id"], reason="again", at=AT)


def test_revoking_needs_a_reason_and_destroys_the_file(db: str) -> None:
    desk = build.desk()
    row = built(desk)
    path = queries.package_path(MANAGER, package_id=row["id"])
    with pytest.raises(errors.ReasonNeeded):
        services.revoke_package(actor=MANAGER, package_id=row["id"], reason=" ", at=AT)
    assert path.exists()
    services.revoke_package(actor=MANAGER, package_id=row["id"], reason="wrong run", at=AT)
    assert not path.exists()


def test_a_run_without_cases_of_this_agency_gives_no_package(db: str) -> None:
    desk, other = build.desk(), build.desk()
    with pytest.raises(errors.NoCasesToShare):
        services.build_package(actor=MANAGER, agency_id=desk.agency_id, run_id=other.run_id, at=AT)


class TestReceipt:
    def test_right_totals_are_taken_once_and_again(self, db: str) -> None:
        desk = build.desk()
        row = built(desk)
        system = actors.agency_system(desk.agency_id)
        for _ in range(2):
            services.acknowledge_package(
                actor=system,
                package_id=row["id"],
                digest=row["digest"],
                cases=2,
                balance_minor=205_000,
                at=AT,
            )
        assert queries.package(system, package_id=row["id"])["state"] == "ACKNOWLEDGED"

    @pytest.mark.parametrize("wrong", [{"digest": "0" * 64}, {"cases": 1}, {"balance_minor": 1}])
    def test_other_totals_are_refused_and_named(self, db: str, wrong: dict[str, object]) -> None:
        desk = build.desk()
        row = built(desk)
        right = {"digest": row["digest"], "cases": 2, "balance_minor": 205_000}
        with pytest.raises(errors.TotalsDiffer) as refused:
            services.acknowledge_package(
                actor=actors.agency_system(desk.agency_id), package_id=row["id"], at=AT, **(right | wrong)
            )
        assert refused.value.where == next(iter(wrong))
        assert queries.package(MANAGER, package_id=row["id"])["state"] == "BUILT"

    def test_another_agencys_package_is_not_there(self, db: str) -> None:
        desk, other = build.desk(), build.desk()
        row = built(desk)
        system = actors.agency_system(other.agency_id)
        with pytest.raises(errors.PackageNotFound):
            services.acknowledge_package(
                actor=system,
                package_id=row["id"],
                digest=row["digest"],
                cases=2,
                balance_minor=205_000,
                at=AT,
            )
        with pytest.raises(errors.PackageNotFound):
            services.hand_over(actor=system, package_id=row["id"], at=AT)
        assert queries.packages(system) == []

    def test_an_agency_can_change_nothing_but_the_receipt_even_in_sql(self, db: str) -> None:
        desk = build.desk()
        built(desk)
        system = actors.agency_system(desk.agency_id)
        for statement in (
            "UPDATE sharing_package SET digest = 'x'",
            "UPDATE sharing_package SET state = 'REVOKED'",
        ):
            with pytest.raises(DatabaseError), transactions.transaction(system), transactions.connection().cursor() as cursor:  # fmt: skip
                cursor.execute(statement)


def test_every_act_stands_in_the_log_with_ids_and_figures_only(db: str) -> None:
    desk = build.desk()
    row = built(desk)
    system = actors.agency_system(desk.agency_id)
    services.hand_over(actor=system, package_id=row["id"], at=AT)
    services.acknowledge_package(
        actor=system, package_id=row["id"], digest=row["digest"], cases=2, balance_minor=205_000, at=AT
    )
    services.disclose_case(actor=system, case_ref=desk.cases[0].case_ref, at=AT)
    services.revoke_package(actor=MANAGER, package_id=row["id"], reason="done", at=AT)
    found = journal.entries(COMPLIANCE, act="sharing.")
    assert [(entry["act"], entry["what"]) for entry in reversed(found)] == [
        ("sharing.register_recipient", "recipient"), ("sharing.build", "package"), ("sharing.collect", "package"),
        ("sharing.acknowledge", "package"), ("sharing.open_case", "placement"), ("sharing.revoke", "destruction"),
        ("sharing.revoke", "package"),
    ]  # fmt: skip
    text = repr(found)
    assert [word for word in ("张0", "1990000", "某省", "person.example") if word in text] == []
    assert journal.verify(COMPLIANCE).altered_seq is None


def test_who_may_not_is_refused(db: str) -> None:
    desk = build.desk()
    analyst = actors.staff(Role.ANALYST, name="an")
    with pytest.raises(NotAllowed):
        services.build_package(actor=analyst, agency_id=desk.agency_id, run_id=desk.run_id, at=AT)
    with pytest.raises(NotAllowed):
        queries.packages(actors.borrower(desk.cases[0].borrower_id))


class TestKeys:
    def test_a_private_key_is_refused_and_not_repeated(self, db: str) -> None:
        desk = build.desk(key=False)
        private = str(desk.identity)
        with pytest.raises(errors.PrivateKeyShown) as refused:
            services.register_recipient(actor=MANAGER, agency_id=desk.agency_id, public_key=private, at=AT)
        assert private not in repr(refused.value.as_dict())

    def test_a_new_key_ends_the_one_before(self, db: str) -> None:
        desk = build.desk()
        fresh = pyrage.x25519.Identity.generate()
        for _ in range(2):
            services.register_recipient(
                actor=MANAGER, agency_id=desk.agency_id, public_key=f" {fresh.to_public()}\n", at=AT
            )
        rows = queries.recipients(MANAGER)
        assert [row["active_to"] is None for row in rows] == [True, False]
        assert rows[0]["fingerprint"] == services.fingerprint(str(fresh.to_public()))
        path = queries.package_path(MANAGER, package_id=built(desk)["id"])
        assert build.opened(path, fresh)[1]["cases"] == 2

    @pytest.mark.parametrize("key", ["", "age1", "ssh-ed25519 AAAA", "age1" + "q" * 58])
    def test_other_text_is_refused(self, db: str, key: str) -> None:
        desk = build.desk(key=False)
        with pytest.raises(errors.RecipientRefused):
            services.register_recipient(actor=MANAGER, agency_id=desk.agency_id, public_key=key, at=AT)


class TestSweep:
    def test_files_without_a_live_row_go_and_others_stay(self, db: str) -> None:
        desk = build.desk()
        row = built(desk)
        path = queries.package_path(MANAGER, package_id=row["id"])
        orphan, part = path.with_name("orphan.age"), path.with_name(".half.age.part")
        orphan.write_bytes(b"x")
        part.write_bytes(b"x")
        assert services.sweep_files(actor=actors.worker(), at=AT) >= 2
        assert path.exists() and not orphan.exists() and not part.exists()

    def test_a_build_that_fails_leaves_no_file(self, db: str, monkeypatch: pytest.MonkeyPatch) -> None:
        desk = build.desk()
        whole = packing.seal

        def fails_after_writing(**given: object) -> packing.Sealed:
            whole(**given)  # type: ignore[arg-type]
            raise OSError("disk")

        monkeypatch.setattr(packing, "seal", fails_after_writing)
        code = next(row.code for row in partners_queries.agencies(MANAGER) if row.id == desk.agency_id)
        with pytest.raises(OSError, match="disk"):
            built(desk)
        folder = packing.path_of(agency_code=code, package_id="x").parent
        assert list(folder.iterdir()) == []
        assert queries.packages(MANAGER) == []

    def test_an_altered_file_is_not_handed_over(self, db: str) -> None:
        desk = build.desk()
        row = built(desk)
        path = queries.package_path(MANAGER, package_id=row["id"])
        path.write_bytes(path.read_bytes() + b"x")
        with pytest.raises(errors.FileMissing):
            services.hand_over(actor=actors.agency_system(desk.agency_id), package_id=row["id"], at=AT)
