"""Whom a run left out, as a list and as a file; whom it held out, and what that costs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from weituo.foundation.errors import Refusal
from weituo.web.posted import whole
from weituo.web.presenters.log import RUNNABLE
from weituo.web.presenters.placing import EXCLUSIONS, HOLD_OUTS, Asked, steps
from weituo.web.presenters.regions import region_name
from weituo.web.templatetags.weituo import money

COLUMNS = ("account", "reason", "reasons", "product", "bucket", "region", "currency", "balance_minor")


def page_of(query: Mapping[str, str]) -> tuple[str, int]:
    """Read the reason and the page asked for; an unknown reason is none."""
    reason = query.get("reason", "")
    return (reason if reason in EXCLUSIONS else "", max(whole(query.get("page", "1"), otherwise=1), 1))


def listing(
    found: Mapping[str, Any] | None, *, reason: str, base: str, refusal: Refusal | None = None
) -> dict[str, Any]:
    """Give the page that lists accounts left out: rows with every reason in words, and the reasons to choose from.

    base: the address's query without reason and page.
    """
    if found is None:
        return {"state": {"tone": "bad", "text": str(refusal), "next": []}, "rows": [], "reasons": []}
    text = ngettext("%(n)s account is left out.", "%(n)s accounts are left out.", found["total"])
    if found["total"] and not found["rows"] and found["page"] == 1:
        text = _("%(n)s accounts were left out; the run was solved before they were listed.")
    here = f"?{base}&reason={reason}&page="
    return {
        "state": {"tone": "none", "text": text % {"n": f"{found['total']:,}"}, "next": []},
        "rows": [
            dict(row)
            | {
                "first": EXCLUSIONS.get(row["reason"], row["reason"]),
                "others": [EXCLUSIONS.get(one, one) for one in row["reasons"] if one != row["reason"]],
                "region_label": region_name(row["region"]),
            }
            for row in found["rows"]
        ],
        "reasons": [
            {"value": code, "label": EXCLUSIONS.get(code, code), "n": n, "chosen": code == reason}
            for code, n in found["counts"].items()
        ],
        "page": found["page"],
        "pages": found["pages"],
        "previous": f"{here}{found['page'] - 1}" if found["page"] > 1 else "",
        "next": f"{here}{found['page'] + 1}" if found["page"] < found["pages"] else "",
    }


def before_solving(
    found: Mapping[str, Any] | None, *, given: Asked, reason: str, refusal: Refusal | None
) -> dict[str, Any]:
    """Give the list of the first step, of a run that nobody has solved yet."""
    page = listing(found, reason=reason, base=f"as_of={given.as_of.isoformat()}", refusal=refusal)
    return page | {"steps": steps("batch", given=given), "asked": given, "back": f"{reverse('placement:batch')}?{given.query}"}  # fmt: skip


def lines(blocks: Iterable[list[dict[str, Any]]]) -> Iterator[str]:
    """Write blocks of rows as CSV that spreadsheets read as text, with a byte order mark, a block at a time."""
    out = io.StringIO()
    writer = csv.writer(out)
    out.write("\ufeff")
    writer.writerow(COLUMNS)
    for block in blocks:
        for row in block:
            texts = [
                row[name]
                for name in ("number", "reason", "reasons", "product", "bucket", "region", "currency")
            ]
            writer.writerow(
                [*(f"'{text}" if text.startswith(RUNNABLE) else text for text in texts), row["balance_minor"]]
            )
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def held_out(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """Say whom a run holds out, for how long, and what that costs; None where nobody is."""
    told = run["proof"].get("hold_out")
    if not told or not told["share"]:
        return None
    words = {
        "n": f"{told['accounts']:,}",
        "units": f"{told['units']:,}",
        "share": f"{100 * told['share']:g}%",
        "kind": HOLD_OUTS.get(told["kind"], told["kind"]),
        "months": told["months"],
        "cost": money(told["cost_minor"], run["currency"]),
    }
    by_itself = run["parameters"].get("prices", {}).get("left_alone_bps")
    assumed = ""
    if told["kind"] == "LEFT_ALONE" and by_itself is not None:
        assumed = _("Assumed: %(share)s of what own work brings comes by itself.") % {
            "share": f"{by_itself / 100:g}%"
        }
    return dict(told) | {
        "assumed": assumed,
        "text": _("%(n)s accounts of %(units)s borrowers, %(share)s of each bucket drawn by chance, are %(kind)s for %(months)s months, so that what outsourcing adds can be measured.") % words,
        "price": _("The price of it: %(cost)s, what the best agency of each would have been worth.") % words,
    }  # fmt: skip
