"""Keys of agencies' systems and passwords of people: made, listed and ended by an administrator, each as an act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError

from weituo.foundation import transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput, NotFound
from weituo.foundation.identity import people
from weituo.foundation.identity.errors import KeyEnded, WeakPassword
from weituo.foundation.identity.models import ApiKey, ListedKey, Person, User
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

NAME_MAX: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key; the secret is shown this once and never stored."""

    key_id: UUID
    secret: str


@act("identity.issue_key", permission="identity.manage")
def issue_key(
    *, actor: Actor, agency_id: UUID, name: str, at: datetime, active_to: datetime | None = None
) -> IssuedKey:
    """Issue an API key to an agency's system. Raises `BadInput` when the name is missing or the key would end before it begins."""
    if not name.strip():
        raise BadInput(problem=worded("a key needs a name"), where="name")
    if len(name.strip()) > NAME_MAX:
        raise BadInput(problem=worded("a name has 1 to %(most)s letters", most=NAME_MAX), where="name")
    if active_to is not None and active_to <= at:
        raise BadInput(problem=worded("the key would end before it begins"), where="active_to")
    secret = people.issue_key(agency_id=agency_id, name=name.strip(), active_from=at, active_to=active_to)
    key = ApiKey.objects.filter(agency_id=agency_id, prefix=secret[:11]).latest("active_from")
    note(what="api_key", ref=key.id, agency=agency_id, prefix=key.prefix, active_to=active_to)
    return IssuedKey(key_id=key.id, secret=secret)


@act("identity.end_key", permission="identity.manage")
def end_key(*, actor: Actor, key_id: UUID, reason: str, at: datetime) -> None:
    """End an API key at once. Raises `NotFound`, `KeyEnded`, `BadInput` without a reason."""
    if not reason.strip():
        raise BadInput(problem=worded("say why the key ends"), where="reason")
    key = ApiKey.objects.select_for_update().filter(id=key_id).first()
    if key is None:
        raise NotFound(what=worded("API key"), where="key_id")
    if key.active_to is not None and key.active_to <= at:
        raise KeyEnded(where=key.prefix)
    key.active_to = at
    key.save(update_fields=["active_to"])
    note(what="api_key", ref=key.id, reason=reason.strip(), agency=key.agency_id, prefix=key.prefix)


@act("identity.set_password", permission="identity.manage")
def set_password(*, actor: Actor, username: str, password: str, at: datetime) -> None:
    """Give a person a new password. Raises `NotFound`, `WeakPassword`."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise NotFound(what=worded("user"), where=username)
    check_password(password=password, user=user)
    user.set_password(password)
    user.save(update_fields=["password"])
    note(what="user", ref=user.id, changed="password")


def check_password(*, password: str, user: User | None = None) -> None:
    """Raise `WeakPassword` when the password does not hold."""
    try:
        password_validation.validate_password(password, user)
    except ValidationError as weak:
        raise WeakPassword(problem=" ".join(weak.messages), where="password") from weak


@transactions.reads
def keys(viewer: Actor, *, agency_id: UUID | None = None) -> list[dict[str, Any]]:
    """List API keys, newest first, without their secrets."""
    viewer.require("identity.read")
    found = ListedKey.objects.order_by("-active_from", "id")
    if agency_id is not None:
        found = found.filter(agency_id=agency_id)
    return [dict(row) for row in found.values()]


@transactions.reads
def persons(viewer: Actor) -> list[dict[str, Any]]:
    """List who may sign in, with role, agency, last sign-in and whether a second factor stands."""
    viewer.require("identity.read")
    return [dict(row) for row in Person.objects.order_by("agency_id", "role", "username").values()]
