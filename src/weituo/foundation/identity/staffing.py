"""People who sign in: invited, given a role, stopped and let back by an administrator, each as an act.

An invitation is a signed address, not a row: it names the person, when it ends, and a mark of the password so far. Once
a password is set the mark no longer fits, so that an invitation opens once, and a newer one ends the older.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Count, F
from django.utils.crypto import constant_time_compare, salted_hmac

from weituo.foundation import transactions
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput, NotFound
from weituo.foundation.identity import keys
from weituo.foundation.identity.enrolment import UserExists
from weituo.foundation.identity.errors import InvitationRefused, LastAdministrator, OwnAccount, StandsAlready
from weituo.foundation.identity.models import ListedKey, Person, User
from weituo.foundation.identity.roles import KIND_OF, Role, permissions_of
from weituo.foundation.tenancy.actors import Actor, Kind
from weituo.foundation.texts import worded

#: how long an invitation opens
INVITATION_HOURS = 72
PAGE_ROWS = 50
_SALT = "weituo.identity.invitation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A person's invitation; the token is shown this once and kept nowhere."""

    user_id: UUID
    username: str
    token: str
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """Whom an invitation is for."""

    username: str
    name: str


@act("identity.invite", permission="identity.manage")
def invite(
    *, actor: Actor, username: str, name: str, role: Role, at: datetime, agency_id: UUID | None = None, language: str = "zh-hans"
) -> Invitation:  # fmt: skip
    """Add a person without a password and give the invitation by which they set one.

    Raises `BadInput` for a name that cannot be, or an agency that does not go with the role; `UserExists`.
    """
    username, name = username.strip(), name.strip()
    if not name:
        raise BadInput(problem=worded("a person needs a name"), where="name")
    try:
        User._meta.get_field("username").run_validators(username)
    except ValidationError as wrong:
        raise BadInput(
            problem=worded("a sign-in name is made of letters, figures and . - _ @ +"), where="username"
        ) from wrong
    if not username:
        raise BadInput(
            problem=worded("a sign-in name is made of letters, figures and . - _ @ +"), where="username"
        )
    if role is Role.BORROWER:
        raise BadInput(
            problem=worded("borrowers have no account: they prove themselves per visit"), where="role"
        )
    _check_side(role, agency_id)
    if User.objects.filter(username__iexact=username).exists():
        raise UserExists(username=username, where="username")
    user = User.objects.create_user(
        username=username, password=None, role=role.value, display_name=name, agency_id=agency_id, language=language, date_joined=at
    )  # fmt: skip
    note(what="user", ref=user.id, role=role.value, agency=agency_id)
    return _invitation(user, at=at)


@act("identity.renew_sign_in", permission="identity.manage")
def renew_sign_in(*, actor: Actor, user_id: UUID, reason: str, at: datetime) -> Invitation:
    """End a person's password and second factor at once and invite them anew. Raises `NotFound`, `BadInput`, `OwnAccount`."""
    user = _person(actor, user_id, reason)
    if not user.is_active:
        raise StandsAlready(where=user.username)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    Authenticator.objects.filter(user=user).delete()
    note(what="user", ref=user.id, reason=reason.strip())
    return _invitation(user, at=at)


@act("identity.accept", permission="identity.accept")
def _accept(*, actor: Actor, user_id: UUID, password: str, at: datetime) -> None:
    """Set the first password of the person who was invited."""
    user = User.objects.select_for_update().get(id=user_id)
    keys.check_password(password=password, user=user)
    user.set_password(password)
    user.save(update_fields=["password"])
    note(what="user", ref=user.id, changed="password")


def accept(*, token: str, password: str, at: datetime) -> str:
    """Set the first password by an invitation and give the sign-in name. Raises `InvitationRefused`, `WeakPassword`."""
    user = _invited(token, at=at)
    role = Role(user.role)
    actor = Actor(
        kind=Kind.WORKER,  # sign-in tables are reached by the application's own login, an agency's too
        id=str(user.id),
        name=user.display_name,
        role=role.value,
        permissions=permissions_of(role),
    )
    _accept(actor=actor, user_id=user.id, password=password, at=at)
    return user.username


def invited(token: str, *, at: datetime) -> Invited:
    """Give who is invited by a token that still opens. Raises `InvitationRefused`."""
    user = _invited(token, at=at)
    return Invited(username=user.username, name=user.display_name)


def _invited(token: str, *, at: datetime) -> User:
    try:
        said = signing.loads(token, salt=_SALT)
        user = User.objects.filter(id=UUID(said["user"]), is_active=True).first()
        ends_at = datetime.fromtimestamp(said["ends"], tz=UTC)
    except (signing.BadSignature, KeyError, TypeError, ValueError) as wrong:
        raise InvitationRefused(where="link") from wrong
    if user is None or at >= ends_at or not constant_time_compare(said["mark"], _mark(user)):
        raise InvitationRefused(where="link")
    return user


