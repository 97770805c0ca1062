"""Users, keys and actors."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from weituo.foundation.errors import NotAllowed, NotFound
from weituo.foundation.identity.models import ApiKey, User
from weituo.foundation.identity.roles import KIND_OF, Role, permissions_of
from weituo.foundation.tenancy.actors import Actor, Kind
from weituo.foundation.texts import worded


class KeyRefused(NotAllowed):
    """The API key is unknown, not yet active or no longer active."""

    code = "key_refused"
    status = 401
    remedy = "Send “Authorization: Bearer <key>” with a live key; the lender's administrator issues keys."


def actor_for(user: User) -> Actor:
    """Give the actor of a signed-in person."""
    role = Role(user.role)
    return Actor(
        kind=KIND_OF.get(role, Kind.LENDER),
        id=str(user.id),
        name=user.display_name,
        role=role.value,
        permissions=permissions_of(role),
        agency_id=user.agency_id,
    )


def actor_by_username(username: str) -> Actor:
    """Give the actor of an active user (command line `--as`). Raises `NotFound`."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise NotFound(what=worded("active user"), where=username)
    return actor_for(user)


def actor_by_id(user_id: str) -> Actor:
    """Give the actor of an active user by id, with what they may do now. Raises `NotFound`."""
    user = User.objects.filter(id=user_id, is_active=True).first()
    if user is None:
        raise NotFound(what=worded("active user"), where=user_id)
    return actor_for(user)


def borrower_actor(*, borrower_id: UUID) -> Actor:
    """Give the actor of a borrower who has proved who they are."""
    return Actor(
        kind=Kind.BORROWER,
        id=f"borrower:{borrower_id}",
        name="borrower",
        role=Role.BORROWER.value,
        permissions=permissions_of(Role.BORROWER),
        borrower_id=borrower_id,
    )


def issue_key(*, agency_id: UUID, name: str, active_from: datetime, active_to: datetime | None = None) -> str:
    """Make an API key for an agency's system and return it; it is shown this once."""
    secret = "wt_" + secrets.token_urlsafe(32)
    ApiKey.objects.create(
        name=name,
        agency_id=agency_id,
        prefix=secret[:11],
        digest=hashlib.sha256(secret.encode()).digest(),
        active_from=active_from,
        active_to=active_to,
    )
    return secret


def actor_for_key(secret: str, *, at: datetime) -> Actor:
    """Give the actor of an API key that is live at `at`, or raise `KeyRefused`."""
    key = ApiKey.objects.filter(digest=hashlib.sha256(secret.encode()).digest()).first()
    if key is None or key.active_from > at or (key.active_to is not None and key.active_to <= at):
        raise KeyRefused(permission="api")
    return Actor(
        kind=Kind.AGENCY,
        id=f"key:{key.id}",
        name=key.name,
        role=Role.INTEGRATOR.value,
        permissions=permissions_of(Role.INTEGRATOR),
        agency_id=key.agency_id,
    )
