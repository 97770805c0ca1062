"""kill -9 while recalls become final or a run is refilled: nothing or everything is done, and the repeat does the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from weituo.domain.placement import answers, queries, services
from weituo.foundation.audit import journal

from tests.builders import actors
from tests.builders import placement as build
from tests.builders import sharing as sharing_build
from tests.builders.ledger import AT
from tests.conftest import Databases
from tests.faults.test_kill import kill_while_it_waits_for

pytestmark = pytest.mark.slow
WORKER = actors.worker()


@pytest.mark.parametrize("table", ["placement_notice", "sharing_destruction", "audit_entry"])
def test_a_killed_final_recall_ends_nothing(db: str, databases: Databases, table: str) -> None:
    desk = sharing_build.desk()
    ids = [case.placement_id for case in desk.cases]
    services.give_notice(actor=actors.staff(), placement_ids=ids, reason="NO_PROGRESS", at=AT)
    entries = journal.verify(WORKER).entries

    kill_while_it_waits_for(databases, db, table, "finalise_recalls")

    assert {queries.placement(WORKER, placement_id=one)["state"] for one in ids} == {"ACTIVE"}
    assert {row["state"] for row in answers.notices(WORKER)} == {"OPEN"}
    assert journal.verify(WORKER).entries == entries
    later = AT + timedelta(days=10)
    assert services.finalise_recalls(actor=WORKER, at=later) == len(ids)
    assert services.finalise_recalls(actor=WORKER, at=later) == 0
    assert {queries.placement(WORKER, placement_id=one)["state"] for one in ids} == {"RECALLED"}


@pytest.mark.parametrize("table", ["placement_placement", "placement_refill"])
def test_a_killed_refill_places_nothing(db: str, databases: Databases, table: str) -> None:
    made = build.desk(count=8, capacity=8)
    build.answers_each(made.agencies["ALPHA"])
    run_id = build.solved(exploration=0, limits={"agencies": {"ALPHA": {"accounts_min": 8}}})
    build.approved(run_id)
    alpha = actors.agency_system(made.agencies["ALPHA"])
    refs = [row["case_ref"] for row in answers.my_offers(alpha)]
    services.decline_placements(actor=alpha, case_refs=refs, reason="NO_CAPACITY", at=build.AT)

    kill_while_it_waits_for(databases, db, table, "refill_run", str(run_id))

    assert answers.refills(WORKER, run_id=run_id) == [] and queries.placements_frame(WORKER).is_empty()
    refilled = services.refill_run(actor=WORKER, run_id=run_id, at=build.AT)
    assert (refilled.number, refilled.placed) == (1, 8)
