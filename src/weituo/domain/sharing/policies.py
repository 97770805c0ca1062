"""Who may do and see what in this room: permission → roles."""

from __future__ import annotations

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role

_AGENCY = frozenset({Role.INTEGRATOR, Role.AGENCY_SUPERVISOR})
roles.declare(
    {
        "sharing.read": roles.LENDER_READERS,
        "sharing.register_recipient": frozenset({Role.VENDOR_MANAGER, Role.COMPLIANCE}),
        "sharing.build": frozenset({Role.VENDOR_MANAGER}),
        "sharing.revoke": frozenset({Role.VENDOR_MANAGER, Role.COMPLIANCE}),
        "sharing.acknowledge": _AGENCY,
        "sharing.confirm_destruction": _AGENCY,
        "sharing.read_own": _AGENCY | {Role.COLLECTOR},
        "sharing.collect": _AGENCY,
        "sharing.open_case": _AGENCY | {Role.COLLECTOR},
    }
)
