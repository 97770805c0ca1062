"""Taking cases back: only they leave, the file with them is never handed out again, and the agency confirms destruction."""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connections

from weituo.domain.partners import queries as partners_queries
from weituo.domain.partners import services as partners
from weituo.domain.placement import services as placement
from weituo.domain.sharing import errors, packing, queries, services
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import sharing as build
from tests.builders.ledger import AT

MANAGER = actors.staff()
COMPLIANCE = actors.staff(Role.COMPLIANCE, name="wu")
LATER = AT + timedelta(days=1)


def built(desk: build.Desk, *, at: datetime = AT) -> UUID:
    return services.build_package(actor=MANAGER, agency_id=desk.agency_id, run_id=desk.run_id, at=at)


def recalled(desk: build.Desk, *numbers: int, reason: str = "CONDUCT", at: datetime = LATER) -> None:
    placement.recall(
        actor=MANAGER,
        placement_ids=[desk.cases[number].placement_id for number in numbers],
        reason=reason,
        at=at,
    )


def acknowledged(desk: build.Desk, package_id: UUID) -> None:
    system = actors.agency_system(desk.agency_id)
    sealed = services.hand_over(actor=system, package_id=package_id, at=AT).read_bytes()
    cases, manifest = build.opened_bytes(sealed, desk.identity)
    services.acknowledge_package(
        actor=system,
        package_id=package_id,
        digest=hashlib.sha256(sealed).hexdigest(),
        cases=len(cases),
        balance_minor=manifest["balance_minor"],
        at=AT,
    )


def test_the_package_stands_for_the_other_cases_but_its_file_is_not_handed_out(db: str) -> None:
    desk, other = build.desk(count=3), build.desk()
    mine, theirs = built(desk), built(other)
    path = queries.package_path(MANAGER, package_id=mine)
    recalled(desk, 0)
    row = queries.package(MANAGER, package_id=mine)
    assert (row["state"], row["cases"], row["taken_back"], row["to_destroy"]) == ("BUILT", 3, 1, 1)
    assert not path.exists()
    system = actors.agency_system(desk.agency_id)
    with pytest.raises(errors.PackageOutdated) as refused:
        services.hand_over(actor=system, package_id=mine, at=LATER)
    assert (refused.value.facts["taken_back"], refused.value.facts["cases"]) == (1, 3)
    with pytest.raises(errors.PackageOutdated):
        queries.package_path(MANAGER, package_id=mine)
    assert queries.package(MANAGER, package_id=theirs)["taken_back"] == 0
    assert queries.package_path(MANAGER, package_id=theirs).exists()


def test_a_file_that_a_crash_left_is_not_handed_out_either_and_is_swept(db: str) -> None:
    desk = build.desk()
    package_id = built(desk)
    path = queries.package_path(MANAGER, package_id=package_id)
    sealed = path.read_bytes()
    recalled(desk, 0)
    path.write_bytes(sealed)
    with pytest.raises(errors.PackageOutdated):
        services.hand_over(actor=actors.agency_system(desk.agency_id), package_id=package_id, at=LATER)
    services.sweep_files(actor=actors.worker(), at=LATER)
    assert not path.exists()


