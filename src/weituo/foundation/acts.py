"""Acts: one business write = permission + one durable transaction + audit entry (+ events), in one place.

An act is a keyword-only function `def recall_placement(*, actor: Actor, …, at: datetime) -> …` under `@act(…)`.
It calls `note(…)` for every object it changed. The database refuses a commit that changed rows without an audit entry.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import DatabaseError

from weituo.foundation import clashes, transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import ProgrammerError
from weituo.foundation.tenancy.actors import Actor

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActDefinition:
    """A declared act: its dotted, stable name, its permission and where it lives."""

    name: str
    permission: str
    function: str


_declared: dict[str, ActDefinition] = {}


@dataclass(slots=True)
class _Pending:
    act: str
    actor: Actor
    at: datetime
    entries: list[journal.Entry] = field(default_factory=list)


_pending: ContextVar[_Pending | None] = ContextVar("weituo_act", default=None)


def act(name: str, *, permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare an act: `name` is dotted and stable (“placement.recall”), `permission` is what the actor must hold."""

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        if name in _declared:
            raise ProgrammerError(f"two acts are called {name}")
        _declared[name] = ActDefinition(
            name=name, permission=permission, function=f"{function.__module__}.{function.__qualname__}"
        )

        @functools.wraps(function)
        def inner(*args: P.args, **kwargs: P.kwargs) -> R:
            if args:
                raise ProgrammerError(f"{name} takes keywords only")
            actor, at = kwargs.get("actor"), kwargs.get("at")
            if not isinstance(actor, Actor):
                raise ProgrammerError(f"{name} needs an actor")
            if not isinstance(at, datetime) or at.tzinfo is None:
                raise ProgrammerError(f"{name} needs an aware instant `at`")
            actor.require(permission)
            try:
                with transactions.transaction(actor):
                    pending = _Pending(act=name, actor=actor, at=at)
                    token = _pending.set(pending)
                    try:
                        result = function(*args, **kwargs)
                    finally:
                        _pending.reset(token)
                    journal.write(actor=actor, at=at, act=name, entries=pending.entries)
            except DatabaseError as fault:
                if (refusal := clashes.refusal_of(fault, act=name)) is None:
                    raise
                raise refusal from fault
            return result

        inner.act_name = name  # type: ignore[attr-defined]
        return inner

    return wrap


@transactions.transaction_required
def note(*, what: str, ref: UUID | str, reason: str = "", **detail: Any) -> None:
    """Record one changed object in the present act's audit entries. Ids and figures only, never personal data."""
    pending = _pending.get()
    if pending is None:
        raise ProgrammerError("note() outside an act")
    pending.entries.append(journal.Entry(what=what, ref=str(ref), reason=reason, detail=detail))


def declared() -> dict[str, ActDefinition]:
    """Give every act by name."""
    return dict(_declared)
