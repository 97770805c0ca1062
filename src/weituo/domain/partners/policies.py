"""Who may do and see what in this room, and what an agency must keep live."""

from __future__ import annotations

from typing import Final

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role

#: kinds of papers (`Paper.Kind`) of which an agency needs a verified, live one to be let in and at every act of its work;
#: others count in its score, and their end is shown
REQUIRED_PAPERS: Final = ("LICENCE", "SECURITY")
#: kinds of agreements (`Agreement.Kind`) that must be live at every act of its work
REQUIRED_AGREEMENTS: Final = ("CONFIDENTIALITY", "SERVICE")

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
        "partners.relate": frozenset({Role.VENDOR_MANAGER, Role.COMPLIANCE}),
    }
)
