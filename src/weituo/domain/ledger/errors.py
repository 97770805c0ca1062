"""Refusals of the ledger."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict, NotFound


class KeyReused(Conflict):
    """The key %(key)s was used before with other content; nothing was booked."""

    code = "ledger_key_reused"
    remedy = "Send the first content again, or use a new key."


class RemittanceRefused(BadInput):
    """The remittance is not usable: %(problem)s."""

    code = "remittance_refused"
    remedy = "Correct the line named in “where” and send the whole remittance again under a new reference."


class NotYourPlacement(NotFound):
    """There is no placement %(what)s of yours."""

    code = "placement_not_found"


class NothingToSettle(Conflict):
    """No commission was earned in this period that is not settled already."""

    code = "nothing_to_settle"
    remedy = "Choose a later period."


class StatementNotReady(Conflict):
    """The statement is %(state)s; this step needs it to be %(needed)s."""

    code = "statement_not_ready"


class SecondPersonNeeded(Conflict):
    """Whoever drew up a statement cannot approve it."""

    code = "second_person_needed"
    rule = "four-eyes principle"
    remedy = "Ask a colleague with the permission “ledger.approve_statement”."


class CurrencyDiffers(BadInput):
    """The payment is in %(currency)s; the account is kept in %(expected)s."""

    code = "currency_differs"
