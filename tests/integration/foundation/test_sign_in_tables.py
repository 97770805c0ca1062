"""Sign-in tables: each database role holds what it needs, and no SQL of the lender's people makes an administrator."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connections

from weituo.foundation import transactions
from weituo.foundation.identity import keys, staffing
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor

from tests.builders import actors

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STAFF_ROLES = ("weituo_lender", "weituo_worker", "weituo_auditor")
#: the only rights that staff's roles have on tables without a tenant's policy
EXPECTED = {
    *((role, table, right) for role in ("weituo_lender", "weituo_worker") for table in ("identity_user", "identity_api_key") for right in ("SELECT", "INSERT", "UPDATE")),
    *((role, "mfa_authenticator", right) for role in ("weituo_lender", "weituo_worker") for right in ("SELECT", "INSERT", "UPDATE", "DELETE")),
}  # fmt: skip


class Undone(Exception):
    """Ends a transaction that is not to be kept."""


@pytest.fixture
def analyst(db: str) -> Actor:
    """Give somebody of the lender who is no administrator, beside one person who can sign in."""
    staffing.invite(
        actor=actors.staff(Role.ADMIN), username="lin", name="林", role=Role.VENDOR_MANAGER, at=AT
    )
    keys.issue_key(actor=actors.staff(Role.ADMIN), agency_id=new_id(), name="system", at=AT)
    return actors.staff(Role.ANALYST)


def test_rights_on_sign_in_tables_are_these_and_no_others(db: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT r, c.relname, p FROM pg_class c, unnest(%s::text[]) r, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p "
            "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND has_table_privilege(r, c.oid, p) "
            "AND (NOT c.relrowsecurity OR c.relname IN ('identity_user', 'identity_api_key', 'mfa_authenticator'))",
            [list(STAFF_ROLES)],
        )
        assert set(cursor.fetchall()) == EXPECTED


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE identity_user SET role = 'ADMIN'",
        "UPDATE identity_user SET is_active = true, password = 'x'",
        "UPDATE identity_api_key SET active_to = NULL",
        "DELETE FROM mfa_authenticator",
        "SELECT password FROM identity_user",
        "SELECT digest FROM identity_api_key",
        "SELECT data FROM mfa_authenticator",
    ],
)
def test_who_is_no_administrator_reaches_no_row(analyst: Actor, statement: str) -> None:
    with (
        pytest.raises(Undone),
        transactions.transaction(analyst),
        transactions.connection().cursor() as cursor,
    ):
        cursor.execute(statement)
        assert cursor.rowcount == 0
        raise Undone


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM django_migrations",
        "SELECT session_data FROM django_session",
        "DELETE FROM identity_user",
        "INSERT INTO identity_api_key (id, name, agency_id, prefix, digest, active_from) VALUES (gen_random_uuid(), 'x', gen_random_uuid(), 'x', '\\x00', now())",
        "SELECT set_config('weituo.context', replace(current_setting('weituo.context'), 'ANALYST', 'ADMIN'), true), sec.administers()",
    ],
)
def test_what_only_others_may_is_refused(analyst: Actor, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="permission denied|row-level security|tenant context refused"),
        transactions.transaction(analyst),
        transactions.connection().cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    "table", ["identity_user", "identity_api_key", "mfa_authenticator", "django_session"]
)
def test_an_auditor_reads_no_sign_in_table(analyst: Actor, table: str) -> None:
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transactions.reading(actors.staff(Role.AUDITOR)),
        transactions.connection().cursor() as cursor,
    ):
        cursor.execute(f"SELECT * FROM {table}")


def test_names_are_known_to_all_of_the_lenders_people(analyst: Actor) -> None:
    for role in (Role.ANALYST, Role.AUDITOR):
        page = staffing.persons_page(actors.staff(role))
        assert [(row["username"], row["second_factor"]) for row in page["rows"]] == [("lin", False)]
        assert [key["name"] for key in keys.keys(actors.staff(role))] == ["system"]
        assert {"林", "system"} <= set(staffing.names(actors.staff(role)).values())


def test_a_change_of_people_without_an_audit_entry_does_not_commit(analyst: Actor) -> None:
    with (
        pytest.raises(DatabaseError, match="audit"),
        transactions.transaction(actors.staff(Role.ADMIN)),
        transactions.connection().cursor() as cursor,
    ):
        cursor.execute("UPDATE identity_user SET role = 'ADMIN'")
        assert cursor.rowcount == 1
