"""kill -9 while a package is sealed: no row, no disclosure; the file it leaves is swept; the repeat succeeds."""

from __future__ import annotations

import pytest

from weituo.domain.partners import queries as partners
from weituo.domain.sharing import packing, queries, services
from weituo.foundation.audit import journal

from tests.builders import actors
from tests.builders import sharing as build
from tests.builders.ledger import AT
from tests.conftest import Databases
from tests.faults.test_kill import kill_while_it_waits_for

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("table", ["sharing_package", "sharing_disclosure", "audit_entry"])
def test_a_killed_build_shares_nothing_and_its_file_is_swept(
    db: str, databases: Databases, table: str
) -> None:
    desk = build.desk()
    worker = actors.worker()
    [code] = [row.code for row in partners.agencies(worker)]
    folder = packing.path_of(agency_code=code, package_id="x").parent
    entries = journal.verify(worker).entries

    kill_while_it_waits_for(databases, db, table, "build_package", str(desk.agency_id), str(desk.run_id))

    assert (queries.packages(worker), queries.disclosures(worker)) == ([], [])
    assert journal.verify(worker).entries == entries
    left = list(folder.iterdir())
    assert len(left) == 1
    assert "张0".encode() not in left[0].read_bytes()
    services.sweep_files(actor=worker, at=AT)
    assert list(folder.iterdir()) == []
    package_id = services.build_package(actor=worker, agency_id=desk.agency_id, run_id=desk.run_id, at=AT)
    cases, _ = build.opened(queries.package_path(worker, package_id=package_id), desk.identity)
    assert len(cases) == 2