def test_a_case_that_is_taken_back_while_its_package_is_sealed_does_not_leave(
    db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = build.desk(count=3)
    whole = packing.seal

    def seal_while_somebody_recalls(**given: Any) -> packing.Sealed:
        def recall() -> None:
            recalled(desk, 1)
            connections.close_all()

        sealed = whole(**given)
        other = threading.Thread(target=recall)
        other.start()
        other.join()
        return sealed

    monkeypatch.setattr(packing, "seal", seal_while_somebody_recalls)
    with pytest.raises(errors.CasesTakenBack) as refused:
        built(desk, at=LATER)
    assert refused.value.facts["taken_back"] == 1
    assert (queries.packages(MANAGER), queries.disclosures(MANAGER)) == ([], [])
    [code] = [row.code for row in partners_queries.agencies(MANAGER)]
    assert list(packing.path_of(agency_code=code, package_id="x").parent.iterdir()) == []
    monkeypatch.setattr(packing, "seal", whole)
    assert queries.package(MANAGER, package_id=built(desk, at=LATER))["cases"] == 2


def test_the_online_view_refuses_the_recalled_case_at_once_and_opens_the_others(db: str) -> None:
    desk = build.desk()
    built(desk)
    recalled(desk, 0)
    system = actors.agency_system(desk.agency_id)
    with pytest.raises(errors.CaseEnded):
        services.disclose_case(actor=system, case_ref=desk.cases[0].case_ref, at=LATER)
    case = services.disclose_case(actor=system, case_ref=desk.cases[1].case_ref, at=LATER)
    assert case["case_ref"] == desk.cases[1].case_ref


def test_a_new_package_without_the_recalled_cases_takes_its_place(db: str) -> None:
    desk = build.desk(count=3)
    first = built(desk)
    recalled(desk, 1)
    [ready] = queries.ready(MANAGER, on=LATER.date())
    assert (ready["replaces"], ready["cases"], ready["lacking"]) == (first, 2, {})
    second = built(desk, at=LATER)
    cases, _manifest = build.opened(queries.package_path(MANAGER, package_id=second), desk.identity)
    assert {case["case_ref"] for case in cases} == {desk.cases[0].case_ref, desk.cases[2].case_ref}
    old = queries.package(MANAGER, package_id=first)
    assert (old["state"], old["revoked_reason"], old["to_destroy"]) == ("REVOKED", services.REPLACED, 1)
    assert queries.ready(MANAGER, on=LATER.date()) == []
    with pytest.raises(errors.PackageStands):
        built(desk, at=LATER)


def test_an_agency_that_holds_the_package_needs_no_new_one(db: str) -> None:
    desk = build.desk()
    package_id = built(desk)
    acknowledged(desk, package_id)
    recalled(desk, 0)
    row = queries.package(MANAGER, package_id=package_id)
    assert (row["state"], row["taken_back"]) == ("ACKNOWLEDGED", 1)
    assert queries.ready(MANAGER, on=LATER.date()) == []
    assert queries.package(MANAGER, package_id=built(desk, at=LATER))["cases"] == 1


def test_a_package_of_which_no_case_remains_is_revoked(db: str) -> None:
    desk = build.desk()
    package_id = built(desk)
    recalled(desk, 0)
    recalled(desk, 1, reason="DISPUTE", at=LATER + timedelta(hours=1))
    row = queries.package(MANAGER, package_id=package_id)
    assert (row["state"], row["revoked_reason"], row["taken_back"]) == ("REVOKED", "DISPUTE", 2)
    assert [one["cases"] for one in queries.destructions(MANAGER)] == [1, 1]
    assert queries.ready(MANAGER, on=LATER.date()) == []


def test_the_end_of_the_term_takes_cases_out_as_a_recall_does(db: str) -> None:
    desk = build.desk()
    package_id = built(desk)
    over = datetime(2026, 9, 1, 4, tzinfo=UTC)
    placement.expire_placements(actor=MANAGER, at=over)
    [demand] = queries.destructions(MANAGER)
    assert (demand["package_id"], demand["cases"], demand["reason"]) == (package_id, 2, "EXPIRED")
    assert queries.package(MANAGER, package_id=package_id)["state"] == "REVOKED"


def test_a_case_of_which_nothing_left_needs_no_destruction(db: str) -> None:
    desk = build.desk()
    recalled(desk, 0)
    assert queries.destructions(MANAGER) == []
    package_id = built(desk, at=LATER)
    assert queries.package(MANAGER, package_id=package_id)["taken_back"] == 0


def test_a_case_that_was_only_opened_online_must_be_destroyed_too(db: str) -> None:
    desk = build.desk()
    services.disclose_case(actor=actors.agency_system(desk.agency_id), case_ref=desk.cases[0].case_ref, at=AT)
    recalled(desk, 0, 1)
    [demand] = queries.destructions(MANAGER)
    assert (demand["package_id"], demand["case_refs"]) == (None, [desk.cases[0].case_ref])


@pytest.mark.parametrize("whole", ["suspended", "by hand"])
def test_a_package_taken_back_whole_asks_for_the_destruction_of_what_was_not_asked_yet(
    db: str, whole: str
) -> None:
    desk = build.desk(count=3)
    package_id = built(desk)
    recalled(desk, 0)
    if whole == "suspended":
        partners.suspend(actor=COMPLIANCE, agency_id=desk.agency_id, reason="leak", at=LATER)
    else:
        services.revoke_package(actor=COMPLIANCE, package_id=package_id, reason="leak", at=LATER)
    demands = queries.destructions(MANAGER, package_id=package_id)
    assert sorted(ref for one in demands for ref in one["case_refs"]) == sorted(
        case.case_ref for case in desk.cases
    )
    assert queries.package(MANAGER, package_id=package_id)["to_destroy"] == 3


class TestConfirmation:
    def test_the_agency_is_told_which_cases_and_confirms_their_number_once(self, db: str) -> None:
        desk = build.desk(count=3)
        package_id = built(desk)
        recalled(desk, 0, 2)
        system = actors.agency_system(desk.agency_id)
        [told] = queries.destructions(system)
        assert told["case_refs"] == sorted(desk.cases[number].case_ref for number in (0, 2))
        with pytest.raises(errors.DestructionMiscounted):
            services.confirm_destruction(actor=system, destruction_id=told["id"], cases=1, at=LATER)
        for hours in (1, 2):
            services.confirm_destruction(
                actor=system, destruction_id=told["id"], cases=2, at=LATER + timedelta(hours=hours)
            )
        [done] = queries.destructions(MANAGER)
        assert (done["confirmed_at"], done["confirmed_by"]) == (LATER + timedelta(hours=1), system.id)
        row = queries.package(MANAGER, package_id=package_id)
        assert (row["taken_back"], row["to_destroy"]) == (2, 0)
        [holder] = queries.holders(MANAGER)
        assert (holder["ended"], holder["to_destroy"]) == (2, 0)

    def test_another_agencys_is_not_there_and_a_collector_may_not(self, db: str) -> None:
        desk, other = build.desk(), build.desk()
        built(desk)
        recalled(desk, 0)
        [demand] = queries.destructions(MANAGER)
        foreign = actors.agency_system(other.agency_id)
        assert queries.destructions(foreign) == []
        with pytest.raises(errors.DestructionNotFound):
            services.confirm_destruction(actor=foreign, destruction_id=demand["id"], cases=1, at=LATER)
        with pytest.raises(NotAllowed):
            services.confirm_destruction(
                actor=actors.agency_system(desk.agency_id, role=Role.COLLECTOR),
                destruction_id=demand["id"],
                cases=1,
                at=LATER,
            )

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE sharing_destruction SET cases = 0",
            "UPDATE sharing_destruction SET placements = '{}'",
            "DELETE FROM sharing_destruction",
        ],
    )
    def test_an_agency_can_change_nothing_but_its_confirmation_even_in_sql(
        self, db: str, statement: str
    ) -> None:
        desk = build.desk()
        built(desk)
        recalled(desk, 0)
        with pytest.raises(DatabaseError), transactions.transaction(actors.agency_system(desk.agency_id)), transactions.connection().cursor() as cursor:  # fmt: skip
            cursor.execute(statement)

    def test_a_suspended_agency_still_confirms(self, db: str) -> None:
        desk = build.desk()
        built(desk)
        partners.suspend(actor=COMPLIANCE, agency_id=desk.agency_id, reason="leak", at=LATER)
        system = actors.agency_system(desk.agency_id)
        [told] = queries.destructions(system)
        services.confirm_destruction(actor=system, destruction_id=told["id"], cases=2, at=LATER)
        assert queries.package(MANAGER, package_id=told["package_id"])["to_destroy"] == 0

    def test_demand_and_confirmation_stand_in_the_log(self, db: str) -> None:
        desk = build.desk()
        built(desk)
        recalled(desk, 0)
        [demand] = queries.destructions(MANAGER)
        services.confirm_destruction(
            actor=actors.agency_system(desk.agency_id), destruction_id=demand["id"], cases=1, at=LATER
        )
        found = [entry for entry in journal.entries(COMPLIANCE) if entry["what"] == "destruction"]
        assert [(entry["act"], entry["ref"], entry["detail"]["cases"]) for entry in found] == [
            ("sharing.confirm_destruction", str(demand["id"]), 1),
            ("placement.recall", str(demand["id"]), 1),
        ]
        assert found[1]["detail"]["ids"] == [str(desk.cases[0].placement_id)]
