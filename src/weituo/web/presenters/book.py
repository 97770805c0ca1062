"""The book as people at the lender read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import polars as pl
from django.utils.translation import gettext_lazy

from weituo.foundation.tenancy.actors import Actor

HOLDS = {
    "DISPUTE": gettext_lazy("disputed"),
    "HARDSHIP": gettext_lazy("hardship"),
    "DECEASED": gettext_lazy("deceased"),
    "MINOR": gettext_lazy("minor"),
    "BANKRUPT": gettext_lazy("bankrupt"),
    "REPRESENTED": gettext_lazy("represented by a lawyer"),
    "CEASED": gettext_lazy("asked to stop contact"),
    "VULNERABLE": gettext_lazy("vulnerable"),
    "LEGAL": gettext_lazy("in legal action"),
    "SOLD": gettext_lazy("sold"),
    "PROMISE": gettext_lazy("open promise to pay"),
    "COMPLAINT": gettext_lazy("open complaint"),
}
PRODUCTS = {
    "CASH_LOAN": gettext_lazy("cash loan"),
    "INSTALMENT": gettext_lazy("instalment purchase"),
    "CARD": gettext_lazy("credit card"),
    "MICRO_BUSINESS": gettext_lazy("micro business loan"),
    "LOAN": gettext_lazy("loan"),
}
FILTERS = ("bucket", "product", "region", "hold", "least")
SORTS = {
    "balance": gettext_lazy("Balance"),
    "days": gettext_lazy("Days past due"),
    "bucket": gettext_lazy("Bucket"),
    "product": gettext_lazy("Product"),
    "region": gettext_lazy("Region"),
}
#: shades of the heat map: a cell's class is heat-0 … heat-5
HEAT_STEPS = 5


def asked(query: Mapping[str, str]) -> dict[str, Any]:
    """Read filters, sorting and page from an address; what makes no sense is left out."""
    filters = {key: query.get(key, "").strip()[:40] for key in FILTERS if query.get(key, "").strip()}
    if not filters.get("least", "0").isdigit() or len(filters.get("least", "")) > 13:
        filters.pop("least")
    sort = query.get("sort", "-balance")
    number = query.get("page", "1")
    return {
        "filters": filters,
        "sort": sort if sort.lstrip("-") in SORTS else "-balance",
        "page": int(number) if number.isdigit() and 0 < int(number) < 1_000_000 else 1,
    }


def matrix(rolls: pl.DataFrame) -> list[dict[str, Any]]:
    """Give the roll-rate matrix row by row: from-bucket, accounts observed, and a cell a to-bucket."""
    found: list[dict[str, Any]] = []
    for row in rolls.iter_rows(named=True):
        if not found or found[-1]["bucket"] != row["from_bucket"]:
            found.append({"bucket": row["from_bucket"], "n": row["n"], "cells": []})
        rate = row["rate"]
        found[-1]["cells"].append(
            {"bucket": row["to_bucket"], "accounts": row["accounts"], "rate": rate, "percent": None if rate is None else f"{100 * rate:.1f}",
             "heat": 0 if not rate else 1 + min(int(rate * HEAT_STEPS), HEAT_STEPS - 1)}
        )  # fmt: skip
    return found


def overview(
    *,
    buckets: Sequence[Mapping[str, Any]],
    rolls: pl.DataFrame,
    page: Mapping[str, Any],
    choices: Mapping[str, list[str]],
    asked: Mapping[str, Any],
    actor: Actor,
) -> dict[str, Any]:
    """Give the book's first page."""
    kept = dict(asked["filters"])

    def address(**change: object) -> str:
        return "?" + urlencode(kept | {"sort": asked["sort"]} | change)

    shown_matrix = matrix(rolls)
    labels = {"product": PRODUCTS, "hold": HOLDS}
    return {
        "buckets": buckets,
        "total_accounts": sum(row["accounts"] for row in buckets),
        "totals": [
            {"currency": currency, "minor": sum(row["balance_minor"] for row in buckets if row["currency"] == currency)}
            for currency in dict.fromkeys(row["currency"] for row in buckets)
        ],
        "matrix": shown_matrix,
        "matrix_columns": [cell["bucket"] for cell in shown_matrix[0]["cells"]] if shown_matrix else [],
        "moves": sum(row["n"] for row in shown_matrix),
        "accounts": [
            dict(row) | {"product_label": PRODUCTS.get(row["product"], row["product"]), "hold_labels": [HOLDS.get(kind, kind) for kind in (row["holds"] or "").split()]}
            for row in page["rows"]
        ],
        "found": page["total"],
        "found_minor": page["balance_minor"],
        "currency": buckets[0]["currency"] if buckets else "CNY",
        "page": page["page"],
        "pages": page["pages"],
        "previous": address(page=page["page"] - 1) if page["page"] > 1 else "",
        "next": address(page=page["page"] + 1) if page["page"] < page["pages"] else "",
        "columns": [
            {"label": label, "address": address(sort=f"-{key}" if asked["sort"] == key else key), "here": asked["sort"].lstrip("-") == key,
             "direction": "descending" if asked["sort"] == f"-{key}" else "ascending"}
            for key, label in SORTS.items()
        ],
        "selects": [
            {"name": key, "label": label, "options": [{"value": value, "label": labels.get(key, {}).get(value, value), "chosen": kept.get(key) == value} for value in choices[key] if value]}
            for key, label in (("bucket", SORTS["bucket"]), ("product", SORTS["product"]), ("region", SORTS["region"]), ("hold", gettext_lazy("Hold")))
        ],
        "least": kept.get("least", ""),
        "sort": asked["sort"],
        "filtered": bool(kept),
        "may_import": actor.may("book.import"),
    }  # fmt: skip


