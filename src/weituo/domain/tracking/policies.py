"""Who may do and see what in this room: permission → roles."""

from __future__ import annotations

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role

roles.declare(
    {
        "tracking.read": roles.LENDER_READERS,
        "tracking.read_own": frozenset({Role.INTEGRATOR, Role.AGENCY_SUPERVISOR, Role.COLLECTOR}),
        "tracking.record_promise": frozenset({Role.INTEGRATOR, Role.AGENCY_SUPERVISOR, Role.COLLECTOR}),
        "tracking.decide_promises": frozenset({Role.VENDOR_MANAGER, Role.ANALYST, Role.ADMIN}),
        "tracking.hold_review": frozenset({Role.VENDOR_MANAGER, Role.ADMIN}),
        "tracking.raise_alerts": frozenset({Role.VENDOR_MANAGER, Role.ANALYST, Role.ADMIN}),
        "tracking.close_alert": frozenset({Role.VENDOR_MANAGER, Role.COMPLIANCE, Role.ADMIN}),
    }
)
