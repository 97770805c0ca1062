"""`weituo partners group | leave-group | conflict | end-conflict | relations`: owners and conflicts of agencies."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.words import worded

Verb = Callable[..., argparse.ArgumentParser]


def add_verbs(verb: Verb, *, agency_id: Callable[[argparse.Namespace], UUID]) -> None:
    """Add the verbs to `partners`."""
    group = verb(
        "group",
        "write down that an agency belongs to a group of owners",
        lambda given: _group(given, agency_id),
    )
    group.add_argument("group", help="name of the group; agencies that share it are sisters")
    group.add_argument(
        "--from", dest="active_from", type=date.fromisoformat, help="first day (default: today)"
    )
    leave = verb(
        "leave-group", "end an agency's membership of its group", lambda given: _leave(given, agency_id)
    )
    conflict = verb(
        "conflict", "enter whose accounts an agency must not get", lambda given: _conflict(given, agency_id)
    )
    conflict.add_argument("kind", help="BORROWER, REGION, PRODUCT or EMPLOYER")
    conflict.add_argument("subject", help="customer or account number, province code, product, or employer")
    conflict.add_argument(
        "--from", dest="active_from", type=date.fromisoformat, help="first day (default: today)"
    )
    conflict.add_argument("--to", dest="active_to", type=date.fromisoformat, help="first day after its term")
    end = verb("end-conflict", "end a conflict", _end, agency=False)
    end.add_argument("conflict", type=UUID)
    for made in (group, leave, conflict, end):
        made.add_argument("--reason", required=True)
    verb("relations", "an agency's group, sisters and conflicts", lambda given: _show(given, agency_id))


def _said(arguments: argparse.Namespace, text: str, **facts: Any) -> int:
    cli.show(arguments, {"agency": getattr(arguments, "agency", None), **facts}, text)
    return 0


def _group(arguments: argparse.Namespace, agency_id: Callable[[argparse.Namespace], UUID]) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    membership = services.enter_group(
        actor=cli.actor_of(arguments), agency_id=agency_id(arguments), group=arguments.group, reason=arguments.reason,
        active_from=arguments.active_from, at=clock.now(),
    )  # fmt: skip
    text = worded("%(agency)s belongs to %(group)s", agency=arguments.agency, group=arguments.group)
    return _said(arguments, text, membership=membership)


def _leave(arguments: argparse.Namespace, agency_id: Callable[[argparse.Namespace], UUID]) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    services.leave_group(
        actor=cli.actor_of(arguments), agency_id=agency_id(arguments), reason=arguments.reason, at=clock.now()
    )
    return _said(arguments, worded("%(agency)s left its group", agency=arguments.agency))


def _conflict(arguments: argparse.Namespace, agency_id: Callable[[argparse.Namespace], UUID]) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    conflict = services.enter_conflict(
        actor=cli.actor_of(arguments), agency_id=agency_id(arguments), kind=arguments.kind, subject=arguments.subject,
        reason=arguments.reason, active_from=arguments.active_from, active_to=arguments.active_to, at=clock.now(),
    )  # fmt: skip
    return _said(arguments, worded("conflict %(conflict)s is on file", conflict=conflict), conflict=conflict)


def _end(arguments: argparse.Namespace) -> int:
    from weituo.domain.partners import services
    from weituo.foundation import clock

    services.end_conflict(
        actor=cli.actor_of(arguments), conflict_id=arguments.conflict, reason=arguments.reason, at=clock.now()
    )
    return _said(
        arguments,
        worded("conflict %(conflict)s has ended", conflict=arguments.conflict),
        conflict=arguments.conflict,
    )


def _show(arguments: argparse.Namespace, agency_id: Callable[[argparse.Namespace], UUID]) -> int:
    from weituo.domain.partners import queries, relations
    from weituo.foundation import clock, days

    viewer = cli.actor_of(arguments)
    found = queries.dossier(viewer, agency_id=agency_id(arguments)) or {}
    sisters = relations.sisters(viewer, on=days.day_of(clock.now())).get(arguments.agency, ())
    lines = [worded("sisters: %(sisters)s", sisters=", ".join(sisters) or "–")]
    lines += [
        f"{row['active_from']} – {row['active_to'] or ''} {row['group']}: {row['reason']}"
        for row in found["memberships"]
    ]
    lines += [
        f"{row['id']} {row['kind']} {row['subject']} {row['active_from']} – {row['active_to'] or ''}: {row['reason']}"
        for row in found["conflicts"]
    ]
    body = {
        "agency": arguments.agency,
        "sisters": list(sisters),
        "memberships": found["memberships"],
        "conflicts": found["conflicts"],
    }
    cli.show(arguments, body, "\n".join(lines))
    return 0
