"""The book as people at the lender read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import polars as pl
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.core.recovery.buckets import BUCKETS
from weituo.foundation.tenancy.actors import Actor
from weituo.web.names import bucket_name
from weituo.web.posted import day_within_reach, hundredths, whole
from weituo.web.presenters import relations, timeline
from weituo.web.presenters.book_words import HOLDS, PRODUCTS
from weituo.web.presenters.naming import name_of
from weituo.web.presenters.regions import region_name
from weituo.web.templatetags.weituo import day as day_text
from weituo.web.templatetags.weituo import money as money_text

FILTERS = ("number", "bucket", "product", "region", "hold", "least", "most")
#: filters that people type as an amount; the address holds the amount, the query minor units
AMOUNTS = ("least", "most")
SORTS = {
    "balance": gettext_lazy("Balance"),
    "days": gettext_lazy("Days past due"),
    "bucket": gettext_lazy("Bucket"),
    "product": gettext_lazy("Product"),
    "region": gettext_lazy("Region"),
}
#: shades of the heat map: a cell's class is heat-0 … heat-5
HEAT_STEPS = 5
#: a lender draws its book up once a month; a file older than this leaves newly overdue accounts out
FILE_DAYS = 35


def asked(query: Mapping[str, str], *, today: date) -> dict[str, Any]:
    """Read filters, sorting, page and the day of the figures (today unless named); what makes no sense is left out."""
    typed = {key: query.get(key, "").strip()[:40] for key in FILTERS if query.get(key, "").strip()}
    filters = dict(typed)
    for key in AMOUNTS:
        amount = hundredths(typed.get(key, ""))
        if amount is None:
            filters.pop(key, None)
            typed.pop(key, None)
        else:
            filters[key] = str(amount)
    try:
        typed["on"] = (on := day_within_reach(query.get("on", ""))).isoformat()
    except ValueError:
        on = today
    sort = query.get("sort", "-balance")
    number = query.get("page", "1")
    return {
        "filters": filters,
        "typed": typed,
        "sort": sort if sort.lstrip("-") in SORTS else "-balance",
        "page": whole(number, otherwise=1) or 1,
        "on": on,
    }


def _choice(key: str, value: str, labels: Mapping[str, Mapping[str, Any]]) -> Any:
    if key == "region":
        return region_name(value)
    return bucket_name(value) if key == "bucket" else labels.get(key, {}).get(value, value)


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
    rolls: pl.DataFrame | None,
    names: Mapping[UUID, str],
    page: Mapping[str, Any],
    choices: Mapping[str, list[str]],
    asked: Mapping[str, Any],
    stated: date | None,
    actor: Actor,
) -> dict[str, Any]:
    """Give the book's first page; `stated` is the latest day that a file spoke of."""
    kept = dict(asked["typed"])

    def address(**change: object) -> str:
        return "?" + urlencode(kept | {"sort": asked["sort"]} | change)

    shown_matrix = matrix(rolls) if rolls is not None else []
    labels = {"product": PRODUCTS, "hold": HOLDS}
    return {
        "state": _state(buckets, actor, on=asked["on"], stated=stated),
        "chart": _buckets_chart(buckets, on=asked["on"]),
        "on": asked["on"],
        "asked_on": kept.get("on", ""),
        "bucket_rows": [dict(row) | {"address": address(bucket=row["bucket"])} for row in buckets],
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
            dict(row) | {"name": names.get(row["borrower_id"], ""), "region_name": region_name(row["region"]), "product_label": PRODUCTS.get(row["product"], row["product"]), "hold_labels": [HOLDS.get(kind, kind) for kind in (row["holds"] or "").split()]}
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
             "direction": "descending" if asked["sort"] == f"-{key}" else "ascending", "number": key in {"balance", "days"}}
            for key, label in SORTS.items()
        ],
        "selects": [
            {"name": key, "label": label, "options": [{"value": value, "label": _choice(key, value, labels), "chosen": kept.get(key) == value} for value in choices[key] if value]}
            for key, label in (("bucket", SORTS["bucket"]), ("product", SORTS["product"]), ("region", SORTS["region"]), ("hold", gettext_lazy("Hold")))
        ],
        "least": kept.get("least", ""),
        "most": kept.get("most", ""),
        "number": kept.get("number", ""),
        "sort": asked["sort"],
        "filtered": bool(set(kept) - {"on"}),
        "may_import": actor.may("book.import"),
    }  # fmt: skip


