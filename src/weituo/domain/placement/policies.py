"""Who may do and see what in this room: permission → roles."""

from __future__ import annotations

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role

_PLANNERS = frozenset({Role.VENDOR_MANAGER, Role.ANALYST})
_DECIDERS = frozenset({Role.VENDOR_MANAGER, Role.COMPLIANCE})
roles.declare(
    {
        "placement.read": roles.LENDER_READERS,
        "placement.train": _PLANNERS,
        "placement.solve": _PLANNERS,
        "placement.propose": _PLANNERS,
        "placement.decide": _DECIDERS,
        "placement.recall": _DECIDERS,
        "placement.refill": _PLANNERS | _DECIDERS,
        "placement.retain": _DECIDERS,
        "placement.set_terms": _DECIDERS,
        #: an agency's own offers and notices
        "placement.read_own": frozenset({Role.AGENCY_SUPERVISOR, Role.INTEGRATOR}),
        "placement.answer": frozenset({Role.AGENCY_SUPERVISOR, Role.INTEGRATOR}),
    }
)
