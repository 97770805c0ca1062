"""Actors: who acts or looks. One frozen value that acts, queries and the database all trust."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from weituo.foundation.errors import NotAllowed


class Kind(StrEnum):
    """Kind of user: one database role each."""

    LENDER = "lender"
    AUDITOR = "auditor"
    WORKER = "worker"
    AGENCY = "agency"
    BORROWER = "borrower"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person, an agency's system or the program itself, with what it may do."""

    kind: Kind
    #: stable id of the user, API key or job; not personal data
    id: str
    #: name as it is copied into the audit log (staff and agencies; never a borrower's)
    name: str
    #: role code (identity.roles.Role)
    role: str
    permissions: frozenset[str]
    agency_id: UUID | None = None
    borrower_id: UUID | None = None

    def may(self, permission: str) -> bool:
        """Tell whether the actor holds `permission`."""
        return permission in self.permissions or "*" in self.permissions

    def require(self, permission: str) -> None:
        """Raise `NotAllowed` unless the actor holds `permission`."""
        if not self.may(permission):
            raise NotAllowed(permission=permission)

    @property
    def scope_key(self) -> tuple[str, str, str]:
        """What decides the visible rows."""
        return (self.kind, str(self.agency_id or ""), str(self.borrower_id or ""))


def program(name: str) -> Actor:
    """Give the program's own actor for jobs and reactions (`name` says which)."""
    return Actor(
        kind=Kind.WORKER,
        id=f"program:{name}",
        name=f"Weituo · {name}",
        role="SYSTEM",
        permissions=frozenset({"*"}),
    )
