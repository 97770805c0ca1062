"""Transactions with exact words. `atomic` is used here and nowhere else.

* `transaction(actor)`   the outermost, durable unit; nested use raises
* `transaction_required` the caller must have opened one
* `savepoint()`          undo a part
* `reading(viewer)`      a read-only snapshot under the viewer's own database role
* `run_after_commit`     effects that leave the database
* `rows`                 what a query finds in the open unit, as dicts

Every unit runs as the database role of the actor's kind, under a signed tenant context, both local to it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, TypeVar

from django.db import connections
from django.db import transaction as _django

from weituo.foundation.errors import ProgrammerError
from weituo.foundation.tenancy import scope as _scope
from weituo.foundation.tenancy.actors import Actor

P = ParamSpec("P")
R = TypeVar("R")
#: PostgreSQL's type number of jsonb
_JSONB: Final = 3802


@contextmanager
def transaction(actor: Actor) -> Iterator[None]:
    """Open the outermost, durable unit as `actor`; commit on success, undo everything on any exception."""
    if _scope.current() is not None:
        raise ProgrammerError(
            "transaction() inside a transaction: the inner function must be @transaction_required"
        )
    with _scope.entered(actor) as alias, _django.atomic(using=alias, durable=True):
        _scope.assume(alias, actor, read_only=False)
        yield


@contextmanager
def reading(viewer: Actor) -> Iterator[None]:
    """Open a read-only snapshot as `viewer`, or join the unit that is already open for the same actor."""
    present = _scope.current()
    if present is not None:
        if present.actor.scope_key != viewer.scope_key:
            raise ProgrammerError("a query for one viewer inside a transaction of another")
        yield
        return
    with _scope.entered(viewer, read_only=True) as alias, _django.atomic(using=alias):
        _scope.assume(alias, viewer, read_only=True)
        yield


def transaction_required(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse to run outside a writing transaction: the caller decides what belongs together."""

    @functools.wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        present = _scope.current()
        if present is None or present.read_only:
            raise ProgrammerError(f"{function.__qualname__} must run inside a transaction")
        return function(*args, **kwargs)

    return inner


def reads(function: Callable[P, R]) -> Callable[P, R]:
    """Run a query function (viewer first) under its viewer's own role."""

    @functools.wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        viewer = args[0] if args else kwargs["viewer"]
        if not isinstance(viewer, Actor):
            raise ProgrammerError(f"{function.__qualname__} takes the viewer first")
        with reading(viewer):
            return function(*args, **kwargs)

    return inner


@contextmanager
def savepoint() -> Iterator[None]:
    """Undo only the part inside when it raises."""
    present = _scope.current()
    if present is None:
        raise ProgrammerError("savepoint() outside a transaction")
    with _django.atomic(using=present.alias):
        yield


def run_after_commit(effect: Callable[[], None]) -> None:
    """Run `effect` once the present unit has committed; never when it is undone."""
    present = _scope.current()
    if present is None:
        raise ProgrammerError("run_after_commit() outside a transaction")
    _django.on_commit(effect, using=present.alias)


def connection() -> Any:
    """Give the Django connection of the present unit, for SQL and COPY (psycopg's cursors, which Django's types hide)."""
    present = _scope.current()
    if present is None:
        raise ProgrammerError("connection() outside a transaction")
    return connections[present.alias]


def rows(sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
    """Run a query in the present unit and give its rows as {column: value}; JSON columns come as what they hold."""
    with connection().cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description]
        documents = [column.name for column in cursor.description if column.type_code == _JSONB]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    # the driver leaves jsonb to its reader
    for name in documents:
        for row in found:
            row[name] = json.loads(row[name]) if isinstance(row[name], str) else row[name]
    return found