def _state(
    buckets: Sequence[Mapping[str, Any]], actor: Actor, *, on: date, stated: date | None
) -> dict[str, Any]:
    following = [{"label": _("Imports"), "url": reverse("book:imports")}]
    if not buckets:
        return {"tone": "none", "text": _("The book is empty."), "next": following}
    late = {bucket: sum(row["accounts"] for row in buckets if row["bucket"] == bucket) for bucket in BUCKETS}
    total = sum(row["accounts"] for row in buckets)
    old = sum(count for bucket, count in late.items() if bucket in BUCKETS[4:])
    text = _("%(share)s of %(count)s open accounts are more than three months late on %(day)s.")
    said = text % {"share": f"{100 * old / total:.1f}%", "count": f"{total:,}", "day": day_text(on)}
    outdated = stated is not None and (on - stated).days > FILE_DAYS
    if stated is not None and outdated:
        said += " " + _("The last file is of %(day)s: what fell overdue since is not in the book.") % {"day": day_text(stated)}  # fmt: skip
    if actor.may("plans.read"):
        following.insert(0, {"label": _("Who treats what"), "url": reverse("plans:index") + "#treatments"})
    return {"tone": "watch" if outdated else "none", "text": said, "next": following}


def _buckets_chart(buckets: Sequence[Mapping[str, Any]], *, on: date) -> dict[str, Any] | None:
    """Draw the money per bucket of the currency that most of it is in."""
    if not buckets:
        return None
    sums: dict[str, int] = {}
    for row in buckets:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["balance_minor"]
    currency = max(sums, key=lambda code: sums[code])
    rows = {row["bucket"]: row for row in buckets if row["currency"] == currency}
    known = [bucket for bucket in BUCKETS if bucket in rows]
    most = max(known, key=lambda bucket: rows[bucket]["balance_minor"])
    share = rows[most]["balance_minor"] / (sums[currency] or 1)
    return {
        "id": "buckets",
        "kind": "bar",
        "title": _("%(bucket)s holds most of the money: %(share)s") % {"bucket": bucket_name(most), "share": f"{100 * share:.1f}%"},
        "subtitle": _("Balance of open accounts by bucket on %(day)s, %(currency)s") % {"currency": currency, "day": day_text(on)},
        "note": _("n = %(n)s open accounts") % {"n": f"{sum(row['accounts'] for row in rows.values()):,}"},
        "x": {"name": _("Bucket"), "values": [bucket_name(bucket) for bucket in known], "links": ["?" + urlencode({"bucket": bucket}) + "#accounts" for bucket in known]},
        "y": {"name": _("Balance"), "format": "money", "currency": currency},
        "series": [{"name": _("Balance"), "values": [rows[bucket]["balance_minor"] for bucket in known], "style": "solid"}],
    }  # fmt: skip


def account(
    row: Mapping[str, Any],
    *,
    history: pl.DataFrame,
    story: Sequence[Mapping[str, Any]],
    names: Mapping[UUID, str],
    agencies: Sequence[Any],
    conflicts: Sequence[Mapping[str, Any]],
    on: date,
    actor: Actor,
) -> dict[str, Any]:
    """Give one account on a day: figures, months, holds, agencies in conflict with it, and everything that happened in order, newest first."""
    agency = {one.id: name_of({"name_zh": one.name_zh, "name_en": one.name_en, "code": one.code}) for one in agencies}  # fmt: skip
    holds = [
        dict(entry) | {"label": HOLDS.get(entry["kind"], entry["kind"]), "open": entry["active_to"] is None}
        for entry in row["holds"]
    ]
    imported = {"at": row["imported_at"], "what": _("imported"), "tone": "none", "detail": row["filename"], "agency": "", "minor": None, "url": ""}  # fmt: skip
    happened = [timeline.shown(event, agency) for event in story] + [imported]
    return {
        "account": dict(row)
        | {"product_label": PRODUCTS.get(row["product"], row["product"]), "region_name": region_name(row["region"]), "name": names.get(row["borrower_id"], "")},
        "state": _account_state(holds, story, agency),
        "holds": holds,
        "conflicts": relations.of_account(conflicts),
        "on": on,
        "history": history.sort("month", descending=True).to_dicts(),
        "happened": happened,
        "kinds": [{"value": kind, "label": label} for kind, label in HOLDS.items()],
        "may_hold": actor.may("book.hold"),
    }  # fmt: skip


