"""Events: facts that a room records in the past tense. `domain/reactions.py` alone says who acts on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from weituo.foundation import transactions
from weituo.foundation.errors import ProgrammerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; subclasses are frozen and named in the past tense."""


E = TypeVar("E", bound=Event)

_same_transaction: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)
_known: dict[type[Event], str] = {}


def react(
    event: type[E],
    *,
    same_transaction: tuple[Callable[[E], None], ...] = (),
    because: str,
) -> None:
    """Say who acts on `event`, inside its transaction; effects that leave the process wait for its commit by themselves."""
    if event in _known:
        raise ProgrammerError(f"{event.__name__} has its reactions in two places")
    _known[event] = because
    _same_transaction[event].extend(same_transaction)


def known() -> dict[type[Event], str]:
    """Give every event that has an entry in the table of reactions, with the reason for it."""
    return dict(_known)


@transactions.transaction_required
def publish(event: Event) -> None:
    """Run the reactions, now and in this transaction."""
    kind = type(event)
    if kind not in _known:
        raise ProgrammerError(f"{kind.__name__} is missing from domain/reactions.py")
    for handler in _same_transaction[kind]:
        handler(event)
