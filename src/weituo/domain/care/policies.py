"""Who may do and see what in this room: permission → roles."""

from __future__ import annotations

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role

roles.declare(
    {
        "care.read": roles.LENDER_READERS,
        "care.open_case": frozenset(
            {
                Role.CARE,
                Role.COMPLIANCE,
                Role.BORROWER,
                Role.INTEGRATOR,
                Role.AGENCY_SUPERVISOR,
                Role.COLLECTOR,
            }
        ),
        "care.decide_case": frozenset({Role.CARE, Role.COMPLIANCE}),
        "care.stop_everywhere": frozenset({Role.CARE, Role.COMPLIANCE}),
        "care.set_wish": frozenset({Role.CARE, Role.BORROWER}),
        "care.issue_code": frozenset({Role.CARE, Role.VENDOR_MANAGER}),
        "care.read_own": frozenset({Role.BORROWER}),
    }
)
