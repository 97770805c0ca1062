"""The bench under every test: one embedded PostgreSQL, one migrated template a worker, one fresh database a test.

Acts commit for real (deferred constraints speak at commit), so each test gets a clone of the template instead of
a transaction that is undone.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

PROJECT = Path(__file__).resolve().parents[1]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["WEITUO_HOME"] = os.environ.get("WEITUO_TEST_HOME", str(PROJECT / "var" / "test"))
os.environ["WEITUO_PG_FAST"] = "1"
os.environ["DJANGO_SETTINGS_MODULE"] = "weituo.config.settings"
os.environ.pop("WEITUO_DEMO", None)

_TEMPLATE = f"weituo_template_{WORKER}_{os.getpid()}"


class Databases:
    """Makes, clones and drops test databases on the shared server."""

    def __init__(self) -> None:
        from weituo.config import database

        self._database = database
        home = Path(os.environ["WEITUO_HOME"])
        database.prepare(home)
        self._dsn, _ = database.administrator(home)
        self.made: list[str] = []

    def administrator(self) -> psycopg.Connection:
        """Open a superuser connection to the server's own database."""
        return psycopg.connect(self._dsn, autocommit=True)

    def make(self, name: str, *, template: str = "template0") -> None:
        """Make the database `name`, a copy of `template`."""
        with self.administrator() as connection:
            if template != "template0":
                connection.execute(
                    f'CREATE DATABASE "{name}" OWNER weituo_owner TEMPLATE "{template}" STRATEGY FILE_COPY'
                )
                connection.execute(
                    f'GRANT CONNECT ON DATABASE "{name}" TO weituo_app, weituo_app_agency, weituo_app_borrower'
                )
                connection.execute(f'GRANT TEMPORARY ON DATABASE "{name}" TO weituo_lender, weituo_worker')
            else:
                self._database.make_database(connection, name)
        self.made.append(name)

    def drop(self, name: str) -> None:
        """Drop the database `name` with whoever is still connected."""
        with self.administrator() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def use(self, name: str) -> None:
        """Point all of Django's connections at `name`."""
        from django.db import connections

        connections.close_all()
        for alias in connections:
            connections[alias].settings_dict["NAME"] = name
            connections.databases[alias]["NAME"] = name


def pytest_configure() -> None:
    """Set Django up once the server's address is known."""
    from weituo.config import database

    database.prepare(Path(os.environ["WEITUO_HOME"]))
    (Path(os.environ["WEITUO_HOME"]) / "static").mkdir(exist_ok=True)  # whitenoise warns without it
    import django
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment()


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The server with one migrated template database."""
    from weituo.config import database

    made = Databases()
    made.make(_TEMPLATE)
    made.use(_TEMPLATE)
    database.migrate()
    made.use("postgres")
    yield made
    from django.db import connections

    connections.close_all()
    for name in made.made:
        made.drop(name)


@pytest.fixture
def db(databases: Databases) -> Iterator[str]:
    """A fresh, migrated, empty database; its name."""
    yield from _clone(databases, _TEMPLATE)


def _clone(databases: Databases, template: str) -> Iterator[str]:
    from django.core.cache import cache
    from django.db import connections

    name = f"weituo_{WORKER}_{secrets.token_hex(5)}"
    databases.make(name, template=template)
    databases.use(name)
    cache.clear()
    yield name
    connections.close_all()
    databases.use("postgres")
    databases.drop(name)
    databases.made.remove(name)


@pytest.fixture(scope="session")
def story_template(databases: Databases) -> Callable[[str, Callable[[], None]], str]:
    """Build a story once a worker and keep it as a template: `name = story_template("cycle", build)`; clone with `clone_of`."""
    built: dict[str, str] = {}

    def build(story: str, tell: Callable[[], None]) -> str:
        if story not in built:
            name = f"weituo_story_{story}_{WORKER}_{os.getpid()}"
            databases.make(name, template=_TEMPLATE)
            databases.use(name)
            tell()
            databases.use("postgres")
            built[story] = name
        return built[story]

    return build


@pytest.fixture
def clone_of(databases: Databases) -> Iterator[Callable[[str], str]]:
    """Give a function that clones a template for this test."""
    running: list[Iterator[str]] = []

    def clone(template: str) -> str:
        steps = _clone(databases, template)
        running.append(steps)
        return next(steps)

    yield clone
    for steps in running:
        next(steps, None)


@pytest.fixture(scope="session")
def weituo_data() -> Path:
    """The folder of real data (WEITUO_DATA, by default ../shared/data); without it the test skips, or fails in CI."""
    folder = Path(os.environ.get("WEITUO_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"WEITUO_DATA: {folder} is missing, and CI needs the real data")
        pytest.skip(f"WEITUO_DATA: {folder} is missing")
    return folder
