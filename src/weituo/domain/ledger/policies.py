"""Who may do and see what in this room: permission → roles."""

from __future__ import annotations

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role

roles.declare(
    {
        "ledger.read": roles.LENDER_READERS,
        "ledger.open_book": frozenset({Role.FINANCE, Role.ADMIN}),
        "ledger.receive_bank_lines": frozenset({Role.FINANCE}),
        "ledger.book_payments": frozenset({Role.FINANCE}),
        "ledger.record_cost": frozenset({Role.FINANCE}),
        "ledger.draw_statement": frozenset({Role.FINANCE, Role.VENDOR_MANAGER}),
        "ledger.approve_statement": frozenset({Role.FINANCE}),
        "ledger.report_remittance": frozenset({Role.INTEGRATOR, Role.AGENCY_SUPERVISOR}),
        "ledger.agree_statement": frozenset({Role.INTEGRATOR, Role.AGENCY_SUPERVISOR}),
        "ledger.read_own": frozenset({Role.INTEGRATOR, Role.AGENCY_SUPERVISOR, Role.COLLECTOR}),
    }
)
