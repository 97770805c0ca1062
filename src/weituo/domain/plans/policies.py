"""Who may do and see what in this room: permission → roles."""

from __future__ import annotations

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role

roles.declare(
    {
        "plans.read": roles.LENDER_READERS,
        "plans.draft": frozenset({Role.VENDOR_MANAGER, Role.ANALYST}),
        "plans.sign_lender": frozenset({Role.VENDOR_MANAGER}),
        "plans.sign_agency": frozenset({Role.AGENCY_SUPERVISOR, Role.INTEGRATOR}),
        "plans.read_own": frozenset({Role.AGENCY_SUPERVISOR, Role.INTEGRATOR, Role.COLLECTOR}),
        "plans.edit_strategy": frozenset({Role.ANALYST, Role.VENDOR_MANAGER}),
        "plans.publish_strategy": frozenset({Role.VENDOR_MANAGER}),
    }
)
