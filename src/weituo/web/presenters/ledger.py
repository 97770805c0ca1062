"""Money as people in finance read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from weituo.core.money import FeeSchedule
from weituo.foundation.tenancy.actors import Actor

KINDS = {
    "RECEIVABLE": gettext_lazy("Owed by borrowers"),
    "BANK": gettext_lazy("Bank"),
    "SUSPENSE": gettext_lazy("Suspense (arrived, not yet applied)"),
    "COMMISSION_EXPENSE": gettext_lazy("Commission expense"),
    "COMMISSION_PAYABLE": gettext_lazy("Commission owed to agencies"),
    "PLACED_BOOK": gettext_lazy("Opening balances"),
    "COLLECTION_COST": gettext_lazy("In-house collection cost"),
    "CASH_OUT": gettext_lazy("Cash paid out"),
}
COMPONENTS = {
    "principal": gettext_lazy("principal"),
    "interest": gettext_lazy("interest"),
    "fee": gettext_lazy("fees"),
    "": "",
}
STATES = {
    "DRAWN": (gettext_lazy("waits for the agency"), "wait"),
    "AGREED": (gettext_lazy("waits for approval"), "act"),
    "PAID": (gettext_lazy("paid"), "good"),
    "REPORTED": (gettext_lazy("waits for the bank line"), "wait"),
    "BOOKED": (gettext_lazy("booked"), "good"),
    "REFUSED": (gettext_lazy("refused"), "bad"),
}
METHODS = {
    "BANK": gettext_lazy("bank transfer"),
    "TRANSFER": gettext_lazy("bank transfer"),
    "CARD": gettext_lazy("card"),
    "WALLET": gettext_lazy("mobile wallet"),
    "DIRECT_DEBIT": gettext_lazy("direct debit"),
    "CASH": gettext_lazy("cash"),
}
REASONS = {
    "OPENING": gettext_lazy("opening balance"),
    "PAYMENT": gettext_lazy("payment"),
    "BANK_LINE": gettext_lazy("bank line"),
    "COMMISSION_PAID": gettext_lazy("commission paid"),
    "COLLECTION_COST": gettext_lazy("in-house cost"),
    "REVERSAL": gettext_lazy("reversal"),
    "REFRESH": gettext_lazy("balance stated by a newer file"),
}


def agency_names(agencies: Sequence[Any]) -> dict[str, str]:
    """Give agency names in the reader's language by id."""
    zh = (get_language() or "").startswith("zh")
    return {str(agency.id): (agency.name_zh if zh else agency.name_en) for agency in agencies}


def shown_state(code: str) -> dict[str, Any]:
    label, tone = STATES.get(code, (code, "wait"))
    return {"label": label, "tone": tone}


def entries(rows: Sequence[Mapping[str, Any]], *, agencies: Sequence[Any]) -> list[dict[str, Any]]:
    """Group legs under their entries."""
    names = agency_names(agencies)
    return [
        {
            "booked_at": legs[0]["booked_at"],
            "value_on": legs[0]["value_on"],
            "reason": REASONS.get(legs[0]["reason"], legs[0]["reason"]),
            "key": legs[0]["idempotency_key"],
            "legs": [
                {
                    "label": KINDS.get(leg["kind"], leg["kind"]),
                    "component": COMPONENTS.get(leg["component"], ""),
                    "agency": names.get(str(leg["agency_id"]), ""),
                    "debit_minor": leg["amount_minor"] if leg["amount_minor"] > 0 else None,
                    "credit_minor": -leg["amount_minor"] if leg["amount_minor"] < 0 else None,
                    "currency": leg["currency"],
                }
                for leg in legs
            ],
        }
        for _id, group in groupby(rows, key=lambda row: row["id"])
        if (legs := list(group))
    ]


