"""The launcher against real PostgreSQL programs: start, find, kill, recover, stop."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from weituo.foundation.engine import postgres

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="weituo-engine-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    postgres.destroy(folder)
    shutil.rmtree(folder)


def value(server: postgres.Server, query: str) -> object:
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def postmaster(server: postgres.Server) -> int:
    found = value(server, "select pg_read_file('postmaster.pid')")
    return int(str(found).splitlines()[0])


def start_elsewhere(home: str, ports: multiprocessing.Queue[int]) -> None:
    ports.put(postgres.ensure_running(Path(home), fast=True).port)


def test_started_server_is_found_again_and_keeps_rows_through_kill_and_stop(home: Path) -> None:
    server = postgres.ensure_running(home, options={"work_mem": "17MB"})
    assert value(server, "show work_mem") == "17MB"
    assert value(server, "show synchronous_commit") == "on"
    assert value(server, "show listen_addresses") == "127.0.0.1"
    assert str(value(server, "select uuidv7()"))[14] == "7"
    assert postgres.ensure_running(home) == server
    assert postgres.find(home) == server

    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute("create table kept as select 42 as answer")
    os.kill(postmaster(server), signal.SIGKILL)
    time.sleep(0.2)
    again = postgres.ensure_running(home)
    assert value(again, "select answer from kept") == 42

    assert postgres.stop(home) is True
    assert postgres.stop(home) is False
    assert postgres.find(home) is None
    restarted = postgres.ensure_running(home)
    assert restarted.port == again.port
    assert value(restarted, "select answer from kept") == 42


def test_password_is_private_and_needed(home: Path) -> None:
    server = postgres.ensure_running(home, fast=True)
    secret = home / "postgres" / "superuser.password"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_text(encoding="utf-8") == server.password
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.dsn("postgres", user="postgres", password="wrong"))


def test_two_callers_at_once_get_one_server(home: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ports: multiprocessing.Queue[int] = context.Queue()
    callers = [context.Process(target=start_elsewhere, args=(str(home), ports)) for _ in range(2)]
    for caller in callers:
        caller.start()
    found = {ports.get(timeout=60) for _ in callers}
    for caller in callers:
        caller.join(timeout=60)
    assert len(found) == 1


def test_note_of_a_stranger_does_not_keep_the_server_from_starting(home: Path) -> None:
    server = postgres.ensure_running(home, fast=True)
    note = home / "postgres" / "data" / "postmaster.pid"
    text = note.read_text(encoding="utf-8").splitlines()
    postgres.stop(home)
    note.write_text("\n".join([str(os.getpid()), *text[1:]]) + "\n", encoding="utf-8")
    assert value(postgres.ensure_running(home, fast=True), "select 1") == 1
    assert server.host == "127.0.0.1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give up rights")
def test_home_below_a_closed_folder_keeps_its_data_elsewhere(home: Path) -> None:
    home.chmod(0o700)
    server = postgres.ensure_running(home, fast=True)
    directory = Path(str(value(server, "show data_directory")))
    assert not directory.is_relative_to(home)
    assert value(server, "select 1") == 1
    postgres.destroy(home)
    assert not directory.exists()


def test_lost_password_is_said_plainly(home: Path) -> None:
    postgres.ensure_running(home, fast=True)
    postgres.stop(home)
    (home / "postgres" / "superuser.password").unlink()
    with pytest.raises(postgres.EngineFault, match=r"superuser\.password is missing"):
        postgres.ensure_running(home, fast=True)
