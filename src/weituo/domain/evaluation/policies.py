"""Who may do and see what in this room: permission → roles."""

from __future__ import annotations

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role

roles.declare(
    {
        "evaluation.read": roles.LENDER_READERS,
        "evaluation.evaluate": frozenset({Role.ANALYST, Role.VENDOR_MANAGER, Role.COMPLIANCE}),
        "evaluation.decide": frozenset({Role.VENDOR_MANAGER}),
    }
)
