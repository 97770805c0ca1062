"""The registry of facts that may ever be shared: each with the word of the agreement that allows it, and its source.

What is not in this table cannot leave: above all the lender's own account and customer numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact of a case.

    word: what the agreement's `fields_allowed` must hold; "" for the agency's own reference. vault: the vault's field,
    else sql: the expression that reads it (a: account, b: borrower, p: placement, h: history). reach: the values are ways
    to reach the borrower and come with their contact point.
    """

    name: str
    label: str | Promise
    word: str
    source: str | Promise
    sql: str = ""
    vault: str = ""
    reach: bool = False


VAULT = _("vault, opened for this purpose only")
ACCOUNT = _("account, as of the last import plus booked payments")
COUNTED = _("account, counted to the day of sharing")
BORROWER = _("borrower's record")
HISTORY = _("repayment history, the last six months")
PLACEMENT = _("placement")

FACTS: Final[tuple[Fact, ...]] = (
    Fact(name="case_ref", label=_("Case reference"), word="", source=PLACEMENT, sql="p.case_ref"),
    Fact(name="name", label=_("Name"), word="name", source=VAULT, vault="name"),
    Fact(name="phone", label=_("Phone"), word="phone", source=VAULT, vault="phone", reach=True),
    Fact(name="address", label=_("Address"), word="address", source=VAULT, vault="address", reach=True),
    Fact(name="email", label=_("E-mail"), word="email", source=VAULT, vault="email", reach=True),
    Fact(name="identity_number", label=_("Identity number"), word="identity_number", source=VAULT, vault="identity_number"),
    Fact(name="language", label=_("Language"), word="language", source=BORROWER, sql="b.language"),
    Fact(name="region", label=_("Region"), word="region", source=ACCOUNT, sql="a.region"),
    Fact(name="product", label=_("Product"), word="product", source=ACCOUNT, sql="a.product"),
    Fact(name="currency", label=_("Currency"), word="balance", source=ACCOUNT, sql="a.currency"),
    Fact(name="balance_minor", label=_("Overdue balance"), word="balance", source=ACCOUNT, sql="a.balance_minor"),
    Fact(name="principal_minor", label=_("Principal"), word="components", source=ACCOUNT, sql="a.principal_minor"),
    Fact(name="interest_minor", label=_("Interest"), word="components", source=ACCOUNT, sql="a.interest_minor"),
    Fact(name="fee_minor", label=_("Fees"), word="components", source=ACCOUNT, sql="a.fee_minor"),
    Fact(name="past_due_since", label=_("Past due since"), word="past_due_since", source=ACCOUNT, sql="a.past_due_since"),
    Fact(name="days_past_due", label=_("Days past due"), word="past_due_since", source=COUNTED, sql="a.days_past_due"),
    Fact(name="bucket", label=_("Bucket"), word="past_due_since", source=COUNTED, sql="a.bucket"),
    Fact(name="paid_months_6", label=_("Months with a payment, of the last six"), word="repayment_history", source=HISTORY, sql="coalesce(h.paid_months, 0)"),
    Fact(name="paid_minor_6", label=_("Paid in the last six months"), word="repayment_history", source=HISTORY, sql="coalesce(h.paid_minor, 0)"),
    Fact(name="worst_months_late_6", label=_("Worst months late, of the last six"), word="repayment_history", source=HISTORY, sql="h.worst_months_late"),
    Fact(name="last_paid_month", label=_("Last month with a payment"), word="repayment_history", source=HISTORY, sql="h.last_paid_month"),
)  # fmt: skip
BY_NAME: Final = {fact.name: fact for fact in FACTS}
#: every word that an agreement can use
WORDS: Final = frozenset(fact.word for fact in FACTS) - {""}


def allowed(words: Iterable[str]) -> tuple[Fact, ...]:
    """Give the facts that these words of an agreement allow, in the order of the registry; unknown words allow nothing."""
    held = set(words)
    return tuple(fact for fact in FACTS if not fact.word or fact.word in held)
