"""Who may do and see what in this room: permission → roles."""

from __future__ import annotations

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role

_AGENCY = frozenset({Role.INTEGRATOR, Role.AGENCY_SUPERVISOR, Role.COLLECTOR})

roles.declare(
    {
        "contact.read": roles.LENDER_READERS,
        "contact.ask_permit": _AGENCY,
        "contact.log_attempt": _AGENCY,
        "contact.read_own": _AGENCY,
        "contact.close_violation": frozenset({Role.COMPLIANCE, Role.ADMIN}),
    }
)
