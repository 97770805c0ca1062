"""Every write of the ledger, one file a business act."""

from __future__ import annotations

from weituo.domain.ledger.services.costs import record_cost
from weituo.domain.ledger.services.opening import open_book
from weituo.domain.ledger.services.payments import book_direct_payments, book_remittances
from weituo.domain.ledger.services.remittance import RemittanceLine, receive_bank_lines, report_remittance
from weituo.domain.ledger.services.reversal import reverse_payment
from weituo.domain.ledger.services.settlement import agree_statement, approve_statement, draw_statement

__all__ = [
    "RemittanceLine",
    "agree_statement",
    "approve_statement",
    "book_direct_payments",
    "book_remittances",
    "draw_statement",
    "open_book",
    "receive_bank_lines",
    "record_cost",
    "report_remittance",
    "reverse_payment",
]