def _account_state(
    holds: Sequence[Mapping[str, Any]], story: Sequence[Mapping[str, Any]], agency: Mapping[UUID, str]
) -> dict[str, Any]:
    """Say who handles the account now, and what holds it back."""
    last = next((event for event in story if event["what"] in {"PLACED", "PLACEMENT_ENDED"}), None)
    # an open promise keeps the account where it is; it holds no work back
    held = [str(hold["label"]) for hold in holds if hold["open"] and hold["kind"] != "PROMISE"]
    where = _("Handled in-house.")
    if last is not None and last["what"] == "PLACED":
        where = _("Placed with %(agency)s.") % {"agency": agency.get(last["agency_id"], "–")}
    if held:
        text = _("%(where)s Held back: %(holds)s.") % {"where": where, "holds": _(", ").join(held)}
        return {"tone": "watch", "text": text, "next": [{"label": _("See the holds"), "url": "#holds"}]}
    return {"tone": "good", "text": where, "next": []}


def _known(report: Mapping[str, Any]) -> str:
    """Say what became of accounts that stood in the book before; nothing where the file brought none."""
    if not report.get("updated") and not report.get("unchanged"):
        return ""
    return _("%(new)s new, %(updated)s updated, %(unchanged)s unchanged") % {
        name: f"{report[name]:,}" for name in ("new", "updated", "unchanged")
    }


def _differing(row: Mapping[str, Any]) -> str:
    """Say that a file does not agree with payments booked here, and by how much; nothing where it does."""
    report = row["report"]
    if not report.get("differing"):
        return ""
    text = ngettext(
        "%(n)s account differs from the book after its payments: %(amount)s kept as the book has it",
        "%(n)s accounts differ from the book after their payments: %(amount)s kept as the book has it",
        report["differing"],
    )
    return text % {"n": f"{report['differing']:,}", "amount": money_text(report["difference_minor"], row["currency"])}  # fmt: skip


def imports(rows: Sequence[Mapping[str, Any]], *, profiles: Sequence[str], actor: Actor) -> dict[str, Any]:
    """Give the imports with their reconciliation, and what the form offers."""
    rejected = sum(row["rejected"] for row in rows)
    whole = all(
        row["rows"] == row["accounts"] + row["rejected"] + row["report"].get("out_of_scope", 0)
        for row in rows
    )
    read = ngettext("%(n)s file was read.", "%(n)s files were read.", len(rows)) % {"n": len(rows)}
    state: dict[str, Any] = {
        "tone": "good",
        "text": " ".join([read, _("Every row is accounted for.")]),
        "next": [],
    }
    if not rows:
        state = {"tone": "none", "text": _("Nothing was imported yet."), "next": []}
    elif not whole:
        state = {"tone": "bad", "text": " ".join([read, _("Rows are missing from the count.")]), "next": []}
    elif rejected:
        text = ngettext(
            "%(n)s row was rejected; its file says why.",
            "%(n)s rows were rejected; their files say why.",
            rejected,
        )
        state = {"tone": "watch", "text": f"{read} {text % {'n': rejected}}", "next": []}
    return {
        "state": state,
        "profiles": profiles,
        "may_import": actor.may("book.import"),
        "most_mb": settings.WEITUO_UPLOAD_MB,
        "imports": [
            dict(row)
            | {
                "out_of_scope": row["report"].get("out_of_scope", 0),
                "rejected_minor": row["report"].get("rejected_balance_minor", 0),
                "has_rejects": bool(row["report"].get("reject_file")),
                "known": _known(row["report"]),
                "differing_text": _differing(row),
                "has_differences": bool(row["report"].get("differences_file")),
            }
            for row in rows
        ],
    }
