"""Programs that are killed: `python -m tests.faults.programs WHAT …`, one act (or many) in a process of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def _ready() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "weituo.config.settings"
    import django

    django.setup()


def import_book(path: str) -> None:
    """Import the invented book."""
    _ready()
    from weituo.domain.book import profiles, services

    from tests.builders import actors
    from tests.builders.ledger import AT

    services.import_book(
        actor=actors.worker(),
        path=Path(path),
        profile=profiles.read_profile(PROJECT / "profiles" / "demo_book.toml"),
        as_of=date(2026, 3, 1),
        at=AT,
    )


def book_remittances() -> None:
    """Book every remittance whose bank line has arrived."""
    _ready()
    from weituo.domain.ledger import services

    from tests.builders import actors
    from tests.builders.ledger import AT

    services.book_remittances(actor=actors.worker(), at=AT)


def build_package(agency_id: str, run_id: str) -> None:
    """Seal one package."""
    _ready()
    from uuid import UUID

    from weituo.domain.sharing import services

    from tests.builders import actors
    from tests.builders.ledger import AT

    services.build_package(actor=actors.worker(), agency_id=UUID(agency_id), run_id=UUID(run_id), at=AT)


def finalise_recalls() -> None:
    """Make the recalls final whose day has come."""
    _ready()
    from datetime import timedelta

    from weituo.domain.placement import services

    from tests.builders import actors
    from tests.builders.ledger import AT

    services.finalise_recalls(actor=actors.worker(), at=AT + timedelta(days=10))


def refill_run(run_id: str) -> None:
    """Place what came back of a run again."""
    _ready()
    from uuid import UUID

    from weituo.domain.placement import services

    from tests.builders import actors
    from tests.builders import placement as build

    services.refill_run(actor=actors.worker(), run_id=UUID(run_id), at=build.AT)


def work_off() -> None:
    """Do the jobs that wait."""
    _ready()
    from weituo.foundation import clock
    from weituo.foundation.jobs import worker

    from tests.builders.ledger import AT

    with clock.at_instant(AT):
        worker.work_off()


def write_costs(count: str) -> None:
    """Prepare an installation of its own and book costs one after the other, saying each number once it is committed."""
    _prepared()
    from weituo.domain.ledger import services

    from tests.builders import actors
    from tests.builders.ledger import AT

    for number in range(int(count)):
        services.record_cost(
            actor=actors.worker(),
            reference=f"C-{number}",
            amount_minor=100,
            currency="CNY",
            value_on=AT.date(),
            at=AT,
        )
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def look() -> None:
    """Start the server again and say what stands."""
    _prepared()
    from dataclasses import asdict

    from weituo.domain.ledger import queries
    from weituo.foundation.audit import journal

    from tests.builders import actors

    worker = actors.worker()
    found = {
        "costs": queries.costs_frame(worker).height,
        "differences": queries.check(worker),
        "audit": asdict(journal.verify(worker)),
    }
    sys.stdout.write(json.dumps(found, default=str) + "\n")


def _prepared() -> None:
    from weituo.config import database

    database.prepare(Path(os.environ["WEITUO_HOME"]))
    _ready()
    database.migrate()


PROGRAMS: dict[str, Callable[..., None]] = {
    "import_book": import_book,
    "book_remittances": book_remittances,
    "build_package": build_package,
    "finalise_recalls": finalise_recalls,
    "refill_run": refill_run,
    "work_off": work_off,
    "write_costs": write_costs,
    "look": look,
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
