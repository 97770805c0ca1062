"""Which connection a table is reached by: sign-in tables by the application's login, all others by the open unit's."""

from __future__ import annotations

from typing import Any

from weituo.foundation.tenancy import scope

#: tables without tenants (sign-in, sessions); agency and borrower logins hold no grant on them
PUBLIC_APPS = frozenset(
    {
        "auth",
        "contenttypes",
        "sessions",
        "account",
        "mfa",
        "identity",
        "sites",
        "socialaccount",
        "usersessions",
    }
)


class TenancyRouter:
    """Send each model to the alias of the open unit; let migrations run on the owner's connection only."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "default" if model._meta.app_label in PUBLIC_APPS else scope.alias()

    db_for_write = db_for_read

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return None
