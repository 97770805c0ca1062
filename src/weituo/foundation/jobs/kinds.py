"""Kinds of jobs: what a worker can do, declared by the rooms in their `jobs.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from weituo.foundation.errors import ProgrammerError
from weituo.foundation.tenancy.actors import Actor

#: does the work as `actor` at an instant with the job's arguments, and gives the reference of what was made
Work = Callable[[Actor, datetime, Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of job: its name, its permission, the act that it does once, and how."""

    name: str
    permission: str
    #: the act's name and the object that it notes: an audit entry of both under the job's id says that the work was done
    act: str
    what: str
    work: Work
    #: removes what the job alone needed, once it has ended
    tidy: Callable[[Mapping[str, Any]], None] | None = None


_known: dict[str, Kind] = {}
#: room → its module of jobs, loaded when a kind of it is first needed: the work pulls in what only workers use
_modules: dict[str, str] = {}


def declare(kind: Kind) -> None:
    """Make a kind known under its name."""
    if kind.name in _known:
        raise ProgrammerError(f"two kinds of jobs are called {kind.name}")
    _known[kind.name] = kind


def declared_in(room: str, *, module: str) -> None:
    """Say which module declares the kinds whose names begin with “room.”, if there is such a module."""
    if find_spec(module) is not None:
        _modules[room] = module


def find(name: str) -> Kind | None:
    """Give a kind by its name, loading its room's jobs when they are first asked for; None for an unknown one."""
    room = name.partition(".")[0]
    if name not in _known and room in _modules:
        import_module(_modules[room])
    return _known.get(name)


def kind_of(name: str) -> Kind:
    """Give a kind by its name."""
    found = find(name)
    if found is None:
        raise ProgrammerError(f"no kind of job is called {name}")
    return found


def known() -> dict[str, Kind]:
    """Give every kind by name."""
    for module in _modules.values():
        import_module(module)
    return dict(_known)
