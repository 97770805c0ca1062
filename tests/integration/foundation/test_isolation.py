"""Row-level security: forced everywhere, proved with raw SQL."""

from __future__ import annotations

import psycopg
import pytest
from django.db import DatabaseError, connections

from weituo.foundation import transactions
from weituo.foundation.ids import new_id

from tests.builders import actors

#: tables without tenants, each with its reason; agencies and borrowers hold no grant on them
SIGN_IN = "sign-in looks people up before anybody's role is known"
PUBLIC_TABLES = {
    "account_emailaddress": SIGN_IN,
    "account_emailconfirmation": SIGN_IN,
    "auth_group": SIGN_IN,
    "auth_group_permissions": SIGN_IN,
    "auth_permission": SIGN_IN,
    "django_content_type": "names of tables",
    "django_migrations": "names of migrations",
    "django_session": "found by a random key before anybody's role is known",
    "identity_user_groups": SIGN_IN,
    "identity_user_user_permissions": SIGN_IN,
}


def test_every_table_has_forced_row_level_security_or_stands_on_the_public_list(db: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')"
        )
        tables = {name: (forced, policies) for name, forced, policies in cursor.fetchall()}
    bare = {name for name, (forced, policies) in tables.items() if not forced or policies == 0}
    assert bare == set(PUBLIC_TABLES) & set(tables), bare ^ set(PUBLIC_TABLES)


def test_agencies_and_borrowers_hold_no_grant_on_public_tables(db: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT t, r FROM unnest(%s::text[]) t, unnest(ARRAY['weituo_agency', 'weituo_borrower', 'weituo_app_agency', 'weituo_app_borrower']) r "
            "WHERE has_table_privilege(r, t, 'SELECT') OR has_table_privilege(r, t, 'INSERT')",
            [sorted(PUBLIC_TABLES)],
        )
        assert cursor.fetchall() == []


@pytest.mark.parametrize("alias", ["agency", "borrower"])
def test_login_roles_of_agencies_and_borrowers_see_nothing_by_themselves(db: str, alias: str) -> None:
    with (
        connections[alias].cursor() as cursor,
        pytest.raises(DatabaseError, match="does not exist|permission denied"),
    ):
        cursor.execute("SELECT count(*) FROM public.placement_placement")


def test_a_forged_context_is_refused(db: str) -> None:
    agency = actors.agency_system(new_id())
    with pytest.raises(DatabaseError, match="tenant context refused"), transactions.reading(agency):
        with transactions.connection().cursor() as cursor:
            cursor.execute(
                "SELECT set_config('weituo.context', replace(current_setting('weituo.context'), 'agency|', 'lender|'), true)"
            )
            cursor.execute("SELECT count(*) FROM placement_placement")


def test_an_agency_cannot_take_another_role(db: str) -> None:
    agency = actors.agency_system(new_id())
    for role in ("weituo_lender", "weituo_worker", "weituo_owner", "weituo_borrower"):
        with pytest.raises(DatabaseError, match="permission denied"), transactions.reading(agency):
            with transactions.connection().cursor() as cursor:
                cursor.execute(f"SET LOCAL ROLE {role}")


def test_rows_changed_without_an_audit_entry_cannot_be_committed(db: str) -> None:
    with (
        pytest.raises(DatabaseError, match="without an audit entry"),
        transactions.transaction(actors.worker()),
        transactions.connection().cursor() as cursor,
    ):
        cursor.execute("INSERT INTO vault_subject (wrapped_key, master_version) VALUES ('\\x00', 1)")


def test_an_unaudited_change_is_refused_by_the_database_itself(db: str) -> None:
    settings = connections["owner"].settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        dbname=db,
        user="weituo_app",
        password=connections["default"].settings_dict["PASSWORD"],
    ) as raw:
        from weituo.foundation.tenancy import scope

        raw.execute(
            "SELECT set_config('role', 'weituo_worker', true), set_config('weituo.context', %s, true)",
            [scope.token_for(actors.worker(), backend_pid=raw.info.backend_pid)],
        )
        raw.execute("INSERT INTO vault_subject (wrapped_key, master_version) VALUES ('\\x00', 1)")
        with pytest.raises(psycopg.errors.CheckViolation, match="without an audit entry"):
            raw.commit()
