"""`weituo identity add|invite|renew|role|stop|restore|list|password|key issue|key end`: people who sign in, and keys of agencies' systems."""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli import staffing
from weituo.cli.arguments import shown, whole
from weituo.cli.words import worded

KEY_DAYS_MAX: Final = 3_650


def add_verbs(verbs: Any) -> None:
    """Add `identity`."""
    what = verbs.add_parser("identity", help="people who sign in, and keys of agencies' systems")
    inner = what.add_subparsers(dest="what", required=True)
    listing = cli.common(inner.add_parser("list", help="list people and keys"))
    listing.set_defaults(run=_list)

    add = cli.common(inner.add_parser("add", help="add a person who may sign in"))
    add.add_argument("person", metavar="username")
    add.add_argument("--name", required=True, help="name as it stands in the audit log")
    add.add_argument("--role", required=True, help="VENDOR_MANAGER, COMPLIANCE, ANALYST, FINANCE, CARE, …")
    add.add_argument("--agency", default="", help="code of the agency, for agencies' people")
    add.add_argument("--language", choices=("zh-hans", "en"), default="zh-hans")
    _password_option(add)
    add.set_defaults(run=_add)

    staffing.add_people_verbs(inner)

    password = cli.common(inner.add_parser("password", help="give a person a new password"))
    password.add_argument("person", metavar="username")
    _password_option(password)
    password.set_defaults(run=_password)

    key = inner.add_parser("key", help="keys of agencies' systems").add_subparsers(dest="key", required=True)
    issue = cli.common(key.add_parser("issue", help="issue a key; it is shown this once"))
    issue.add_argument("--agency", required=True, help="code of the agency")
    issue.add_argument("--name", required=True, help="what the key is for")
    issue.add_argument("--days", type=key_days, default=365, help="how long it lives (default 365)")
    issue.set_defaults(run=_issue)
    end = cli.common(key.add_parser("end", help="end a key at once"))
    end.add_argument("key_id", type=UUID)
    end.add_argument("--reason", required=True)
    end.set_defaults(run=_end)


def key_days(text: str) -> int:
    """Read how many days a key lives: one day to ten years."""
    days = whole(text)
    if not 1 <= days <= KEY_DAYS_MAX:
        raise argparse.ArgumentTypeError(f"{shown(text)} is no number of days from 1 to {KEY_DAYS_MAX:,}")
    return days


def _password_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--password-from",
        choices=("ask", "stdin", "generate"),
        default="ask",
        help="where the password comes from (default: ask)",
    )


def _chosen(arguments: argparse.Namespace) -> tuple[str, bool]:
    """Give the password and whether it was generated, and so must be shown."""
    if arguments.password_from == "generate":  # noqa: S105 - a choice, not a password
        return secrets.token_urlsafe(15), True
    if arguments.password_from == "stdin":  # noqa: S105 - a choice, not a password
        return sys.stdin.readline().rstrip("\n"), False
    return getpass.getpass("password: ", stream=sys.stderr), False


def _list(arguments: argparse.Namespace) -> int:
    from weituo.foundation.identity import keys

    viewer = cli.actor_of(arguments)
    people, issued = keys.persons(viewer), keys.keys(viewer)
    lines = [
        f"{row['username']:<20} {row['role']:<18} {row['display_name']}"
        + ("" if row["is_active"] else worded("  (ended)"))
        + ("" if row["second_factor"] else worded("  (no second factor yet)"))
        for row in people
    ]
    lines += [
        f"{row['prefix']}…  {row['name']}  {row['id']}"
        + (
            worded("  until %(active_to)s UTC", active_to=f"{row['active_to']:%Y-%m-%d %H:%M}")
            if row["active_to"]
            else ""
        )
        for row in issued
    ]
    cli.show(arguments, {"people": people, "keys": issued}, "\n".join(lines) or worded("nobody yet"))
    return 0


def _add(arguments: argparse.Namespace) -> int:
    from weituo.foundation import clock
    from weituo.foundation.errors import BadInput
    from weituo.foundation.identity import enrolment, keys
    from weituo.foundation.identity.roles import KIND_OF
    from weituo.foundation.tenancy.actors import Kind

    role = staffing.role_of(arguments.role, where="--role")
    if (KIND_OF.get(role) is Kind.AGENCY) != bool(arguments.agency):
        raise BadInput(
            problem=worded("roles of an agency need --agency, roles of the lender have none"),
            where="--agency",
        )
    password, generated = _chosen(arguments)
    keys.check_password(password=password)
    user_id = enrolment.add_person(
        actor=cli.actor_of(arguments),
        username=arguments.person,
        name=arguments.name,
        role=role,
        password=password,
        agency_id=staffing.agency_of(arguments),
        language=arguments.language,
        at=clock.now(),
    )
    _show_password(arguments, {"id": user_id, "username": arguments.person}, password, shown=generated)
    return 0


def _password(arguments: argparse.Namespace) -> int:
    from weituo.foundation import clock
    from weituo.foundation.identity import keys

    password, generated = _chosen(arguments)
    keys.set_password(
        actor=cli.actor_of(arguments), username=arguments.person, password=password, at=clock.now()
    )
    _show_password(arguments, {"username": arguments.person}, password, shown=generated)
    return 0


def _show_password(
    arguments: argparse.Namespace, result: dict[str, Any], password: str, *, shown: bool
) -> None:
    secret = {"password": password} if shown else {}
    text = worded("%(person)s may sign in", person=arguments.person) + (
        worded(" with the password %(password)s (shown this once)", password=password) if shown else ""
    )
    cli.show(arguments, result | secret, text)


def _issue(arguments: argparse.Namespace) -> int:
    from weituo.foundation import clock
    from weituo.foundation.identity import keys

    agency_id, at = staffing.agency_of(arguments), clock.now()
    assert agency_id is not None  # --agency is required
    issued = keys.issue_key(
        actor=cli.actor_of(arguments),
        agency_id=agency_id,
        name=arguments.name,
        at=at,
        active_to=at + timedelta(days=arguments.days),
    )
    cli.show(
        arguments,
        {"key_id": issued.key_id, "secret": issued.secret},
        worded("%(secret)s\n(shown this once; key %(key_id)s)", secret=issued.secret, key_id=issued.key_id),
    )
    return 0


def _end(arguments: argparse.Namespace) -> int:
    from weituo.foundation import clock
    from weituo.foundation.identity import keys

    keys.end_key(
        actor=cli.actor_of(arguments), key_id=arguments.key_id, reason=arguments.reason, at=clock.now()
    )
    cli.show(
        arguments,
        {"key_id": arguments.key_id, "ended": True},
        worded("key %(key_id)s has ended", key_id=arguments.key_id),
    )
    return 0