@act("identity.change_role", permission="identity.manage")
def change_role(*, actor: Actor, user_id: UUID, role: Role, reason: str, at: datetime) -> None:
    """Give a person another role on the same side, from their next page on.

    Raises `NotFound`, `OwnAccount`, `LastAdministrator`, `StandsAlready`, `BadInput` for a role of the other side.
    """
    user = _person(actor, user_id, reason)
    if role.value == user.role:
        raise StandsAlready(where="role")
    _check_side(role, user.agency_id)
    _keep_an_administrator(user)
    before, user.role = user.role, role.value
    user.save(update_fields=["role"])
    note(what="user", ref=user.id, reason=reason.strip(), before=before, after=role.value)


@act("identity.deactivate", permission="identity.manage")
def deactivate(*, actor: Actor, user_id: UUID, reason: str, at: datetime) -> None:
    """Stop a person's sign-in; pages that they have open stop answering.

    Raises `NotFound`, `OwnAccount`, `LastAdministrator`, `StandsAlready`, `BadInput` without a reason.
    """
    user = _person(actor, user_id, reason)
    if not user.is_active:
        raise StandsAlready(where=user.username)
    _keep_an_administrator(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    note(what="user", ref=user.id, reason=reason.strip())


@act("identity.reactivate", permission="identity.manage")
def reactivate(*, actor: Actor, user_id: UUID, reason: str, at: datetime) -> None:
    """Let a person sign in again as before. Raises `NotFound`, `OwnAccount`, `StandsAlready`, `BadInput`."""
    user = _person(actor, user_id, reason)
    if user.is_active:
        raise StandsAlready(where=user.username)
    user.is_active = True
    user.save(update_fields=["is_active"])
    note(what="user", ref=user.id, reason=reason.strip())


@transactions.reads
def person(viewer: Actor, *, user_id: UUID) -> dict[str, Any] | None:
    """Give one person in the shape of `persons_page`."""
    viewer.require("identity.read")
    return _people().filter(id=user_id).first()


@transactions.reads
def persons_page(viewer: Actor, *, role: str = "", active: bool | None = None, page: int = 1) -> dict[str, Any]:  # fmt: skip
    """Give one page of who may sign in, and how many may and lack a second factor; of one role, active or ended."""
    viewer.require("identity.read")
    found = _people()
    if role:
        found = found.filter(role=role)
    if active is not None:
        found = found.filter(is_active=active)
    total, page = found.count(), max(page, 1)
    everybody = _people().filter(is_active=True)
    return {
        "rows": [dict(row) for row in found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]],
        "total": total,
        "page": page,
        "pages": max(1, -(-total // PAGE_ROWS)),
        "active": everybody.count(),
        "without_factor": everybody.filter(second_factor=False).count(),
    }


@transactions.reads
def names(viewer: Actor) -> dict[str, str]:
    """Give the name behind every actor's id: people and keys of agencies' systems."""
    viewer.require("identity.read")
    known = {str(key): name for key, name in Person.objects.values_list("id", "display_name")}
    return known | {f"key:{key}": name for key, name in ListedKey.objects.values_list("id", "name")}


@transactions.reads
def held(viewer: Actor) -> dict[str, int]:
    """Count the people who may sign in, by role."""
    viewer.require("identity.read")
    found = Person.objects.filter(is_active=True).values_list("role").annotate(n=Count("id")).order_by("role")
    return dict(found)


def _people() -> Any:
    return Person.objects.order_by(
        "-is_active", F("agency_id").asc(nulls_first=True), "role", "username"
    ).values()


def _person(actor: Actor, user_id: UUID, reason: str) -> User:
    """Give the person to be changed, locked."""
    if not reason.strip():
        raise BadInput(problem=worded("say why"), where="reason")
    user = User.objects.select_for_update().filter(id=user_id).first()
    if user is None:
        raise NotFound(what=worded("user"), where="user_id")
    if actor.id == str(user.id):
        raise OwnAccount(where=user.username)
    return user


def _check_side(role: Role, agency_id: UUID | None) -> None:
    if (KIND_OF.get(role) is Kind.AGENCY) != (agency_id is not None) or role is Role.BORROWER:
        raise BadInput(
            problem=worded("roles of an agency go with an agency, roles of the lender with none"),
            where="role",
        )


def _keep_an_administrator(user: User) -> None:
    others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(id=user.id)
    if user.role == Role.ADMIN and not others.exists():
        raise LastAdministrator(username=user.username, where="role")


def _invitation(user: User, *, at: datetime) -> Invitation:
    ends_at = at + timedelta(hours=INVITATION_HOURS)
    said = {"user": str(user.id), "ends": int(ends_at.timestamp()), "mark": _mark(user)}
    return Invitation(
        user_id=user.id, username=user.username, token=signing.dumps(said, salt=_SALT), ends_at=ends_at
    )


def _mark(user: User) -> str:
    """Give what changes with the password, and so ends an invitation once it was used."""
    return salted_hmac(_SALT, user.password, algorithm="sha256").hexdigest()[:32]
