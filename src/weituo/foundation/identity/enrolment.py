"""Letting people in: a user with a role, and the second factor that everybody who signs in must have."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp

from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput, Conflict, NotFound
from weituo.foundation.identity.models import User
from weituo.foundation.identity.roles import Role
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

USERNAME: Final = re.compile(r"[\w.@+-]{1,60}")
NAME_MAX: Final = 120


class UserExists(Conflict):
    """There is a user %(username)s already."""

    code = "user_exists"


@act("identity.add_person", permission="identity.manage")
def add_person(
    *,
    actor: Actor,
    username: str,
    name: str,
    role: Role,
    password: str,
    at: datetime,
    agency_id: UUID | None = None,
    language: str = "zh-hans",
) -> UUID:
    """Add a person who may sign in; agencies' roles need their agency. Raises `UserExists`, `BadInput`."""
    if not USERNAME.fullmatch(username):
        raise BadInput(
            problem=worded("a user name has 1 to 60 letters, digits or . _ - @ +"), where="username"
        )
    if not 1 <= len(name.strip()) <= NAME_MAX:
        raise BadInput(problem=worded("a name has 1 to %(most)s letters", most=NAME_MAX), where="name")
    if User.objects.filter(username=username).exists():
        raise UserExists(username=username, where="username")
    user = User.objects.create_user(
        username=username,
        password=password,
        role=role.value,
        display_name=name,
        agency_id=agency_id,
        language=language,
        date_joined=at,
    )
    note(what="user", ref=user.id, role=role.value, agency=agency_id)
    return user.id


@act("identity.enrol_totp", permission="identity.manage")
def enrol_totp(*, actor: Actor, username: str, at: datetime) -> str:
    """Give a person a new TOTP secret (RFC 6238, base 32) in place of the old one; it is returned this once.

    Raises `NotFound`.
    """
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise NotFound(what=worded("user"), where=username)
    Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    note(what="user", ref=user.id, second_factor="TOTP")
    return secret


def present_code(secret: str) -> str:
    """Give the six figures that an authenticator app shows for `secret` now."""
    counters = list(totp.yield_hotp_counters_from_time())
    return totp.format_hotp_value(totp.hotp_value(secret, counters[len(counters) // 2]))
