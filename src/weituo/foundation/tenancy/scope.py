"""The present unit of work: its actor, connection and database role."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.db import connections

from weituo.foundation.errors import ProgrammerError
from weituo.foundation.tenancy.actors import Actor, Kind

#: database alias and role by kind of user
ALIASES = {
    Kind.LENDER: "default",
    Kind.AUDITOR: "default",
    Kind.WORKER: "default",
    Kind.AGENCY: "agency",
    Kind.BORROWER: "borrower",
}
ROLES = {kind: f"weituo_{kind.value}" for kind in Kind}
CONTEXT_SECONDS_MAX = 3_600


@dataclass(frozen=True, slots=True)
class Unit:
    """An open unit of work."""

    actor: Actor
    alias: str
    read_only: bool


_unit: ContextVar[Unit | None] = ContextVar("weituo_unit", default=None)


def current() -> Unit | None:
    """Give the open unit, if any."""
    return _unit.get()


def alias() -> str:
    """Give the alias that domain tables use now."""
    unit = _unit.get()
    return unit.alias if unit else "default"


@contextmanager
def entered(actor: Actor, *, read_only: bool = False) -> Iterator[str]:
    """Make `actor` the owner of the unit that is about to open; give its alias."""
    name = ALIASES[actor.kind]
    token = _unit.set(Unit(actor=actor, alias=name, read_only=read_only))
    try:
        yield name
    finally:
        _unit.reset(token)


def token_for(actor: Actor, *, backend_pid: int) -> str:
    """Sign `kind|user|agency|borrower|expiry|pid|role` with the tenancy key (HMAC-SHA-256, RFC 2104)."""
    if "|" in actor.id + actor.role:
        raise ProgrammerError("an actor's id and role must not hold “|”")
    message = "|".join(
        [
            actor.kind.value,
            actor.id,
            str(actor.agency_id or ""),
            str(actor.borrower_id or ""),
            str(int(time.time()) + CONTEXT_SECONDS_MAX),
            str(backend_pid),
            actor.role,
        ]
    )
    mac = hmac.new(settings.WEITUO_TENANCY_KEY, message.encode(), hashlib.sha256).hexdigest()
    return f"{message}|{mac}"


def assume(name: str, actor: Actor, *, read_only: bool) -> None:
    """Take the role of the actor's kind and set the signed context, both for this transaction only."""
    connection = connections[name]
    with connection.cursor() as cursor:
        pid = connection.connection.info.backend_pid
        if read_only:
            cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute(
            "SELECT set_config('role', %s, true), set_config('weituo.context', %s, true)",
            [ROLES[actor.kind], token_for(actor, backend_pid=pid)],
        )