def account(
    row: Mapping[str, Any],
    *,
    history: pl.DataFrame,
    placements: pl.DataFrame,
    payments: pl.DataFrame,
    actor: Actor,
) -> dict[str, Any]:
    """Give one account: figures, months, holds, and everything that happened in order, newest first."""
    own = str(row["id"])
    happened = [
        {"on": row["imported_at"], "what": gettext_lazy("imported"), "detail": row["filename"], "minor": None}
    ]
    for entry in row["holds"]:
        happened.append(
            {
                "on": entry["active_from"],
                "what": gettext_lazy("hold begins"),
                "detail": HOLDS.get(entry["kind"], entry["kind"]),
                "minor": None,
            }
        )
        if entry["active_to"]:
            happened.append(
                {
                    "on": entry["active_to"],
                    "what": gettext_lazy("hold ends"),
                    "detail": HOLDS.get(entry["kind"], entry["kind"]),
                    "minor": None,
                }
            )
    for placed in placements.filter(pl.col("account_id").cast(pl.String) == own).iter_rows(named=True):
        happened.append(
            {
                "on": placed["placed_at"],
                "what": gettext_lazy("placed"),
                "detail": placed["case_ref"],
                "minor": placed["balance_minor"],
            }
        )
        if placed["ended_at"]:
            happened.append(
                {
                    "on": placed["ended_at"],
                    "what": gettext_lazy("placement ended"),
                    "detail": placed["case_ref"],
                    "minor": None,
                }
            )
    for paid in payments.filter(pl.col("account_id").cast(pl.String) == own).iter_rows(named=True):
        happened.append(
            {"on": paid["paid_on"], "what": gettext_lazy("paid"), "detail": "", "minor": paid["amount_minor"]}
        )
    happened.sort(key=lambda event: str(event["on"]), reverse=True)
    return {
        "account": dict(row) | {"product_label": PRODUCTS.get(row["product"], row["product"])},
        "holds": [
            dict(entry)
            | {"label": HOLDS.get(entry["kind"], entry["kind"]), "open": entry["active_to"] is None}
            for entry in row["holds"]
        ],
        "history": history.sort("month", descending=True).to_dicts(),
        "happened": happened,
        "kinds": [{"value": kind, "label": label} for kind, label in HOLDS.items()],
        "may_hold": actor.may("book.hold"),
    }


def imports(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the imports with their reconciliation."""
    return {
        "imports": [
            dict(row)
            | {
                "out_of_scope": row["report"].get("out_of_scope", 0),
                "rejected_minor": row["report"].get("rejected_balance_minor", 0),
                "has_rejects": bool(row["report"].get("reject_file")),
            }
            for row in rows
        ]
    }
