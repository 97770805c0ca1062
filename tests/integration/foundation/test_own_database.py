"""An installation on the operator's own server: prepared once with DATABASE_URL, used without it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from weituo.cli.book import write_invented
from weituo.cli.demo import ground
from weituo.cli.demo import scene as scenes
from weituo.foundation.engine import postgres

from tests.conftest import PROJECT

pytestmark = pytest.mark.slow
PROFILE = PROJECT / "profiles" / "demo_book.toml"


@pytest.fixture
def two_homes() -> Iterator[tuple[Path, Path]]:
    """One home whose server plays the operator's, and the home of the installation."""
    folders = [Path(tempfile.mkdtemp(prefix=f"weituo-{name}-")) for name in ("server", "installation")]
    for folder in folders:
        folder.chmod(0o755)
    yield folders[0], folders[1]
    for folder in folders:
        postgres.destroy(folder)
        shutil.rmtree(folder)


def run(home: Path, *words: str, code: int = 0, **more: str) -> dict[str, Any]:
    """Run one verb in a process of its own and read its JSON."""
    surroundings = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "weituo.cli.face", *words, "--json"],
        env=surroundings | {"WEITUO_HOME": str(home)} | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_named_server_is_prepared_once_and_used_from_then_on(two_homes: tuple[Path, Path]) -> None:
    theirs, ours = two_homes
    server = postgres.ensure_running(theirs, fast=True)
    address = server.dsn("lender")
    prepared = run(ours, "database", "prepare", DATABASE_URL=address)
    assert prepared == {"host": server.host, "port": server.port, "name": "lender"}
    assert run(ours, "book", "imports") == {"imports": []}
    assert run(ours, "audit", "verify")["altered_seq"] is None
    assert postgres.find(ours) is None  # no server of our own was started
    kept = json.loads((ours / "database.json").read_text(encoding="utf-8"))
    assert server.password not in json.dumps(kept)

    # the same server named again needs no superuser any more, and any other name or server does not take the home over
    own_words = {"DATABASE_URL": address.replace("postgres:", "nobody:")}
    assert run(ours, "book", "imports", **own_words) == {"imports": []}
    for other in (server.dsn("elsewhere"), "postgresql://postgres:x@127.0.0.1:1/lender"):
        refused = run(ours, "book", "imports", code=2, DATABASE_URL=other)
        assert refused["error"]["code"] == "server_differs"
        assert "database prepare" in refused["error"]["remedy"]
    assert json.loads((ours / "database.json").read_text(encoding="utf-8")) == kept
    with psycopg.connect(server.dsn("postgres")) as connection:
        known = connection.execute("SELECT count(*) FROM pg_database WHERE datname = 'elsewhere'").fetchone()
    assert known == (0,)
    moved = run(ours, "database", "prepare", DATABASE_URL=server.dsn("elsewhere"))
    assert moved["name"] == "elsewhere"
    assert run(ours, "book", "imports") == {"imports": []}


def test_a_server_of_the_operators_that_was_not_migrated_is_left_to_the_operator(
    two_homes: tuple[Path, Path],
) -> None:
    theirs, ours = two_homes
    server = postgres.ensure_running(theirs, fast=True)
    refused = run(ours, "book", "imports", code=2, DATABASE_URL=server.dsn("lender"))
    assert refused["error"]["code"] == "database_behind"
    assert "weituo database prepare" in refused["error"]["remedy"]


def test_the_first_verb_on_an_empty_home_makes_its_own_server_and_tables(
    two_homes: tuple[Path, Path], tmp_path: Path
) -> None:
    """Two at once: the second waits for the tables that the first makes."""
    _theirs, ours = two_homes
    book = tmp_path / "book.csv"
    write_invented(book, accounts=50, seed=3, as_of=date(2026, 3, 1))
    surroundings = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    words = ("import", str(book), "--profile", str(PROFILE), "--as-of", "2026-03-01", "--json")
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "weituo.cli.face", *words],
            env=surroundings | {"WEITUO_HOME": str(ours)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sorted(json.loads(out)["repeated"] for out, _err in said) == [False, True]
    assert postgres.find(ours) is not None
    # and a foreign server named once does not take it over
    refused = run(ours, "book", "imports", code=2, DATABASE_URL="postgresql://postgres:x@127.0.0.1:1/weituo")
    assert refused["error"]["code"] == "server_differs"
    assert len(run(ours, "book", "imports")["imports"]) == 1


@pytest.mark.parametrize("dies_at", ["rmtree", "unlink"])
def test_a_reset_that_was_killed_is_finished_by_the_next_start(
    two_homes: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    home = two_homes[1]
    monkeypatch.setenv("WEITUO_HOME", str(home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    ground.prepare(reset=False).close()
    scenes.save(
        home, scenes.Scene(begins_on="2026-03-02", accounts=100, weeks=1, password="x", done=["people"])
    )
    (home / "packages").mkdir()
    (home / "packages" / "a.age").touch()

    def killed(*_given: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(ground.shutil if dies_at == "rmtree" else Path, dies_at, killed)
        with pytest.raises(KeyboardInterrupt):
            ground.prepare(reset=True)
    assert (home / ground.RESETTING).exists()
    ground.prepare(reset=False).close()
    assert scenes.load(home) is None
    assert not (home / "packages").exists()
    assert not (home / ground.RESETTING).exists()
    with psycopg.connect(postgres.ensure_running(home).dsn("weituo")) as connection:
        assert connection.execute("SELECT to_regclass('public.django_migrations')").fetchone() == (None,)
