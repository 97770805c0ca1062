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
#: … and so when it is the embedded one under WEITUO_HOME
OWN = "own"
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
        # the database itself may not stand yet: whoever makes it connects to the one that every server has
        return urlsplit(url)._replace(path="/postgres").geturl(), _named(url)
    from weituo.foundation.engine import postgres

    server = postgres.ensure_running(
        home,
        options=postgres.SMALL if os.environ.get("WEITUO_DEMO", "") == "1" else None,
        fast=os.environ.get("WEITUO_PG_FAST", "") == "1",
    )
    where = {"host": server.host, "port": server.port, "name": "weituo", "server": OWN}
    return server.dsn("postgres"), where


class OtherServer(Exception):
    """The installation stands on one server, and DATABASE_URL names another."""

    def __init__(self, *, stands: str, named: str) -> None:
        super().__init__(f"the installation stands on {stands}, and DATABASE_URL names {named}")


def prepare(
    home: Path, *, name: str | None = None, whole: bool = False, moves: bool = False
) -> dict[str, Any]:
    """Start the server, make roles and the database where missing, and keep the connection details.

    Where our logins work already nothing is altered, so that an operator's server is asked for its superuser only when
    there is something to make; `whole` makes everything sure anyway. `moves` lets DATABASE_URL take the installation to
    another server; else that raises `OtherServer`. Without DATABASE_URL what was prepared on an operator's server is
    taken as it stands.
    """
    described = describe(home)
    url = os.environ.get("DATABASE_URL", "")
    if described.get("server") == OPERATORS and not url:
        return described
    if url and not moves:
        _refuse_another(described, url)
    if url and not (whole or name) and _logins_work(described):
        return described
    dsn, where = administrator(home)
    same = {key: described[key] for key in where if key in described} == where
    if same and not (whole or name) and _logins_work(described):
        return described
    with psycopg.connect(dsn, autocommit=True) as connection:
        # only a server that answers is written down, and before its roles get the passwords
        described |= where
        keep(home, described)
        # two processes that prepare at once would alter the same role rows: PostgreSQL refuses the second
        connection.execute("SELECT pg_advisory_lock(%s)", [PREPARE_LOCK])
        make_roles(connection, described["passwords"])
        make_database(connection, name or described["name"])
    return described


def _named(url: str) -> dict[str, Any]:
    """Give what DATABASE_URL says of the server."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname or "127.0.0.1",
        "port": parts.port or 5432,
        "name": parts.path.lstrip("/") or "weituo",
        "server": OPERATORS,
    }


def _refuse_another(described: dict[str, Any], url: str) -> None:
    """Refuse a server that is not the one on which a prepared home stands: its own book would be out of sight."""
    if not described["port"]:
        return
    named = _named(url)
    if described.get("server", OWN) != OPERATORS:
        raise OtherServer(stands="its own server", named=_place(named))
    if any(described[key] != named[key] for key in ("host", "port", "name")):
        raise OtherServer(stands=_place(described), named=_place(named))


def _place(where: dict[str, Any]) -> str:
    return f"{where['name']} on {where['host']}:{where['port']}"


def _logins_work(described: dict[str, Any]) -> bool:
    """Tell whether every login of ours can sign in to the database with the password that is kept."""
    try:
        for role in LOGIN_ROLES:
            psycopg.connect(
                host=described["host"],
                port=described["port"],
                dbname=described["name"],
                user=role,
                password=described["passwords"][role],
                connect_timeout=5,
            ).close()
    except (psycopg.OperationalError, KeyError):
        return False
    return True


def is_new() -> bool:
    """Tell whether the tables of the database that the settings name were never made to the end; waits for whoever makes them.

    The grants come last: without them the first `migrate` was not finished.
    """
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [PREPARE_LOCK])
        cursor.execute(
            "SELECT to_regclass('public.django_session') IS NULL OR NOT has_table_privilege('weituo_app', to_regclass('public.django_session')::oid, 'SELECT')"
        )
        [new] = cursor.fetchone()
    connections["owner"].close()
    return bool(new)


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

    settings = connections["owner"].settings_dict
    with psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], dbname=settings["NAME"], user=settings["USER"], password=settings["PASSWORD"],
        autocommit=True,
    ) as gate:  # fmt: skip
        # two processes that begin on an empty database would make the same tables: the second waits and finds them
        gate.execute("SELECT pg_advisory_lock(%s)", [PREPARE_LOCK])
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
