"""Who may do and see what in this room: permission → roles."""

from __future__ import annotations

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role

_MANAGERS = frozenset({Role.VENDOR_MANAGER})
roles.declare(
    {
        "partners.read": roles.LENDER_READERS,
        "partners.register": _MANAGERS,
        "partners.verify_paper": frozenset({Role.VENDOR_MANAGER, Role.COMPLIANCE}),
        "partners.assess": frozenset({Role.VENDOR_MANAGER, Role.COMPLIANCE, Role.ANALYST}),
        "partners.propose": _MANAGERS,
        "partners.decide": frozenset({Role.VENDOR_MANAGER, Role.COMPLIANCE}),
        "partners.agree": _MANAGERS,
        "partners.suspend": frozenset({Role.COMPLIANCE, Role.VENDOR_MANAGER}),
        "partners.set_capacity": _MANAGERS,
    }
)
