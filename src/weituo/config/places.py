"""What a process is told from outside: WEITUO_HOME, connection details, keys. Read once at start."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weituo.foundation.vault.keyring import FileKeyring

PROJECT = Path(__file__).resolve().parents[3]
LOGINS = {
    "default": "weituo_app",
    "agency": "weituo_app_agency",
    "borrower": "weituo_app_borrower",
    "owner": "weituo_owner",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Paths and secrets of this installation."""

    home: Path
    keyring: Path
    tenancy_key: bytes
    django_key: str
    database: dict[str, Any]


def read() -> Places:
    """Read the environment and WEITUO_HOME; a missing database.json leaves placeholders so that checks run without a server."""
    home = Path(os.environ.get("WEITUO_HOME", PROJECT / "var")).resolve()
    keyring = Path(os.environ.get("WEITUO_KEYRING", home / "keys" / "keyring.json"))
    keys = FileKeyring.ensure(keyring)
    described = home / "database.json"
    database = (
        json.loads(described.read_text(encoding="utf-8"))
        if described.exists()
        else {"host": "127.0.0.1", "port": 1, "name": "weituo", "passwords": {}}
    )
    return Places(
        home=home,
        keyring=keyring,
        tenancy_key=keys.secret("tenancy"),
        django_key=keys.secret("django").hex(),
        database=database,
    )


def django_databases(database: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give Django's DATABASES: one alias a login role, all on the same database."""
    name = os.environ.get("WEITUO_DATABASE", database["name"])
    return {
        alias: {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": database["host"],
            "PORT": database["port"],
            "NAME": name,
            "USER": login,
            "PASSWORD": database["passwords"].get(login, ""),
            "CONN_MAX_AGE": 300,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"application_name": f"weituo-{alias}", "server_side_binding": False},
            "TEST": {"MIRROR": "owner"} if alias != "owner" else {},
            "DISABLE_SERVER_SIDE_CURSORS": False,
        }
        for alias, login in LOGINS.items()
    }
