"""Preparing the database: roles, database, migrations. Idempotent; run at every start of the demonstration."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

LOGIN_ROLES = ("weituo_owner", "weituo_app", "weituo_app_agency", "weituo_app_borrower")
GROUP_ROLES = ("weituo_lender", "weituo_auditor", "weituo_worker", "weituo_agency", "weituo_borrower")
#: advisory lock held while roles and database are made; released when the connection closes
PREPARE_LOCK = 7_263_541
#: database.json says so when the server was named by DATABASE_URL and is not ours to start
OPERATORS = "operator's"
#: login role → roles that it may assume per transaction (never inherits)
MAY_ASSUME = {
    "weituo_app": ("weituo_lender", "weituo_auditor", "weituo_worker"),
    "weituo_app_agency": ("weituo_agency",),
    "weituo_app_borrower": ("weituo_borrower",),
}


def describe(home: Path) -> dict[str, Any]:
    """Give the connection details kept in WEITUO_HOME, making passwords once."""
    path = home / "database.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    return {
        "host": "",
        "port": 0,
        "name": "weituo",
        "passwords": {role: secrets.token_urlsafe(24) for role in LOGIN_ROLES},
    }


def keep(home: Path, described: dict[str, Any]) -> None:
    """Store connection details with mode 600."""
    path = home / "database.json"
    home.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(described, indent=1), encoding="utf-8")
    draft.replace(path)


def administrator(home: Path) -> tuple[str, dict[str, Any]]:
    """Give a superuser connection string and where the server listens: DATABASE_URL, or the embedded server."""
    url = os.environ.get("DATABASE_URL", "")
    if url:
        parts = urlsplit(url)
        # the database itself may not stand yet: whoever makes it connects to the one that every server has
        return parts._replace(path="/postgres").geturl(), {
            "host": parts.hostname or "127.0.0.1",
            "port": parts.port or 5432,
            "name": parts.path.lstrip("/") or "weituo",
            "server": OPERATORS,
        }
    from weituo.foundation.engine import postgres

    server = postgres.ensure_running(
        home,
        options=postgres.SMALL if os.environ.get("WEITUO_DEMO", "") == "1" else None,
        fast=os.environ.get("WEITUO_PG_FAST", "") == "1",
    )
    where = {"host": server.host, "port": server.port, "name": "weituo", "server": "own"}
    return server.dsn("postgres"), where


def prepare(home: Path, *, name: str | None = None) -> dict[str, Any]:
    """Start the server, make roles and the database where missing, and keep the connection details.

    On a server of the operator's own this needs DATABASE_URL; without it what was prepared before is taken as it stands.
    """
    described = describe(home)
    if described.get("server") == OPERATORS and not os.environ.get("DATABASE_URL"):
        return described
    dsn, where = administrator(home)
    with psycopg.connect(dsn, autocommit=True) as connection:
        # only a server that answers is written down, and before its roles get the passwords
        described |= where
        keep(home, described)
        # two processes that prepare at once would alter the same role rows: PostgreSQL refuses the second
        connection.execute("SELECT pg_advisory_lock(%s)", [PREPARE_LOCK])
        make_roles(connection, described["passwords"])
        make_database(connection, name or described["name"])
    return described


def make_roles(connection: psycopg.Connection[Any], passwords: dict[str, str]) -> None:
    """Make the login and group roles and say which login may assume which role."""
    known = {
        row[0] for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'weituo%'")
    }
    for role in GROUP_ROLES:
        if role not in known:
            connection.execute(
                sql.SQL("CREATE ROLE {} NOLOGIN NOSUPERUSER NOBYPASSRLS").format(sql.Identifier(role))
            )
    for role in LOGIN_ROLES:
        verb = "ALTER" if role in known else "CREATE"
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS PASSWORD {}").format(
                sql.SQL(verb), sql.Identifier(role), sql.Literal(passwords[role])
            )
        )
    for login, roles in MAY_ASSUME.items():
        for role in roles:
            connection.execute(
                sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(
                    sql.Identifier(role), sql.Identifier(login)
                )
            )


def make_database(connection: psycopg.Connection[Any], name: str, *, template: str = "template0") -> None:
    """Make the database, owned by the migration role, where it does not stand yet."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER weituo_owner TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        )
    )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    connection.execute(
        sql.SQL(
            "GRANT CONNECT ON DATABASE {0} TO weituo_app, weituo_app_agency, weituo_app_borrower; GRANT TEMPORARY ON DATABASE {0} TO weituo_lender, weituo_worker"
        ).format(sql.Identifier(name))
    )


def migrate() -> None:
    """Bring the schema up to date as the owner and grant the sign-in tables to the application's login."""
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", database="owner", verbosity=0, interactive=False)
    with connections["owner"].cursor() as cursor:
        cursor.execute(_GRANT_SIGN_IN_TABLES)
    connections["owner"].close()


#: rights on tables that have no tenants, by name: a new one is closed until it stands here
_GRANT_SIGN_IN_TABLES = """
DO $$ DECLARE t text; BEGIN
  FOR t IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'public' AND c.relkind = 'r'
           AND (NOT c.relrowsecurity OR c.relname IN ('identity_user', 'identity_api_key', 'mfa_authenticator')) LOOP
    EXECUTE format('REVOKE ALL ON public.%I FROM weituo_app, weituo_lender, weituo_worker, weituo_auditor', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON django_session, account_emailaddress, account_emailconfirmation, mfa_authenticator TO weituo_app;
GRANT SELECT, UPDATE ON identity_user TO weituo_app;
GRANT SELECT ON identity_api_key, identity_user_groups, identity_user_user_permissions, auth_group, auth_group_permissions, auth_permission,
  django_content_type, django_migrations TO weituo_app;
GRANT SELECT, INSERT, UPDATE ON identity_user, identity_api_key TO weituo_lender, weituo_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON mfa_authenticator TO weituo_lender, weituo_worker;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO weituo_app, weituo_lender, weituo_worker;
"""
