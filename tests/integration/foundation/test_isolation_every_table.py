"""Agency A against agency B, borrower A against borrower B, with raw SQL, in every table that they may read at all.

The tables are taken from the catalogue and filled by the types of their columns, so that a new table is tested from its
first migration on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connections
from psycopg import sql

from weituo.foundation import transactions
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy import scope
from weituo.foundation.tenancy.actors import Actor

from tests.builders import actors
from tests.conftest import Databases

#: columns whose check constraints a value of the type alone does not meet
FITTING: dict[str, dict[str, Any]] = {
    "book_account": {"balance_minor": 1, "principal_minor": 1},
    "book_repayment_history": {"bill_minor": "{1}", "paid_minor": "{1}", "months_late": "{1}"},
    "ledger_payment": {"amount_minor": 1, "unapplied_minor": 1},
    "placement_placement": {"placed_at": "2026-03-01T00:00Z"},
    "sharing_destruction": {"cases": 1, "placements": [new_id()]},
    "care_wish": {"hour_from": 8, "hour_to": 20},
    "contact_preference": {"hour_from": 8, "hour_to": 20},
}
#: tables whose owner's column is not called agency_id or borrower_id
OWNER_COLUMN = {
    ("agency", "partners_agency"): "id",
    ("borrower", "book_borrower"): "id",
    ("borrower", "book_repayment_history"): "account_id",
    ("borrower", "book_repayment_month"): "account_id",
}
#: read through, with the reader's own rights; their rows come from the tables under them
VIEWS = {"book_repayment_month"}
#: tables in which a borrower reads facts about agencies and collectors on purpose: “is this collector genuine”
OPEN_TO_BORROWERS = {"partners_agency", "partners_collector"}
#: functions that run with their owner's rights and that agencies and borrowers may call
RIGHTFUL_FUNCTIONS = {
    "actor", "agency_id", "audit_append", "borrower_id", "context", "kind", "refuse_change", "require_audit", "touched_rows",
}  # fmt: skip
BY_TYPE: dict[str, Any] = {
    "uuid": new_id, "text": lambda: new_id().hex, "varchar": lambda: new_id().hex, "bool": lambda: False,
    "int2": lambda: 1, "int4": lambda: 1, "int8": lambda: 1, "float8": lambda: 1.0, "numeric": lambda: 1,
    "date": lambda: "2026-03-01", "timestamptz": lambda: "2026-03-01T00:00Z", "jsonb": lambda: json.dumps({}),
    "bytea": lambda: new_id().bytes,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """What an INSERT must give."""

    name: str
    kind: str
    length: int | None


def readable(kind: str) -> dict[str, str]:
    """Give the tables that this kind of user holds SELECT on, with the column that says whose a row is."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') "
            "AND has_table_privilege(%s, c.oid, 'SELECT') ORDER BY 1",
            [f"weituo_{kind}"],
        )
        tables = [row[0] for row in cursor.fetchall()]
    return {
        table: OWNER_COLUMN.get((kind, table), f"{kind}_id")
        for table in tables
        if kind == "agency" or table not in OPEN_TO_BORROWERS
    }


def needed(connection: psycopg.Connection[Any], table: str) -> list[Column]:
    """Give the columns of `table` that have no default and may not be NULL."""
    rows = connection.execute(
        "SELECT column_name, udt_name, character_maximum_length FROM information_schema.columns WHERE table_schema = 'public' "
        "AND table_name = %s AND is_nullable = 'NO' AND column_default IS NULL ORDER BY ordinal_position",
        [table],
    ).fetchall()
    return [Column(*row) for row in rows]


def value_of(column: Column) -> Any:
    """Give some value of the column's type."""
    if column.kind.startswith("_"):
        return "{}"
    made = BY_TYPE[column.kind]()
    return made[-column.length :] if column.length and isinstance(made, str) else made


def seed(connection: psycopg.Connection[Any], table: str, owner: str, whose: UUID) -> None:
    """Put one row of `whose` into `table`; triggers rest, so that no parents are needed."""
    values = {column.name: value_of(column) for column in needed(connection, table)}
    values |= FITTING.get(table, {}) | {owner: whose}
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(sql.Placeholder() * len(values)),
        ),
        list(values.values()),
    )


