"""`weituo identity invite|renew|role|stop|restore`: what an administrator does with people, as in the console."""

from __future__ import annotations

import argparse
from typing import Any
from uuid import UUID

from weituo.cli import face as cli
from weituo.cli.words import worded


def add_people_verbs(inner: Any) -> None:
    """Add the verbs about people to `identity`."""
    invite = cli.common(inner.add_parser("invite", help="invite a person; the link is shown this once"))
    invite.add_argument("person", metavar="username")
    invite.add_argument("--name", required=True, help="name as it stands in the audit log")
    invite.add_argument("--role", required=True, help="VENDOR_MANAGER, COMPLIANCE, ANALYST, FINANCE, CARE, …")
    invite.add_argument("--agency", default="", help="code of the agency, for agencies' people")
    invite.add_argument("--language", choices=("zh-hans", "en"), default="zh-hans")
    invite.set_defaults(run=_invite)
    for name, run, what in (
        ("renew", _renew, "end a person's password and second factor; the new link is shown this once"),
        ("role", _role, "give a person another role"),
        ("stop", _stop, "stop a person's sign-in"),
        ("restore", _restore, "let a person sign in again"),
    ):
        verb = cli.common(inner.add_parser(name, help=what))
        verb.add_argument("person", metavar="username")
        if name == "role":
            verb.add_argument("role")
        verb.add_argument("--reason", required=True)
        verb.set_defaults(run=run)


def role_of(text: str, *, where: str) -> Any:
    """Read a role by its code. Raises `BadInput`."""
    from weituo.foundation.errors import BadInput
    from weituo.foundation.identity.roles import Role

    if text not in Role.__members__ or text == Role.BORROWER:
        raise BadInput(problem=worded("there is no role %(name)s", name=text), where=where)
    return Role(text)


def agency_of(arguments: argparse.Namespace) -> UUID | None:
    """Give the agency that `--agency` names by its code; None without one. Raises `NotFound`."""
    from weituo.domain.partners import queries as partners
    from weituo.foundation.errors import NotFound

    if not arguments.agency:
        return None
    for agency in partners.agencies(cli.actor_of(arguments)):
        if agency.code == arguments.agency:
            return agency.id
    raise NotFound(what=worded("agency"), where=arguments.agency)


def _invite(arguments: argparse.Namespace) -> int:
    from weituo.foundation import clock
    from weituo.foundation.identity import staffing

    invitation = staffing.invite(
        actor=cli.actor_of(arguments),
        username=arguments.person,
        name=arguments.name,
        role=role_of(arguments.role, where="--role"),
        agency_id=agency_of(arguments),
        language=arguments.language,
        at=clock.now(),
    )
    return _show_link(arguments, invitation)


def _renew(arguments: argparse.Namespace) -> int:
    from weituo.foundation import clock
    from weituo.foundation.identity import staffing

    invitation = staffing.renew_sign_in(
        actor=cli.actor_of(arguments), user_id=_user_id(arguments), reason=arguments.reason, at=clock.now()
    )
    return _show_link(arguments, invitation)


def _show_link(arguments: argparse.Namespace, invitation: Any) -> int:
    link = f"/accounts/invited/{invitation.token}/"
    cli.show(
        arguments,
        {
            "user_id": invitation.user_id,
            "username": invitation.username,
            "link": link,
            "ends_at": invitation.ends_at,
        },
        worded(
            "%(link)s\n(behind the console's address; shown this once, opens once, ends %(ends_at)s UTC)",
            link=link,
            ends_at=f"{invitation.ends_at:%Y-%m-%d %H:%M}",
        ),
    )
    return 0


def _user_id(arguments: argparse.Namespace) -> UUID:
    from weituo.foundation.errors import NotFound
    from weituo.foundation.identity import keys

    for row in keys.persons(cli.actor_of(arguments)):
        if row["username"] == arguments.person:
            return UUID(str(row["id"]))
    raise NotFound(what=worded("user"), where=arguments.person)


def _role(arguments: argparse.Namespace) -> int:
    from weituo.foundation import clock
    from weituo.foundation.identity import staffing

    role = role_of(arguments.role, where="role")
    staffing.change_role(
        actor=cli.actor_of(arguments),
        user_id=_user_id(arguments),
        role=role,
        reason=arguments.reason,
        at=clock.now(),
    )
    cli.show(
        arguments,
        {"username": arguments.person, "role": role.value},
        worded("%(person)s has the role %(value)s", person=arguments.person, value=role.value),
    )
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    from weituo.foundation import clock
    from weituo.foundation.identity import staffing

    staffing.deactivate(
        actor=cli.actor_of(arguments), user_id=_user_id(arguments), reason=arguments.reason, at=clock.now()
    )
    cli.show(
        arguments,
        {"username": arguments.person, "active": False},
        worded("%(person)s can no longer sign in", person=arguments.person),
    )
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from weituo.foundation import clock
    from weituo.foundation.identity import staffing

    staffing.reactivate(
        actor=cli.actor_of(arguments), user_id=_user_id(arguments), reason=arguments.reason, at=clock.now()
    )
    cli.show(
        arguments,
        {"username": arguments.person, "active": True},
        worded("%(person)s may sign in again", person=arguments.person),
    )
    return 0
