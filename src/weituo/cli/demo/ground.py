"""What the demonstration stands on: the database server, one start at a time, and how all of it is thrown away."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import time
from pathlib import Path
from typing import TextIO

import psycopg
from psycopg import sql

from weituo.cli.arguments import Misused
from weituo.cli.demo import scene as scenes
from weituo.cli.demo.server import PROCESSES

#: folders and files under WEITUO_HOME that only the demonstration fills
LEAVES = (
    "demo",
    "demo.json",
    "packages",
    "models",
    "rejects",
    "imports",
    "uploads",
    "server.log",
    "worker.log",
)
#: stands while a reset goes on, so that the next start finishes one that was killed
RESETTING = "demo.reset"


class Trouble(Misused):
    """The demonstration cannot start here: one sentence, exit code 2."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, where="weituo demo", code="demonstration_refused")


def prepare(*, reset: bool) -> TextIO:
    """Take the demonstration's lock, start the database server, make roles and database; with `reset`, throw the old one away.

    Gives the lock: it holds for as long as it is kept open.
    """
    from weituo.config import database, places

    home = places.read().home
    home.mkdir(parents=True, exist_ok=True)
    held = _only_one(home)
    end_old_servers(home)
    if reset or (home / RESETTING).exists():
        _throw_away(home)
    database.prepare(home, whole=True)
    return held


def _throw_away(home: Path) -> None:
    from weituo.config import database

    dsn, _ = database.administrator(home)
    name = database.describe(home)["name"]
    with psycopg.connect(dsn, autocommit=True) as connection:
        stands = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        ours = scenes.load(home) is not None or (home / RESETTING).exists()
        if stands and not ours and _is_used(dsn, name):
            raise Trouble(
                f"the database {name} holds a book that is no demonstration; --reset leaves it alone"
            )
        (home / RESETTING).touch()
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    for leaf in LEAVES:
        path = home / leaf
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    (home / RESETTING).unlink(missing_ok=True)


def _is_used(dsn: str, name: str) -> bool:
    with psycopg.connect(dsn, dbname=name) as connection:
        known = connection.execute("SELECT to_regclass('public.book_import_file')").fetchone()
        if known is None or known[0] is None:
            return False
        return connection.execute("SELECT 1 FROM book_import_file LIMIT 1").fetchone() is not None


def _only_one(home: Path) -> TextIO:
    held = (home / "demo.lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as busy:
        raise Trouble(f"another demonstration is running in {home}; wait for it or end it") from busy
    return held


def end_old_servers(home: Path) -> None:
    """End web server and worker of a demonstration that was killed; a process of another kind is left alone."""
    for name, words in PROCESSES.items():
        kept = home / name
        if not kept.exists():
            continue
        text = kept.read_text(encoding="utf-8").strip()
        if text.isdigit() and _is_ours(int(text), words):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(text), signal.SIGTERM)
                until = time.monotonic() + 15
                while time.monotonic() < until and _is_ours(int(text), words):
                    time.sleep(0.05)
        kept.unlink(missing_ok=True)


def _is_ours(pid: int, wanted: tuple[bytes, ...]) -> bool:
    """Tell whether the process is one of this program (Linux tells; elsewhere nothing is ended)."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z" and all(word in words for word in wanted)
