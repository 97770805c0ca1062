"""One account's timeline: each event in words, with its tone and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weituo.web.names import bucket_name
from weituo.web.presenters.book_words import HOLDS
from weituo.web.presenters.conduct_words import CHANNELS
from weituo.web.presenters.ledger import METHODS
from weituo.web.presenters.placement_words import PLACEMENT_STATES, PROMISE_STATES, RECALLS, RESULTS

WHAT = {
    "PLACED": (gettext_lazy("placed"), "none"),
    "PLACEMENT_ENDED": (gettext_lazy("placement ended"), "none"),
    "CONTACT": (gettext_lazy("contact"), "none"),
    "REFUSED": (gettext_lazy("permit refused"), "watch"),
    "PROMISE": (gettext_lazy("promise to pay"), "none"),
    "PAID": (gettext_lazy("paid"), "good"),
    "PAYMENT_REVERSED": (gettext_lazy("payment reversed"), "bad"),
    "CASE_OPENED": (gettext_lazy("case opened"), "watch"),
    "CASE_DECIDED": (gettext_lazy("case answered"), "none"),
    "HOLD_BEGINS": (gettext_lazy("hold begins"), "watch"),
    "HOLD_ENDS": (gettext_lazy("hold ends"), "none"),
}
CASES = {
    "DISPUTE": gettext_lazy("dispute"),
    "HARDSHIP": gettext_lazy("hardship"),
    "COMPLAINT": gettext_lazy("complaint"),
}


def shown(event: Mapping[str, Any], agencies: Mapping[UUID, str]) -> dict[str, Any]:
    """Give one event as a row: when, what, detail, agency, money, address."""
    what, tone = WHAT[event["what"]]
    leads = event["what"] in {"CASE_OPENED", "CASE_DECIDED"}
    return {
        "at": event["at"],
        "day_only": event["what"] == "PAID",
        "what": what,
        "tone": tone,
        "detail": _detail(event),
        "agency": agencies.get(event["agency_id"], "") if event["agency_id"] else "",
        "minor": event["minor"],
        "url": reverse("care:case", args=[event["ref"]]) if leads else "",
    }


def _detail(event: Mapping[str, Any]) -> str:
    code, ref = event["code"], event["ref"]
    if event["what"] == "PLACED":
        return _("%(ref)s, as %(bucket)s") % {"ref": ref, "bucket": bucket_name(code)}
    if event["what"] == "PLACEMENT_ENDED":
        state = PLACEMENT_STATES.get(code, (code, ""))[0]
        reason = RECALLS.get(event["detail"], event["detail"])
        return f"{ref} · {state}" + (f" · {reason}" if reason else "")
    if event["what"] in {"CONTACT", "REFUSED"}:
        return f"{CHANNELS.get(ref, ref)} · {RESULTS.get(code, code) if event['what'] == 'CONTACT' else code}"
    if event["what"] == "PROMISE":
        return _("by %(day)s, %(state)s") % {"day": ref, "state": PROMISE_STATES.get(code, (code, ""))[0]}
    if event["what"] in {"PAID", "PAYMENT_REVERSED"}:
        return str(METHODS.get(code, code))
    if event["what"] in {"CASE_OPENED", "CASE_DECIDED"}:
        return f"{CASES.get(code, code)} {event['detail']}"
    return str(HOLDS.get(code, code))
