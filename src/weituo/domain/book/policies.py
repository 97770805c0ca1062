"""Who may do and see what in this room: permission → roles."""

from __future__ import annotations

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role

roles.declare(
    {
        "book.read": roles.LENDER_READERS,
        "book.import": frozenset({Role.VENDOR_MANAGER, Role.ANALYST, Role.ADMIN}),
        "book.hold": frozenset({Role.CARE, Role.COMPLIANCE, Role.VENDOR_MANAGER}),
    }
)
