"""Actors for tests: one of each role, with the permissions that the rooms grant."""

from __future__ import annotations

from uuid import NAMESPACE_DNS, UUID, uuid5

from weituo.foundation.identity import people
from weituo.foundation.identity.roles import KIND_OF, Role, permissions_of
from weituo.foundation.tenancy.actors import Actor, Kind, program


def actor_id(name: str) -> UUID:
    """Give a fixed id for a name."""
    return uuid5(NAMESPACE_DNS, f"{name}.example")


def staff(role: Role = Role.VENDOR_MANAGER, *, name: str = "lin") -> Actor:
    """A lender's person."""
    return Actor(
        kind=KIND_OF.get(role, Kind.LENDER),
        id=str(actor_id(name)),
        name=name.title(),
        role=role.value,
        permissions=permissions_of(role),
    )


def agency_system(agency_id: UUID, *, role: Role = Role.INTEGRATOR) -> Actor:
    """An agency's system, supervisor or collector."""
    return Actor(
        kind=Kind.AGENCY,
        id=f"key:{agency_id}",
        name="agency system",
        role=role.value,
        permissions=permissions_of(role),
        agency_id=agency_id,
    )


def borrower(borrower_id: UUID) -> Actor:
    """A borrower who has proved who they are."""
    return people.borrower_actor(borrower_id=borrower_id)


def worker() -> Actor:
    """The program itself."""
    return program("tests")
