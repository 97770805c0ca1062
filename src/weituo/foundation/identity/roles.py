"""Roles and the permissions that rooms grant to them. Everything is denied until a room's policies.py declares it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from weituo.foundation.errors import ProgrammerError
from weituo.foundation.tenancy.actors import Kind


class Role(StrEnum):
    """Who a person is to the program (MISSION: users)."""

    VENDOR_MANAGER = "VENDOR_MANAGER"
    COMPLIANCE = "COMPLIANCE"
    ANALYST = "ANALYST"
    FINANCE = "FINANCE"
    CARE = "CARE"
    ADMIN = "ADMIN"
    AUDITOR = "AUDITOR"
    AGENCY_SUPERVISOR = "AGENCY_SUPERVISOR"
    COLLECTOR = "COLLECTOR"
    INTEGRATOR = "INTEGRATOR"
    BORROWER = "BORROWER"


KIND_OF = {
    Role.AUDITOR: Kind.AUDITOR,
    Role.AGENCY_SUPERVISOR: Kind.AGENCY,
    Role.COLLECTOR: Kind.AGENCY,
    Role.INTEGRATOR: Kind.AGENCY,
    Role.BORROWER: Kind.BORROWER,
}
LABELS = {
    Role.VENDOR_MANAGER: _("Vendor manager"),
    Role.COMPLIANCE: _("Compliance officer"),
    Role.ANALYST: _("Analyst"),
    Role.FINANCE: _("Finance"),
    Role.CARE: _("Customer care"),
    Role.ADMIN: _("Administrator"),
    Role.AUDITOR: _("Auditor"),
    Role.AGENCY_SUPERVISOR: _("Agency supervisor"),
    Role.COLLECTOR: _("Collector"),
    Role.INTEGRATOR: _("Agency system"),
    Role.BORROWER: _("Borrower"),
}
STAFF = frozenset({Role.VENDOR_MANAGER, Role.COMPLIANCE, Role.ANALYST, Role.FINANCE, Role.CARE, Role.ADMIN})
LENDER_READERS = STAFF | {Role.AUDITOR}

_grants: dict[str, frozenset[Role]] = {
    "audit.read": frozenset({Role.COMPLIANCE, Role.AUDITOR, Role.ADMIN}),
    "audit.verify": frozenset({Role.COMPLIANCE, Role.AUDITOR, Role.ADMIN}),
    "vault.read": frozenset({Role.CARE, Role.COMPLIANCE}),
    "vault.find": frozenset({Role.CARE, Role.COMPLIANCE, Role.VENDOR_MANAGER}),
    "identity.read": LENDER_READERS,
    "identity.manage": frozenset({Role.ADMIN}),
    #: one's own invitation, nobody else's
    "identity.accept": LENDER_READERS | {Role.AGENCY_SUPERVISOR, Role.COLLECTOR, Role.INTEGRATOR},
}


def declare(grants: Mapping[str, frozenset[Role]]) -> None:
    """Grant permissions to roles; each permission has one home, its room's policies.py."""
    for permission, roles in grants.items():
        if _grants.get(permission, roles) != roles:
            raise ProgrammerError(f"permission {permission} is declared twice")
        _grants[permission] = frozenset(roles)


def permissions_of(role: Role) -> frozenset[str]:
    """Give what a role may do."""
    return frozenset(permission for permission, roles in _grants.items() if role in roles)


def all_grants() -> dict[str, frozenset[Role]]:
    """Give the whole table: permission → roles."""
    return dict(_grants)
