"""Words for what the audit log stores as codes: kinds of objects, names of figures, values, the program's own actors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from weituo.foundation.identity.roles import LABELS as ROLES
from weituo.web.menu import ENTRIES
from weituo.web.presenters.book_words import HOLDS
from weituo.web.presenters.borrower import CHANNELS as BORROWER_CHANNELS
from weituo.web.presenters.borrower import KIND_LABELS, REASONS
from weituo.web.presenters.care import SOURCES
from weituo.web.presenters.conduct_words import CHANNELS, FINDINGS
from weituo.web.presenters.dossier import AGREEMENTS, FIELDS
from weituo.web.presenters.evaluation import DECISIONS, VERDICTS
from weituo.web.presenters.partners import PAPERS
from weituo.web.presenters.placement_words import (
    DECLINES,
    OBJECTIONS,
    PLACEMENT_STATES,
    REVOCATIONS,
    RUN_STATES,
)
from weituo.web.presenters.relations import KINDS as CONFLICTS
from weituo.web.presenters.strategies import TREATMENTS
from weituo.web.presenters.tracking import ALERTS
from weituo.web.templatetags.weituo import count, day, instant, money

#: kind of object as acts note it → its name
OBJECTS: dict[str, str | Promise] = {
    "access_code": gettext_lazy("access code"),
    "act": gettext_lazy("act"),
    "agency": gettext_lazy("agency"),
    "agreement": gettext_lazy("agreement"),
    "alert": gettext_lazy("alert"),
    "alerts": gettext_lazy("several alerts"),
    "api_key": gettext_lazy("API key"),
    "assessment": gettext_lazy("assessment"),
    "attempts": gettext_lazy("attempts"),
    "bank_lines": gettext_lazy("bank lines"),
    "book": gettext_lazy("book"),
    "borrower": gettext_lazy("borrower"),
    "case": gettext_lazy("case"),
    "collector": gettext_lazy("collector"),
    "conflict": gettext_lazy("conflict of interest"),
    "cost": gettext_lazy("cost"),
    "decision": gettext_lazy("decision"),
    "destruction": gettext_lazy("destruction"),
    "evaluation": gettext_lazy("evaluation"),
    "hold": gettext_lazy("hold"),
    "import": gettext_lazy("import"),
    "membership": gettext_lazy("membership of a group"),
    "milestone": gettext_lazy("milestone"),
    "model": gettext_lazy("model"),
    "notices": gettext_lazy("recall notices"),
    "objections": gettext_lazy("objections"),
    "offers": gettext_lazy("offers"),
    "package": gettext_lazy("package"),
    "packages": gettext_lazy("several packages"),
    "paper": gettext_lazy("paper"),
    "payment": gettext_lazy("payment"),
    "payments": gettext_lazy("several payments"),
    "permits": gettext_lazy("permits"),
    "placement": gettext_lazy("placement"),
    "placements": gettext_lazy("several placements"),
    "plan": gettext_lazy("plan"),
    "promises": gettext_lazy("promises"),
    "proposal": gettext_lazy("proposal"),
    "recipient": gettext_lazy("recipient key"),
    "remittance": gettext_lazy("remittance"),
    "review": gettext_lazy("review"),
    "run": gettext_lazy("placement run"),
    "statement": gettext_lazy("statement"),
    "strategy": gettext_lazy("strategy"),
    "terms": gettext_lazy("terms"),
    "user": gettext_lazy("user"),
    "violation": gettext_lazy("violation"),
    "wish": gettext_lazy("contact wish"),
}
#: name of a figure as acts note it → its label
FIGURES: dict[str, str | Promise] = {
    "accepts_in_advance": gettext_lazy("accepts placements in advance"),
    "account": gettext_lazy("account"),
    "accounts": gettext_lazy("accounts"),
    "changed_minor": gettext_lazy("change of what is owed"),
    "difference_minor": gettext_lazy("difference from the book"),
    "differing": gettext_lazy("accounts that differ"),
    "refreshed": gettext_lazy("balances stated anew"),
    "unchanged": gettext_lazy("unchanged"),
    "updated": gettext_lazy("updated"),
    "active_cases": gettext_lazy("active cases"),
    "active_from": gettext_lazy("valid from"),
    "active_to": gettext_lazy("valid to"),
    "after": pgettext_lazy("a change", "after"),
    "agencies": gettext_lazy("agencies"),
    "agency": gettext_lazy("agency"),
    "agency_id": gettext_lazy("agency"),
    "agreement": gettext_lazy("agreement"),
    "amount_minor": gettext_lazy("amount"),
    "approved": gettext_lazy("approved"),
    "artefact_digest": gettext_lazy("digest of the file"),
    "attempts": gettext_lazy("attempts"),
    "auc": gettext_lazy("AUC"),
    "badge": gettext_lazy("badge"),
    "balance_minor": gettext_lazy("balance"),
    "before": pgettext_lazy("a change", "before"),
    "booked": gettext_lazy("booked"),
    "borrower": gettext_lazy("borrower"),
    "bound_minor": gettext_lazy("upper bound"),
    "brier": gettext_lazy("Brier score"),
    "broken": gettext_lazy("broken"),
    "capacity": gettext_lazy("capacity"),
    "capacity_before": gettext_lazy("capacity before"),
    "cases": gettext_lazy("cases"),
    "changed": pgettext_lazy("what was changed", "changed"),
    "channels": gettext_lazy("channels"),
    "code": gettext_lazy("code"),
    "collected_minor": gettext_lazy("collected"),
    "commission_minor": gettext_lazy("commission"),
    "currency": gettext_lazy("currency"),
    "decision": gettext_lazy("decision"),
    "digest": gettext_lazy("digest"),
    "expected_net_minor": gettext_lazy("expected net"),
    "fields": gettext_lazy("fields"),
    "fingerprint": gettext_lazy("fingerprint of the key"),
    "first": gettext_lazy("first of them"),
    "granted": gettext_lazy("granted"),
    "group": gettext_lazy("group of owners"),
    "held_out": gettext_lazy("held out"),
    "hold_stays": gettext_lazy("the hold stays"),
    "hour_from": gettext_lazy("from hour"),
    "hour_to": gettext_lazy("to hour"),
    "ids": gettext_lazy("references"),
    "inputs_digest": gettext_lazy("digest of the inputs"),
    "kept": gettext_lazy("kept"),
    "kind": gettext_lazy("kind"),
    "left_out": gettext_lazy("left out"),
    "lines": gettext_lazy("lines"),
    "milestones": gettext_lazy("milestones"),
    "net_after_minor": gettext_lazy("expected net after"),
    "net_before_minor": gettext_lazy("expected net before"),
    "number": pgettext_lazy("of an object", "number"),
    "offered": gettext_lazy("offered"),
    "on_behalf_of": gettext_lazy("on behalf of"),
    "on_behalf_of_name": gettext_lazy("on behalf of"),
    "package": gettext_lazy("package"),
    "payments": gettext_lazy("payments"),
    "period_from": gettext_lazy("from"),
    "period_to": pgettext_lazy("a period", "to"),
    "permits": gettext_lazy("permits"),
    "permits_used": gettext_lazy("permits used"),
    "placed": gettext_lazy("placed"),
    "placed_minor": gettext_lazy("placed money"),
    "placements": gettext_lazy("placements"),
    "prefix": gettext_lazy("begins with"),
    "promises": gettext_lazy("promises"),
    "promises_kept": gettext_lazy("promises kept"),
    "raised": gettext_lazy("raised"),
    "recorded": gettext_lazy("recorded"),
    "recovered_minor": gettext_lazy("recovered"),
    "refill": gettext_lazy("refill"),
    "refused": gettext_lazy("refused"),
    "rejected": gettext_lazy("rejected"),
    "removed": gettext_lazy("removed"),
    "repeated": gettext_lazy("sent again"),
    "result_digest": gettext_lazy("digest of the result"),
    "reversal": gettext_lazy("reversal"),
    "right": gettext_lazy("the code was right"),
    "role": gettext_lazy("role"),
    "rows": gettext_lazy("rows"),
    "run": gettext_lazy("placement run"),
    "scorecard": gettext_lazy("scorecard"),
    "second_factor": gettext_lazy("second factor"),
    "side": gettext_lazy("side"),
    "source": gettext_lazy("source"),
    "final_on": gettext_lazy("final on"),
    "state": gettext_lazy("state"),
    "stays_until": gettext_lazy("stays until"),
    "term_to": gettext_lazy("term to"),
    "upheld_by_rule": gettext_lazy("upheld by the lender's rule"),
    "withdrawn": gettext_lazy("withdrawn"),
    "suspended_by": gettext_lazy("suspended by"),
    "targets": gettext_lazy("targets"),
    "tier": gettext_lazy("tier"),
    "tier_before": gettext_lazy("tier before"),
    "total_bps": gettext_lazy("score"),
    "total_minor": gettext_lazy("total"),
    "trained_until": gettext_lazy("training valid to"),
    "unapplied_minor": gettext_lazy("not applied"),
    "upheld": gettext_lazy("the borrower is right"),
    "valid_to": gettext_lazy("valid to"),
    "verdict": gettext_lazy("verdict"),
    "verdicts": gettext_lazy("verdicts"),
    "version": gettext_lazy("version"),
    "violations": gettext_lazy("violations"),
    "voided": gettext_lazy("taken back"),
}
#: the program's own actors by what they are called in the log
PROGRAMS: dict[str, str | Promise] = {
    "borrower sign-in": gettext_lazy("sign-in of borrowers"),
    "care desk": gettext_lazy("care desk"),
    "gate": gettext_lazy("contact gate"),
    "objections": gettext_lazy("objections"),
    "offers": gettext_lazy("offers"),
    "operator": gettext_lazy("operator at the machine"),
    "public check": gettext_lazy("public check of collectors"),
    "sharing": gettext_lazy("sharing"),
}
#: whom an act was done for, by what stands before the id
SOMEBODY: dict[str, str | Promise] = {
    "borrower": gettext_lazy("borrower"),
    "key": gettext_lazy("API key"),
    "user": gettext_lazy("user"),
}
_ROOMS: dict[str, str | Promise] = {
    entry.path.strip("/"): entry.label for entry in ENTRIES if entry.path != "/"
}
_ROOM_PATHS = {"partners": "agencies", "contact": "conduct", "tracking": "progress", "ledger": "money", "identity": "settings"}  # fmt: skip


def _labels(table: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(code): label[0] if isinstance(label, tuple) else label for code, label in table.items()}


#: code → its word; a code of two rooms means the same in both
VALUES: dict[str, Any] = {
    **{code: word for reasons in REASONS.values() for code, word in reasons.items()}, **_labels(REVOCATIONS), **_labels(HOLDS), **_labels(KIND_LABELS), **_labels(SOURCES), **_labels(FINDINGS),
    **_labels(DECLINES), **_labels(OBJECTIONS), **_labels(AGREEMENTS), **_labels(PAPERS), **_labels(CONFLICTS), **_labels(FIELDS), **_labels(PLACEMENT_STATES), **_labels(RUN_STATES),
    **_labels(BORROWER_CHANNELS), **_labels(CHANNELS), **_labels(ALERTS), **_labels(TREATMENTS), **_labels(DECISIONS), **_labels(VERDICTS), **_labels(ROLES),
    "lender": gettext_lazy("the lender"), "agency": gettext_lazy("the agency"), "password": gettext_lazy("password"),
    "COLLECTOR_LEFT": gettext_lazy("the collector left"), "TRAINING_CHANGED": gettext_lazy("training of the collector"), "WISH": gettext_lazy("the borrower's wish"),
}  # fmt: skip


def room(name: str) -> str:
    """Give a room's name as the menu has it."""
    return str(_ROOMS.get(_ROOM_PATHS.get(name, name), name))