def entries_state(shown: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say whether each entry that is shown sums to zero, added up from its legs just now."""
    off = [entry for entry in shown if any(_sums(entry["legs"]).values())]
    if not shown:
        return {"tone": "none", "text": _("Nothing is booked yet."), "next": []}
    if off:
        text = ngettext("%(n)s entry does not sum to zero.", "%(n)s entries do not sum to zero.", len(off))
        steps = [{"label": _("Check everything"), "url": reverse("ledger:check")}]
        return {"tone": "bad", "text": text % {"n": len(off)}, "next": steps}
    text = ngettext("The entry shown sums to zero.", "Each of the %(n)s entries shown sums to zero.", len(shown))  # fmt: skip
    return {"tone": "good", "text": text % {"n": len(shown)}, "next": []}


def _sums(legs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Add an entry's legs up by currency."""
    sums: dict[str, int] = {}
    for leg in legs:
        signed = (leg["debit_minor"] or 0) - (leg["credit_minor"] or 0)
        sums[leg["currency"]] = sums.get(leg["currency"], 0) + signed
    return sums


CHECKS = {
    "trial_balance": gettext_lazy("debits against credits"),
    "receivable": gettext_lazy("entries of an account against its balance in the book"),
    "commission": gettext_lazy("commission line against its entry"),
}


def check(differences: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give what was recomputed and what differs."""
    text = ngettext("%(n)s difference was found.", "%(n)s differences were found.", len(differences)) % {"n": len(differences)}  # fmt: skip
    good = {"tone": "good", "text": _("Everything agrees: recomputed from entries just now."), "next": []}
    return {
        "state": {"tone": "bad", "text": text, "next": []} if differences else good,
        "checks": [
            {"label": label, "differences": sum(1 for row in differences if row["what"] == code)}
            for code, label in CHECKS.items()
        ],
        "differences": [dict(row) | {"label": CHECKS.get(row["what"], row["what"])} for row in differences],
    }  # fmt: skip


def line(
    row: Mapping[str, Any], *, legs: Sequence[Mapping[str, Any]], agencies: Sequence[Any], actor: Actor
) -> dict[str, Any]:  # fmt: skip
    """Give one commission line: paid, not applied, base, rate, exact product, rounded; and the same computed anew."""
    base = row["paid_minor"] - row["unapplied_minor"]
    anew = FeeSchedule.flat(fee_bps=row["fee_bps"]).commission_minor(amount_minor=base)
    same = (base, anew) == (row["base_minor"], row["amount_minor"])
    exact = base * row["fee_bps"]
    state: dict[str, Any]
    if row["reversed_at"]:
        state = {"tone": "watch", "text": _("This payment was reversed; its commission was clawed back."), "next": []}  # fmt: skip
    elif same:
        state = {"tone": "good", "text": _("Computed anew from the payment, the commission is the same to the cent."), "next": []}  # fmt: skip
    else:
        state = {"tone": "bad", "text": _("Computed anew from the payment, the commission differs."), "next": [{"label": _("Check everything"), "url": reverse("ledger:check")}]}  # fmt: skip
    return {
        "state": state,
        "line": dict(row)
        | {
            "agency": agency_names(agencies).get(str(row["agency_id"]), ""),
            "method_label": METHODS.get(row["method"], row["method"]),
            "anew_base_minor": base,
            "anew_minor": anew,
            "exact": f"{exact // 10_000:,}.{exact % 10_000:04d}",
            "same": same,
        },
        "entries": entries(legs, agencies=agencies),
        "may_reverse": actor.may("ledger.book_payments") and row["reversed_at"] is None,
    }


def statement(
    row: Mapping[str, Any], *, lines: Sequence[Mapping[str, Any]], agencies: Sequence[Any], actor: Actor
) -> dict[str, Any]:
    """Give one statement; every line shows base × rate = commission."""
    own = row["drawn_by"] == actor.id
    may = row["state"] == "AGREED" and actor.may("ledger.approve_statement") and not own
    shown = shown_state(row["state"])
    text = {
        "DRAWN": _("Drawn up; the agency has to agree before it can be approved."),
        "AGREED": _("The agency agrees; a second person approves and the commission is paid out."),
        "PAID": _("Approved and paid out."),
    }.get(row["state"], str(shown["label"]))
    tone = {"DRAWN": "none", "AGREED": "watch", "PAID": "good"}.get(row["state"], "none")
    return {
        "state": {
            "tone": tone,
            "text": text,
            "next": [{"label": _("Approve"), "url": "#approve"}] if may else [],
        },
        "sum_base_minor": sum(line["base_minor"] for line in lines),
        "sum_minor": sum(line["amount_minor"] for line in lines),
        "statement": dict(row)
        | {
            "agency": agency_names(agencies).get(str(row["agency_id"]), ""),
            "shown": shown_state(row["state"]),
        },
        "lines": [dict(line) | {"fee_share": line["fee_bps"] / 10_000} for line in lines],
        "may_approve": may,
        "own": own,
    }
