"""Words for the codes of placement."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy

RUN_STATES = {
    "SOLVED": (gettext_lazy("solved"), "wait"),
    "PROPOSED": (gettext_lazy("waits for a second person"), "act"),
    "APPROVED": (gettext_lazy("approved, placed"), "good"),
    "REJECTED": (gettext_lazy("rejected"), "bad"),
}
PLACEMENT_STATES = {
    "ACTIVE": (gettext_lazy("active"), "good"),
    "RECALLED": (gettext_lazy("recalled"), "none"),
    "EXPIRED": (gettext_lazy("expired"), "none"),
    "CLOSED": (gettext_lazy("closed"), "none"),
}
#: what came of a contact
RESULTS = {
    "NOT_CONNECTED": gettext_lazy("not connected"),
    "UNANSWERED": gettext_lazy("not answered"),
    "BUSY": gettext_lazy("busy"),
    "VOICEMAIL": gettext_lazy("voicemail"),
    "SENT": gettext_lazy("sent"),
    "WRONG_PARTY": gettext_lazy("wrong person"),
    "THIRD_PARTY": gettext_lazy("third person"),
    "RIGHT_PARTY": gettext_lazy("borrower reached"),
    "PROMISE": gettext_lazy("promise to pay"),
    "REFUSED": gettext_lazy("borrower refused"),
    "DISPUTE": gettext_lazy("borrower disputes"),
    "HARDSHIP": gettext_lazy("hardship told"),
    "CEASE_WISH": gettext_lazy("asked to stop contact"),
}
PROMISE_STATES = {
    "OPEN": (gettext_lazy("open"), "wait"),
    "KEPT": (gettext_lazy("kept"), "good"),
    "BROKEN": (gettext_lazy("broken"), "bad"),
    "CANCELLED": (gettext_lazy("cancelled"), "none"),
}
#: why accounts were taken back
RECALLS = {
    "RETURNED_BY_AGENCY": gettext_lazy("returned by the agency"),
    "NO_PROGRESS": gettext_lazy("no progress"),
    "COMPLAINT": gettext_lazy("complaint"),
    "DISPUTE": gettext_lazy("dispute"),
    "HARDSHIP": gettext_lazy("hardship"),
    "CONDUCT": gettext_lazy("conduct of the agency"),
    "PAID_DIRECT": gettext_lazy("paid to the lender directly"),
    "LEGAL_ACTION": gettext_lazy("legal action"),
    "AGENCY_SUSPENDED": gettext_lazy("agency suspended"),
    "STRATEGY_CHANGED": gettext_lazy("strategy changed"),
    "PLACED_IN_ERROR": gettext_lazy("placed in error"),
    "BORROWER_DECEASED": gettext_lazy("borrower deceased"),
    "EXPIRED": gettext_lazy("end of term"),
}

#: why packages were taken back, besides the reasons for which accounts are
REVOCATIONS = RECALLS | {
    "AGREEMENT_ENDED": gettext_lazy("the agreement ended"),
    "REPLACED": gettext_lazy("replaced by a new package"),
}


def labelled(table: dict[str, tuple[Any, str]], code: str) -> dict[str, Any]:
    """Give a code's label and tone."""
    label, tone = table.get(code, (code, "none"))
    return {"label": label, "tone": tone}
