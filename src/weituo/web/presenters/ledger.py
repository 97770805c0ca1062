"""Money as people in finance read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from weituo.core.money import FeeSchedule
from weituo.domain.ledger.queries import Balance
from weituo.foundation.tenancy.actors import Actor
from weituo.web.posted import whole

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
}


def agency_names(agencies: Sequence[Any]) -> dict[str, str]:
    """Give agency names in the reader's language by id."""
    zh = (get_language() or "").startswith("zh")
    return {str(agency.id): (agency.name_zh if zh else agency.name_en) for agency in agencies}


def _state(code: str) -> dict[str, Any]:
    label, tone = STATES.get(code, (code, "wait"))
    return {"label": label, "tone": tone}


def overview(
    *,
    balances: Sequence[Balance],
    statements: Sequence[Mapping[str, Any]],
    remittances: Sequence[Mapping[str, Any]],
    bank_lines: Sequence[Mapping[str, Any]],
    agencies: Sequence[Any],
    actor: Actor,
    today: date,
) -> dict[str, Any]:
    """Give the money page: figures, trial balance, what waits."""
    names = agency_names(agencies)
    totals: dict[str, int] = {}
    for row in balances:
        totals[row.currency] = totals.get(row.currency, 0) + row.balance_minor
    main = max(
        totals,
        key=lambda currency: sum(abs(row.balance_minor) for row in balances if row.currency == currency),
        default="CNY",
    )

    def figure(kind: str, sign: int = 1) -> int:
        return sign * sum(row.balance_minor for row in balances if row.kind == kind and row.currency == main)

    first = today.replace(day=1)
    unmatched = sum(1 for row in bank_lines if not row["matched_to"])
    waiting = [row for row in statements if row["state"] == "AGREED"]
    return {
        "state": _overview_state(
            all(total == 0 for total in totals.values()), unmatched, waiting, empty=not balances
        ),
        "currency": main,
        "balanced": all(total == 0 for total in totals.values()),
        "figures": [
            {"label": KINDS["RECEIVABLE"], "minor": figure("RECEIVABLE")},
            {"label": _("Commission expense"), "minor": figure("COMMISSION_EXPENSE")},
            {"label": KINDS["COMMISSION_PAYABLE"], "minor": figure("COMMISSION_PAYABLE", -1)},
            {"label": KINDS["SUSPENSE"], "minor": figure("SUSPENSE", -1)},
        ],
        "balances": [
            {
                "label": KINDS.get(row.kind, row.kind),
                "component": COMPONENTS.get(row.component, row.component),
                "agency": names.get(str(row.agency_id), ""),
                "debit_minor": row.debit_minor,
                "credit_minor": row.credit_minor,
                "balance_minor": row.balance_minor,
                "currency": row.currency,
            }
            for row in balances
        ],
        "totals": [{"currency": currency, "minor": total} for currency, total in totals.items()],
        "statements": [
            dict(row) | {"agency": names.get(str(row["agency_id"]), ""), "shown": _state(row["state"])}
            for row in statements
        ],
        "remittances": [
            dict(row) | {"agency": names.get(str(row["agency_id"]), ""), "shown": _state(row["state"])}
            for row in remittances
        ],
        "bank_lines": [dict(row) | {"matched": bool(row["matched_to"])} for row in bank_lines],
        "unmatched": unmatched,
        "waiting": len(waiting),
        "agencies": [{"id": key, "name": name} for key, name in names.items()],
        "may_draw": actor.may("ledger.draw_statement"),
        "may_book": actor.may("ledger.book_payments"),
        "period_from": (first - timedelta(days=1)).replace(day=1),
        "period_to": first,
    }


def _overview_state(balanced: bool, unmatched: int, waiting: Sequence[Mapping[str, Any]], *, empty: bool) -> dict[str, Any]:  # fmt: skip
    following = [{"label": _("Check everything"), "url": reverse("ledger:check")}]
    if unmatched:
        following.insert(0, {"label": _("Match bank lines"), "url": "#bank"})
    if waiting:
        following.insert(0, {"label": _("Approve a statement"), "url": reverse("ledger:statement", args=[waiting[0]["id"]])})  # fmt: skip
    if empty:
        return {"tone": "none", "text": _("Nothing is booked yet."), "next": following}
    if not balanced:
        return {"tone": "bad", "text": _("Debits and credits do not agree."), "next": following}
    parts = [_("Debits and credits agree to the cent.")]
    if unmatched:
        parts.append(ngettext("%(n)s bank line waits for its report.", "%(n)s bank lines wait for their reports.", unmatched) % {"n": unmatched})  # fmt: skip
    if waiting:
        parts.append(ngettext("%(n)s statement waits for approval.", "%(n)s statements wait for approval.", len(waiting)) % {"n": len(waiting)})  # fmt: skip
    return {"tone": "watch" if unmatched or waiting else "good", "text": " ".join(parts), "next": following}


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


def asked_payments(query: Mapping[str, str], *, agencies: Sequence[Any]) -> dict[str, Any]:
    """Read agency and page from an address; what makes no sense is left out."""
    number = query.get("page", "1")
    known = {str(agency.id): agency.id for agency in agencies}
    return {
        "agency": known.get(query.get("agency", "")),
        "page": whole(number, otherwise=1) or 1,
    }


def payments(
    found: Mapping[str, Any], *, agencies: Sequence[Any], asked: Mapping[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """Give one page of booked payments."""
    names = agency_names(agencies)
    kept = {"agency": str(asked["agency"])} if asked["agency"] else {}

    def address(page: int) -> str:
        return "?" + urlencode(kept | {"page": page})

    text = ngettext("%(n)s payment is booked.", "%(n)s payments are booked.", found["total"])
    return {
        "state": {"tone": "none", "text": text % {"n": f"{found['total']:,}"}, "next": []},
        "payments": [
            dict(row)
            | {"agency": names.get(str(row["agency_id"]), _("in-house")), "method_label": METHODS.get(row["method"], row["method"])}
            for row in found["rows"]
        ],
        "agencies": [{"value": key, "label": name, "chosen": key == kept.get("agency")} for key, name in names.items()],
        "page": found["page"],
        "pages": found["pages"],
        "previous": address(found["page"] - 1) if found["page"] > 1 else "",
        "next": address(found["page"] + 1) if found["page"] < found["pages"] else "",
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
    shown = _state(row["state"])
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
        | {"agency": agency_names(agencies).get(str(row["agency_id"]), ""), "shown": _state(row["state"])},
        "lines": [dict(line) | {"fee_share": line["fee_bps"] / 10_000} for line in lines],
        "may_approve": may,
        "own": own,
    }
