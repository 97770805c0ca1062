"""What borrowers read: plain words, their own figures, no word that frightens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from weituo.web.posted import whole

PRODUCTS = {
    "CASH_LOAN": gettext_lazy("cash loan"),
    "INSTALMENT": gettext_lazy("instalment purchase"),
    "CARD": gettext_lazy("credit card"),
    "MICRO_BUSINESS": gettext_lazy("micro-business loan"),
}
KIND_LABELS = {
    "DISPUTE": gettext_lazy("Dispute"),
    "HARDSHIP": gettext_lazy("Hardship"),
    "COMPLAINT": gettext_lazy("Complaint"),
}
REASONS = {
    "DISPUTE": {
        "NOT_MY_DEBT": gettext_lazy("This is not my debt"),
        "WRONG_AMOUNT": gettext_lazy("The amount is wrong"),
        "ALREADY_PAID": gettext_lazy("I have paid"),
        "IDENTITY_THEFT": gettext_lazy("Somebody used my identity"),
        "OTHER": gettext_lazy("Something else"),
    },
    "HARDSHIP": {
        "LOST_WORK": gettext_lazy("I lost work or income"),
        "ILLNESS": gettext_lazy("Illness or accident"),
        "FAMILY": gettext_lazy("A change in my family"),
        "DISASTER": gettext_lazy("Disaster or emergency"),
        "OTHER": gettext_lazy("Something else"),
    },
    "COMPLAINT": {
        "TOO_OFTEN": gettext_lazy("Contacted too often"),
        "BAD_HOURS": gettext_lazy("Contacted at a bad hour"),
        "RUDE": gettext_lazy("Rude or disrespectful"),
        "THREAT": gettext_lazy("Threatened or pressed"),
        "THIRD_PARTY_TOLD": gettext_lazy("Somebody else was told of my debt"),
        "WRONG_PERSON": gettext_lazy("I am the wrong person"),
        "OTHER": gettext_lazy("Something else"),
    },
}
ASKS = {
    "DISPUTE": gettext_lazy("Tell us what is wrong with this debt"),
    "HARDSHIP": gettext_lazy("Tell us that you cannot pay now"),
    "COMPLAINT": gettext_lazy("Complain about how you were treated"),
}
PROMISES = {
    "DISPUTE": gettext_lazy("Contact about this account stops at once. We check and answer within 5 days."),
    "HARDSHIP": gettext_lazy(
        "Contact stops while we look at it. We answer within 10 days with a proposal that fits your means."
    ),
    "COMPLAINT": gettext_lazy("We look into it and answer within 15 days. It never counts against you."),
}
CHANNELS = {
    "PHONE": gettext_lazy("Telephone"),
    "SMS": gettext_lazy("Text message"),
    "EMAIL": gettext_lazy("E-mail"),
    "LETTER": gettext_lazy("Letter"),
}


def _named(row: Mapping[str, Any], prefix: str = "agency_name") -> str:
    return str(row.get(f"{prefix}_zh" if (get_language() or "").startswith("zh") else f"{prefix}_en") or "")


def genuine(answer: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the answer to “is this collector genuine”: yes with the agency's name, or no with what to do."""
    if not answer:
        return {"genuine": False}
    return {
        "genuine": True,
        "agency": _named(answer, "name"),
        "phone": answer.get("public_phone", ""),
        "badge": answer.get("badge", ""),
    }


def published(agencies: Sequence[Any]) -> list[dict[str, str]]:
    """Give the list of agencies that work for the lender."""
    zh = (get_language() or "").startswith("zh")
    return [
        {"name": agency.name_zh if zh else agency.name_en, "phone": agency.public_phone}
        for agency in agencies
    ]


def _account(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) | {"product": PRODUCTS.get(row["product"], row["product"]), "agency": _named(row), "parts": [
        {"label": _("Principal"), "minor": row["principal_minor"]},
        {"label": _("Interest"), "minor": row["interest_minor"]},
        {"label": _("Fees"), "minor": row["fee_minor"]},
    ]}  # fmt: skip


def accounts(
    rows: Sequence[Mapping[str, Any]],
    *,
    contacts: Sequence[Mapping[str, Any]],
    cases: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Give the overview: accounts, who contacted me, what is being looked at."""
    currencies = {row["currency"] for row in rows}
    return {
        "accounts": [_account(row) for row in rows],
        "total_minor": sum(row["balance_minor"] for row in rows) if len(currencies) == 1 else None,
        "currency": next(iter(currencies)) if len(currencies) == 1 else "",
        "contacts": [dict(row) | {"agency": _named(row)} for row in contacts[:10]],
        "open_cases": [case for case in cases if case["state"] == "OPEN"],
    }


def account(
    row: Mapping[str, Any], *, history: Sequence[Mapping[str, Any]], payments: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Give one account with its months and payments."""
    return {"account": _account(row), "history": history, "payments": payments}


def wishes(wish: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the form of wishes, filled with what is in force or was just typed."""
    chosen = wish or {"channels": list(CHANNELS), "hour_from": 9, "hour_to": 18}
    return {
        "channels": [
            {"code": code, "label": label, "on": code in chosen["channels"]}
            for code, label in CHANNELS.items()
        ],
        "hours": list(range(8, 23)),
        "hour_from": whole(str(chosen["hour_from"]), otherwise=9),
        "hour_to": whole(str(chosen["hour_to"]), otherwise=18),
        "in_force": wish is not None,
    }


def tell(
    *, kind: str, address: str, accounts: Sequence[Mapping[str, Any]], said: Mapping[str, str]
) -> dict[str, Any]:
    """Give the form for a dispute, hardship or complaint, keeping what was typed."""
    return {
        "kind": kind,
        "address": address,
        "title": ASKS[kind],
        "promise": PROMISES[kind],
        "reasons": [
            {"code": code, "label": label, "on": said.get("reason") == code}
            for code, label in REASONS[kind].items()
        ],
        "accounts": [
            _account(row) | {"on": said.get("account") == str(row["id"]) or len(accounts) == 1}
            for row in accounts
        ],
        "text": said.get("text", ""),
    }


def cases(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the borrower's cases in words."""
    return [
        dict(row) | {"kind": KIND_LABELS[row["kind"]], "reason": REASONS[row["kind"]].get(row["reason"], "")}
        for row in rows
    ]
