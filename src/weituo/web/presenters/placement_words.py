"""Words for the codes of placement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

RUN_STATES = {
    "SOLVED": (gettext_lazy("solved"), "wait"),
    "PROPOSED": (gettext_lazy("waits for a second person"), "act"),
    "APPROVED": (gettext_lazy("approved, placed"), "good"),
    "REJECTED": (gettext_lazy("rejected"), "bad"),
}
PLACEMENT_STATES = {
    "OFFERED": (gettext_lazy("offered"), "wait"),
    "ACTIVE": (gettext_lazy("active"), "good"),
    "RECALL_NOTICE": (gettext_lazy("under notice of recall"), "act"),
    "DECLINED": (gettext_lazy("declined"), "none"),
    "LAPSED": (gettext_lazy("not answered in time"), "none"),
    "WITHDRAWN": (gettext_lazy("withdrawn"), "none"),
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
#: why an agency declined what it was offered
DECLINES = {
    "CONFLICT_OF_INTEREST": gettext_lazy("conflict of interest"),
    "NO_CAPACITY": gettext_lazy("no capacity"),
    "OUTSIDE_LICENCE": gettext_lazy("outside its licence"),
    "DATA_INCOMPLETE": gettext_lazy("data incomplete"),
    "BORROWER_KNOWN": gettext_lazy("the borrower is known to it"),
    "OTHER": gettext_lazy("another reason"),
}
#: why the lender withdrew an offer, besides the reasons for recalls
WITHDRAWALS = RECALLS | {
    "CONFLICT": gettext_lazy("conflict of interest"),
    "CLOSED": gettext_lazy("closed"),
    "NO_BALANCE": gettext_lazy("nothing is owed any more"),
    "ON_HOLD": gettext_lazy("on hold"),
    "OTHER_AGENCY": gettext_lazy("another agency works for this borrower"),
}
#: what an agency says against a recall
OBJECTIONS = {
    "PROMISE_DUE": gettext_lazy("a promise falls due"),
    "PAYMENT_UNDER_WAY": gettext_lazy("a payment is under way"),
    "SETTLEMENT_AGREED": gettext_lazy("a settlement is agreed"),
    "LEGAL_STEP_UNDER_WAY": gettext_lazy("a legal step is under way"),
    "OTHER": gettext_lazy("another reason"),
}
NOTICE_STATES = {
    "OPEN": (gettext_lazy("open"), "wait"),
    "FINAL": (gettext_lazy("final"), "none"),
    "WITHDRAWN": (gettext_lazy("withdrawn"), "none"),
    "OVERTAKEN": (gettext_lazy("overtaken"), "none"),
}
OBJECTION_STATES = {
    "OPEN": (gettext_lazy("waits for the lender"), "act"),
    "UPHELD": (gettext_lazy("upheld"), "good"),
    "REJECTED": (gettext_lazy("rejected"), "bad"),
    "OVERTAKEN": (gettext_lazy("overtaken"), "none"),
}
#: what became of an account that was declined or not answered in time
REFILLS = {
    "OFFERED": (gettext_lazy("placed again"), "good"),
    "NO_AGENCY": (gettext_lazy("in-house: no other agency may take it"), "none"),
    "NO_PLACE": (gettext_lazy("in-house: no other agency has a place worth it"), "none"),
    "STOPPED": (gettext_lazy("in-house: not to be placed any more"), "none"),
}
#: what happened to a placement
LIFE = {
    "OFFERED": gettext_lazy("offered to the agency"),
    "PLACED": gettext_lazy("placed"),
    "ACCEPTED": gettext_lazy("accepted by the agency"),
    "DECLINED": gettext_lazy("declined by the agency"),
    "LAPSED": gettext_lazy("not answered in time"),
    "WITHDRAWN": gettext_lazy("offer withdrawn"),
    "RECALLED": gettext_lazy("recalled"),
    "EXPIRED": gettext_lazy("term over"),
    "CLOSED": gettext_lazy("closed"),
    "NOTICE": gettext_lazy("notice of recall"),
    "NOTICE_WITHDRAWN": gettext_lazy("notice withdrawn"),
    "NOTICE_OVERTAKEN": gettext_lazy("notice overtaken"),
    "OBJECTION": gettext_lazy("objection of the agency"),
    "OBJECTION_UPHELD": gettext_lazy("objection upheld"),
    "OBJECTION_REJECTED": gettext_lazy("objection rejected"),
    "OBJECTION_OVERTAKEN": gettext_lazy("objection overtaken"),
    "RETAINED": gettext_lazy("term extended"),
}
#: how an objection was decided
DECIDED_HOW = {
    "PERSON": gettext_lazy("by a person"),
    "RULE": gettext_lazy("by the lender's rule"),
}


def happened(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give one row of a placement's life in words: what, why, the day it is about."""
    codes: dict[str, Any] = {**WITHDRAWALS, **DECLINES, **OBJECTIONS, **DECIDED_HOW}
    if row["what"] == "WITHDRAWN":
        codes = WITHDRAWALS
    return {
        "at": row["at"],
        "what": LIFE.get(row["what"], row["what"]),
        "why": codes.get(row["code"], row["code"]),
        "day": row["day"],
        "text": row["text"],
    }


def labelled(table: dict[str, tuple[Any, str]], code: str) -> dict[str, Any]:
    """Give a code's label and tone."""
    label, tone = table.get(code, (code, "none"))
    return {"label": label, "tone": tone}