def actor(name: str) -> str:
    """Give who acted; the program's own actors by what they do."""
    own, dot, does = name.partition(" · ")
    return f"{own} · {PROGRAMS.get(does, does)}" if dot and own == "Weituo" else name


def object_of(what: str) -> str:
    """Give a kind of object in words; one of another version of the program keeps its name."""
    return str(OBJECTS.get(what, what))


def label(key: str, detail: Mapping[str, Any]) -> str:
    """Give the label of a figure; money whose currency is not noted is named as minor units."""
    named = str(FIGURES.get(key, VALUES.get(key, key)))
    if key.endswith("_minor") and not detail.get("currency"):
        return _("%(figure)s in minor units") % {"figure": named}
    return named


def value(key: str, given: Any, *, detail: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Give a figure as people read it: money, counts, days, words for codes, names for agencies (`names`: id → name)."""
    if given is None or given in ("", []):
        return "–"
    if isinstance(given, bool):
        return _("yes") if given else _("no")
    if isinstance(given, int):
        return _number(key, given, str(detail.get("currency") or ""))
    if isinstance(given, list):
        return _(", ").join(value("", one, detail=detail, names=names) for one in given)
    if isinstance(given, Mapping):
        pairs = ((names.get(one, str(VALUES.get(one, one))), two) for one, two in given.items())
        return _("; ").join(f"{one} {value('', two, detail=detail, names=names)}" for one, two in pairs)
    text = str(given)
    if text in names:
        return names[text]
    return shown(text)


def shown(text: str) -> str:
    """Show a text that may be a day, an instant, somebody (`borrower:…`, `key:…`) or a code."""
    who, colon, ref = text.partition(":")
    if colon and who in SOMEBODY:
        return f"{SOMEBODY[who]} …{ref[-12:]}"
    return _when(text) if text[:2] == "20" and text[4:5] == "-" else str(VALUES.get(text, text))


def _number(key: str, given: int, currency: str) -> str:
    if key.endswith("_minor") and currency:
        return str(money(given, currency))
    if key == "total_bps":
        return f"{given / 100:.2f}"
    return str(given) if key in {"version", "tier", "tier_before", "hour_from", "hour_to"} else count(given)


def _when(text: str) -> str:
    try:
        return str(day(text) if len(text) == 10 else instant(text))
    except ValueError:
        return text