@contextmanager
def superuser(databases: Databases, name: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect to a test's database as the server's administrator."""
    with databases.administrator() as there:
        parameters = {**there.info.get_parameters(), "password": there.info.password, "dbname": name}
    with psycopg.connect(**parameters, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def of(kind: str, whose: UUID) -> Actor:
    """Give the actor of this kind."""
    return actors.agency_system(whose) if kind == "agency" else actors.borrower(whose)


@pytest.fixture(params=["agency", "borrower"])
def two(request: pytest.FixtureRequest, db: str, databases: Databases) -> tuple[str, UUID, UUID]:
    """Two agencies, or two borrowers, with one row each in every table that they may read."""
    kind, mine, theirs = request.param, new_id(), new_id()
    with superuser(databases, db) as connection:
        for table, owner in readable(kind).items():
            if table in VIEWS:
                continue
            seed(connection, table, owner, mine)
            seed(connection, table, owner, theirs)
        if kind == "borrower":  # a history of repayments is whose the account is
            for whose in (mine, theirs):
                connection.execute("UPDATE book_account SET id = %s WHERE borrower_id = %s", [whose, whose])
    return kind, mine, theirs


def test_every_readable_row_is_ones_own(two: tuple[str, UUID, UUID]) -> None:
    kind, mine, theirs = two
    tables = readable(kind)
    assert len(tables) >= 9
    seen = {}
    with transactions.reading(of(kind, mine)), transactions.connection().cursor() as cursor:
        for table, owner in tables.items():
            cursor.execute(
                f'SELECT count(*) FILTER (WHERE "{owner}" = %s), count(*) FILTER (WHERE "{owner}" = %s) FROM "{table}"',
                [mine, theirs],
            )
            seen[table] = cursor.fetchone()
    assert seen == dict.fromkeys(tables, (1, 0))


def test_no_row_of_another_can_be_changed_or_made(
    two: tuple[str, UUID, UUID], databases: Databases, db: str
) -> None:
    kind, mine, theirs = two
    tables = readable(kind)
    with superuser(databases, db) as connection:
        columns = {table: needed(connection, table) for table in tables}
    touched = []
    for table, owner in tables.items():
        values = {column.name: value_of(column) for column in columns[table]}
        values |= FITTING.get(table, {}) | {owner: theirs}
        marks = ", ".join(["%s"] * len(values))
        for verb, statement, given in (
            ("update", f'UPDATE "{table}" SET "{owner}" = "{owner}" WHERE "{owner}" = %s', [theirs]),
            ("delete", f'DELETE FROM "{table}" WHERE "{owner}" = %s', [theirs]),
            (
                "insert",
                f'INSERT INTO "{table}" ({", ".join(values)}) VALUES ({marks})',
                list(values.values()),
            ),
        ):
            try:
                with transactions.transaction(of(kind, mine)), connections[kind].cursor() as cursor:
                    cursor.execute(statement, given)
                    if cursor.rowcount:
                        touched.append((verb, table))
                    raise Undone
            except (DatabaseError, Undone):
                continue
    assert touched == []


class Undone(Exception):
    """Ends a transaction that is not to be kept."""


FORGERIES = {
    "another's id under the same signature": "SELECT set_config('weituo.context', replace(current_setting('weituo.context'), '{mine}', '{theirs}'), true)",
    "a lender's kind": "SELECT set_config('weituo.context', replace(current_setting('weituo.context'), '{kind}|', 'lender|'), true)",
    "a worker's kind": "SELECT set_config('weituo.context', replace(current_setting('weituo.context'), '{kind}|', 'worker|'), true)",
    "no signature": "SELECT set_config('weituo.context', '{kind}|x|{theirs}|{theirs}|9999999999|' || pg_backend_pid(), true)",
    "no context": "SELECT set_config('weituo.context', '', true)",
    "the lender's role": "SET LOCAL ROLE weituo_lender",
    "the owner's role": "SET LOCAL ROLE weituo_owner",
    "the worker's role by set_config": "SELECT set_config('role', 'weituo_worker', true)",
    "the login's own role": "RESET ROLE",
    "the application's login": "SET SESSION AUTHORIZATION weituo_app",
    "policies off": "SET LOCAL row_security = off",
    "triggers off": "SET LOCAL session_replication_role = replica",
    "the key": "SELECT * FROM sec.tenancy_key",
}


def test_no_trick_of_the_session_opens_another_row(two: tuple[str, UUID, UUID]) -> None:
    """Each trick is refused, or what follows it sees nothing of the other's."""
    kind, mine, theirs = two
    opened = []
    for trick, statement in FORGERIES.items():
        for table, owner in readable(kind).items():
            try:
                with transactions.reading(of(kind, mine)), transactions.connection().cursor() as cursor:
                    cursor.execute(statement.format(kind=kind, mine=mine, theirs=theirs))
                    cursor.execute(f'SELECT count(*) FROM public."{table}" WHERE "{owner}" = %s', [theirs])
                    if cursor.fetchone()[0]:
                        opened.append((trick, table))
            except DatabaseError:
                continue
    assert opened == []


def test_a_context_of_another_session_is_refused(two: tuple[str, UUID, UUID]) -> None:
    kind, mine, theirs = two
    stolen = scope.token_for(of(kind, theirs), backend_pid=1)
    with pytest.raises(DatabaseError, match="tenant context expired"), transactions.reading(of(kind, mine)):
        with transactions.connection().cursor() as cursor:
            cursor.execute("SELECT set_config('weituo.context', %s, true)", [stolen])
            cursor.execute("SELECT count(*) FROM placement_placement")


def test_statistics_and_functions_tell_nothing_about_others(two: tuple[str, UUID, UUID]) -> None:
    kind, mine, _theirs = two
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    with transactions.reading(of(kind, mine)), transactions.connection().cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stats WHERE schemaname = 'public'")
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prosecdef "
            "AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND has_function_privilege(current_user, p.oid, 'EXECUTE')"
        )
        assert {row[0] for row in cursor.fetchall()} <= RIGHTFUL_FUNCTIONS
