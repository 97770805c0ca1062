"""kill -9 in the middle: of an import, of a booking run, of PostgreSQL. Nothing half-done stays, and the repeat succeeds."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest

from weituo.cli.book import write_invented
from weituo.domain.book import profiles
from weituo.domain.book import queries as book
from weituo.domain.book import services as book_services
from weituo.domain.ledger import queries as ledger
from weituo.domain.ledger import services
from weituo.foundation.audit import journal
from weituo.foundation.engine import postgres
from weituo.foundation.files import uploads
from weituo.foundation.jobs import queue
from weituo.foundation.jobs import worker as work

from tests.builders import actors
from tests.builders import ledger as build
from tests.conftest import PROJECT, Databases

pytestmark = pytest.mark.slow
SECONDS_MAX = 180
AT = build.AT


def program(*words: str, **environment: str) -> subprocess.Popen[str]:
    """Start one of the programs of this folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.programs", *words],
        cwd=PROJECT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def administrator_of(databases: Databases, name: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Connect to a test's database as the server's administrator."""
    with databases.administrator() as there:
        parameters = {**there.info.get_parameters(), "password": there.info.password, "dbname": name}
    with psycopg.connect(**parameters) as connection:
        yield connection


def kill_while_it_waits_for(databases: Databases, name: str, table: str, *words: str) -> None:
    """Hold `table`, so that the program stops in the middle of its transaction; kill -9 it there; let go."""
    with administrator_of(databases, name) as holder, databases.administrator() as watcher:
        holder.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        running = program(*words, WEITUO_DATABASE=name)
        until = time.monotonic() + SECONDS_MAX
        # an autovacuum worker may wait for the same table: only the program counts
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = 'weituo_app' AND wait_event_type = 'Lock'"
        while not watcher.execute(waiting, [name]).fetchone()[0]:  # type: ignore[index]
            assert running.poll() is None, running.stderr.read() if running.stderr else ""
            assert time.monotonic() < until, "the program never reached the table"
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        running.wait()
        holder.rollback()
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = 'weituo_app' AND state <> 'idle'"
        while watcher.execute(others, [name]).fetchone()[0]:  # type: ignore[index]
            assert time.monotonic() < until, "the server never noticed that the program is gone"
            time.sleep(0.02)


@pytest.mark.parametrize("table", ["book_account", "vault_field", "book_import_file", "audit_entry"])
def test_a_killed_import_leaves_nothing_and_can_be_repeated(
    db: str, databases: Databases, tmp_path: Path, table: str
) -> None:
    path = tmp_path / "book.csv"
    write_invented(path, accounts=400, seed=3, as_of=date(2026, 3, 1))
    kill_while_it_waits_for(databases, db, table, "import_book", str(path))
    assert book.accounts_frame(actors.worker(), on=date(2026, 3, 1)).is_empty()
    assert book.imports(actors.worker()) == []
    assert journal.verify(actors.worker()).entries == 0
    with administrator_of(databases, db) as connection:
        for empty in (
            "book_borrower",
            "book_repayment_history",
            "book_contact_point",
            "vault_subject",
            "vault_field",
        ):
            assert connection.execute(f"SELECT count(*) FROM {empty}").fetchone() == (0,), empty
    profile = profiles.read_profile(PROJECT / "profiles" / "demo_book.toml")
    for repeated in (False, True):
        report = book_services.import_book(
            actor=actors.worker(), path=path, profile=profile, as_of=date(2026, 3, 1), at=AT
        )
        assert (report.repeated, report.accounts) == (repeated, 400)
    assert book.accounts_frame(actors.worker(), on=date(2026, 3, 1)).height == 400
    assert journal.verify(actors.worker()).altered_seq is None


@pytest.mark.parametrize("table", ["book_account", "book_import_file", "audit_entry", "book_hold"])
def test_a_job_whose_worker_is_killed_is_taken_up_again_and_done_once(
    db: str, databases: Databases, tmp_path: Path, table: str
) -> None:
    path = tmp_path / "book.csv"
    write_invented(path, accounts=400, seed=3, as_of=date(2026, 3, 1))
    token = uploads.keep([path.read_bytes()], name="book.csv")
    order = {"file": token, "profile": "demo_book", "as_of": "2026-03-01"}
    worker = actors.worker()
    job_id = queue.ask(actor=queue.WORKER, kind="book.import", arguments=order, at=AT)
    kill_while_it_waits_for(databases, db, table, "work_off")
    killed = queue.job(worker, job_id=job_id)
    assert (killed["state"], killed["attempts"]) == ("RUNNING", 1)
    assert book.accounts_frame(worker, on=date(2026, 3, 1)).is_empty()
    assert journal.verify(worker).entries == 0
    assert uploads.path_of(token).exists()

    until = time.monotonic() + 30
    while (
        not work.work_off() and time.monotonic() < until
    ):  # the server may need a moment to miss the dead session
        time.sleep(0.1)
    done = queue.job(worker, job_id=job_id)
    assert (done["state"], done["attempts"]) == ("DONE", 2)
    [row] = book.imports(worker)
    assert (str(row["id"]), row["accounts"], row["filename"]) == (done["ref"], 400, "book.csv")
    assert [one["request_id"] for one in journal.entries(worker, act="book.import")] == [job_id.hex]
    assert not uploads.path_of(token).exists()


@pytest.mark.parametrize(
    "table", ["ledger_bank_line", "ledger_leg", "ledger_payment", "ledger_commission_line", "audit_entry"]
)
def test_a_killed_booking_run_books_nothing_and_its_repeat_books_once(
    db: str, databases: Databases, table: str
) -> None:
    placed = build.placed_accounts(count=3)
    services.open_book(actor=actors.worker(), at=AT)
    lines = [
        services.RemittanceLine(
            case_ref=one.case_ref,
            amount_minor=10_000,
            paid_on=build.day(5),
            method="TRANSFER",
            bank_ref=one.case_ref,
        )
        for one in placed
    ]
    agency = actors.agency_system(placed[0].agency_id)
    services.report_remittance(
        actor=agency, sender_ref="R1", currency="CNY", lines=lines, total_minor=30_000, at=build.REPORTED
    )
    services.receive_bank_lines(actor=actors.worker(), lines=build.bank_line("R1", 30_000), at=AT)
    before = (ledger.trial_balance(actors.worker()), journal.verify(actors.worker()).entries)

    kill_while_it_waits_for(databases, db, table, "book_remittances")

    assert (ledger.trial_balance(actors.worker()), journal.verify(actors.worker()).entries) == before
    assert [one["state"] for one in ledger.remittances(actors.worker())] == ["REPORTED"]
    assert [services.book_remittances(actor=actors.worker(), at=AT) for _ in range(2)] == [3, 0]
    assert ledger.payments_frame(actors.worker())["amount_minor"].sum() == 30_000
    assert ledger.commissions_frame(actors.worker())["amount_minor"].sum() == 6_000
    assert ledger.check(actors.worker()) == []


@pytest.fixture
def own_home() -> Iterator[Path]:
    """A home with a server of its own, which may be killed."""
    folder = Path(tempfile.mkdtemp(prefix="weituo-fault-"))
    folder.chmod(0o755)
    yield folder
    postgres.destroy(folder)
    shutil.rmtree(folder)


def test_what_was_committed_outlives_kill_9_of_postgresql(own_home: Path) -> None:
    surroundings = {"WEITUO_HOME": str(own_home), "WEITUO_PG_FAST": ""}
    writer = program("write_costs", "10000", **surroundings)
    assert writer.stdout
    said = [int(next(writer.stdout)) for _ in range(25)]
    server = postgres.find(own_home)
    assert server
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        [noted] = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone() or ("",)
    os.kill(int(str(noted).splitlines()[0]), signal.SIGKILL)
    said += [int(line) for line in writer.stdout]
    assert writer.wait(timeout=SECONDS_MAX) != 0

    looker = program("look", **surroundings)
    out, errors = looker.communicate(timeout=SECONDS_MAX)
    assert looker.returncode == 0, errors
    found = json.loads(out)
    committed = len(said)
    assert (
        committed <= found["costs"] <= committed + 1
    )  # the last one may have been committed and not yet said
    assert found["differences"] == []
    assert (found["audit"]["altered_seq"], found["audit"]["entries"]) == (None, found["costs"])
