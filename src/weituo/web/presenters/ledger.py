"""Money as people in finance read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from weituo.domain.ledger.queries import Balance
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
    return {
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
        "unmatched": sum(1 for row in bank_lines if not row["matched_to"]),
        "waiting": sum(1 for row in statements if row["state"] == "AGREED"),
        "agencies": [{"id": key, "name": name} for key, name in names.items()],
        "may_draw": actor.may("ledger.draw_statement"),
        "may_book": actor.may("ledger.book_payments"),
        "period_from": (first - timedelta(days=1)).replace(day=1),
        "period_to": first,
    }


def entries(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Group legs under their entries."""
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


def statement(
    row: Mapping[str, Any], *, lines: Sequence[Mapping[str, Any]], agencies: Sequence[Any], actor: Actor
) -> dict[str, Any]:
    """Give one statement; every line shows base × rate = commission."""
    own = row["drawn_by"] == actor.id
    return {
        "statement": dict(row)
        | {"agency": agency_names(agencies).get(str(row["agency_id"]), ""), "shown": _state(row["state"])},
        "lines": [dict(line) | {"fee_share": line["fee_bps"] / 10_000} for line in lines],
        "may_approve": row["state"] == "AGREED" and actor.may("ledger.approve_statement") and not own,
        "own": own,
    }
