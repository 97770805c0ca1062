"""Strategies as an editable table: rows as people type them, and what they would do to the book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.plans import treating
from weituo.foundation.tenancy.actors import Actor
from weituo.web.names import bucket_name
from weituo.web.posted import Posted, hundredths, whole
from weituo.web.presenters.book_words import PRODUCTS

TREATMENTS = {
    "SELF_SERVICE": gettext_lazy("self-service"),
    "IN_HOUSE": gettext_lazy("in-house"),
    "AGENCY": gettext_lazy("agency"),
    "LEGAL": gettext_lazy("legal action"),
    "HOLD": gettext_lazy("hold"),
}
UNDECIDED = gettext_lazy("not decided yet")
CHANNELS = {
    "VOICE": gettext_lazy("telephone"),
    "SMS": gettext_lazy("text message"),
    "EMAIL": gettext_lazy("e-mail"),
    "LETTER": gettext_lazy("letter"),
    "VISIT": gettext_lazy("visit"),
}
TONES = {
    "REMIND": gettext_lazy("reminding"),
    "FRIENDLY": gettext_lazy("friendly"),
    "FIRM": gettext_lazy("firm"),
    "FORMAL": gettext_lazy("formal"),
}
AGAIN = {
    "NEXT_TIER": gettext_lazy("then another agency of the next tier"),
    "OTHER": gettext_lazy("then any other agency"),
    "ANY": gettext_lazy("then any agency, the same as well"),
}
STATES = {
    "DRAFT": (gettext_lazy("draft"), "watch"),
    "PUBLISHED": (gettext_lazy("in force"), "good"),
    "RETIRED": (gettext_lazy("retired"), "none"),
}
HARDSHIP = {"": None, "yes": True, "no": False}
LISTS = ("buckets", "products", "channels")
SIMPLE = ("treatment", "tone", "hardship", "tier_max", "balance_from", "balance_to", "contacts_per_week_max", "settlement", "again", "split")  # fmt: skip


def typed_row(row: treating.Row) -> dict[str, Any]:
    """Give a stored row as it stands in the form."""
    return {
        "buckets": list(row.buckets),
        "products": list(row.products),
        "channels": list(row.channels),
        "treatment": row.treatment,
        "tone": row.tone,
        "hardship": {None: "", True: "yes", False: "no"}[row.hardship],
        "tier_max": "" if row.tier_max is None else str(row.tier_max),
        "balance_from": _amount(row.balance_minor_min),
        "balance_to": _amount(row.balance_minor_max),
        "contacts_per_week_max": str(row.contacts_per_week_max),
        "settlement": _amount(row.settlement_bps_max),
        "again": row.again,
        "split": "yes" if row.split else "",
    }


def _amount(hundredth: int | None) -> str:
    if hundredth is None:
        return ""
    whole, part = divmod(hundredth, 100)
    return f"{whole}.{part:02d}" if part else str(whole)


def posted_rows(posted: Posted) -> list[dict[str, Any]]:
    """Give the rows that a form sent, as they were typed."""
    count = whole(posted.text("rows"), otherwise=0)
    return [
        {name: posted.text(f"r{number}-{name}") for name in SIMPLE}
        | {name: posted.texts(f"r{number}-{name}") for name in LISTS}
        for number in range(min(count, treating.ROWS_MAX))
    ]


def read_rows(typed: Sequence[Mapping[str, Any]]) -> tuple[list[treating.Row], list[str]]:
    """Read typed rows; give the rows and, for what cannot be read, a sentence each."""
    rows, wrong = [], []
    for number, row in enumerate(typed, start=1):
        numbers = {"balance_from": hundredths(row["balance_from"]), "balance_to": hundredths(row["balance_to"]), "settlement": hundredths(row["settlement"] or "0")}  # fmt: skip
        bad = [name for name, value in numbers.items() if value is None and row[name]]
        weekly = row["contacts_per_week_max"]
        if bad or not (weekly.isascii() and weekly.isdigit() and len(weekly) <= 2):
            wrong.append(_("Row %(number)s: amounts, per cent and contacts a week are plain numbers.") % {"number": number})  # fmt: skip
            continue
        try:
            read = treating.Row(
                treatment=row["treatment"],
                buckets=tuple(row["buckets"]),
                products=tuple(row["products"]),
                balance_minor_min=numbers["balance_from"],
                balance_minor_max=numbers["balance_to"],
                hardship=HARDSHIP.get(row["hardship"]),
                tier_max=int(row["tier_max"]) if row["tier_max"] in {"1", "2", "3"} and row["treatment"] == "AGENCY" else None,
                channels=tuple(row["channels"]),
                tone=row["tone"],
                contacts_per_week_max=int(weekly),
                settlement_bps_max=numbers["settlement"] or 0,
                again=row["again"] or "OTHER",
                split=row["split"] == "yes",
            )  # fmt: skip
        except TypeError:
            wrong.append(_("Row %(number)s: choose from the lists; numbers stay small.") % {"number": number})
            continue
        rows.append(read)
    return rows, wrong


def changed_order(typed: list[dict[str, Any]], do: str) -> list[dict[str, Any]]:
    """Add, remove or move a row as the pressed button says (“add”, “remove-2”, “up-2”, “down-2”)."""
    verb, _dash, place = do.partition("-")
    index = whole(place, otherwise=-1)
    rows = list(typed)
    if verb == "add" and len(rows) < treating.ROWS_MAX:
        # above the last row, which catches everything
        rows.insert(max(len(rows) - 1, 0), typed_row(treating.Row(treatment="IN_HOUSE", buckets=("M1",))))
    elif verb == "remove" and 0 <= index < len(rows):
        del rows[index]
    elif verb == "up" and 0 < index < len(rows):
        rows[index - 1], rows[index] = rows[index], rows[index - 1]
    elif verb == "down" and 0 <= index < len(rows) - 1:
        rows[index + 1], rows[index] = rows[index], rows[index + 1]
    return rows


def _options(labels: Mapping[str, Any], chosen: Sequence[str]) -> list[dict[str, Any]]:
    return [{"value": value, "label": label, "chosen": value in chosen} for value, label in labels.items()]


def _list(labels: Mapping[str, Any], chosen: Sequence[str]) -> dict[str, Any]:
    names = [str(labels.get(value, value)) for value in chosen]
    return {"options": _options(labels, chosen), "text": _(", ").join(names) or _("any")}


def editor(
    found: Mapping[str, Any],
    *,
    typed: Sequence[Mapping[str, Any]],
    trial: Mapping[str, Any] | None,
    totals: Sequence[Mapping[str, Any]],
    products: Sequence[str],
    actor: Actor,
) -> dict[str, Any]:
    """Give one strategy's table, its problems, and the trial on the book when one was asked for."""
    rows, unreadable = read_rows(typed)
    problems = [] if unreadable else treating.problems(rows)
    known = {code: PRODUCTS.get(code, code) for code in [*products, *(one for row in typed for one in row["products"])]}  # fmt: skip
    by_row = trial["by_row"] if trial else {}
    label, tone = STATES[found["state"]]
    draft = found["state"] == "DRAFT"
    context = {
        "strategy": dict(found) | {"label": label, "tone": tone},
        "rows": [
            dict(row)
            | {
                "number": number,
                "name": f"r{number}-",
                "first": number == 0,
                "last": number == len(typed) - 1,
                "bucket": _list({code: bucket_name(code) for code in BUCKETS}, row["buckets"]),
                "product": _list(known, row["products"]),
                "channel": _list(CHANNELS, row["channels"]),
                "treatments": _options(TREATMENTS, [row["treatment"]]),
                "treatment_label": TREATMENTS.get(row["treatment"], row["treatment"]),
                "tones": _options(TONES, [row["tone"]]),
                "tone_label": TONES.get(row["tone"], row["tone"]),
                "tiers": [{"value": tier, "chosen": row["tier_max"] == tier} for tier in ("1", "2", "3")],
                "agains": _options(AGAIN, [row["again"]]),
                "again_label": AGAIN.get(row["again"], row["again"]),
                "problems": [text for at, text in problems if at == number + 1],
                "accounts": by_row.get(number, {}).get("accounts", 0) if trial else None,
                "balance_minor": by_row.get(number, {}).get("balance_minor", 0) if trial else None,
            }
            for number, row in enumerate(typed)
        ],
        "unreadable": unreadable,
        "whole": [text for at, text in problems if at == 0],
        "trial": _trial(trial, totals) if trial else None,
        "may_edit": draft and actor.may("plans.edit_strategy"),
        "may_copy": actor.may("plans.edit_strategy"),
        "may_publish": draft and bool(trial) and not problems and not unreadable and actor.may("plans.publish_strategy"),
        "may_apply": found["state"] == "PUBLISHED" and actor.may("plans.edit_strategy"),
    }  # fmt: skip
    context["state"] = _state(found, problems=len(problems) + len(unreadable), trial=trial)
    return context


def _trial(trial: Mapping[str, Any], totals: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Put what the strategy would do beside what stands now."""
    now: dict[str, dict[str, int]] = {}
    for row in totals:
        kept = now.setdefault(row["treatment"], {"accounts": 0, "balance_minor": 0})
        kept["accounts"] += row["accounts"]
        kept["balance_minor"] += row["balance_minor"]
    then = {row["treatment"]: row for row in trial["by_treatment"]}
    nothing = {"accounts": 0, "balance_minor": 0}
    labels = {**TREATMENTS, "": UNDECIDED}
    rows = [
        {"label": label, "accounts": then.get(code, nothing)["accounts"], "balance_minor": then.get(code, nothing)["balance_minor"], "now": now.get(code, nothing)["accounts"], "now_minor": now.get(code, nothing)["balance_minor"]}
        for code, label in labels.items()
        if code in then or code in now
    ]  # fmt: skip
    title = ngettext("%(count)s account would be treated otherwise than now", "%(count)s accounts would be treated otherwise than now", trial["changed"])  # fmt: skip
    return {
        "accounts": trial["accounts"],
        "changed": trial["changed"],
        "unmatched": trial["unmatched"],
        "currency": trial["currency"],
        "rows": rows,
        "chart": {
            "id": "trial",
            "kind": "bar",
            "title": title % {"count": f"{trial['changed']:,}"},
            "subtitle": _("Open accounts by treatment"),
            "note": _("n = %(n)s open accounts") % {"n": f"{trial['accounts']:,}"},
            "x": {"name": _("Treatment"), "values": [str(row["label"]) for row in rows]},
            "y": {"name": _("Accounts"), "format": "count"},
            "series": [
                {"name": _("now"), "values": [row["now"] for row in rows], "style": "peer"},
                {
                    "name": _("by this strategy"),
                    "values": [row["accounts"] for row in rows],
                    "style": "solid",
                },
            ],
        },
    }


def _state(found: Mapping[str, Any], *, problems: int, trial: Mapping[str, Any] | None) -> dict[str, Any]:
    if found["state"] == "PUBLISHED":
        return {"tone": "good", "text": _("This strategy is in force. To change it, copy it to a draft."), "next": []}  # fmt: skip
    if found["state"] == "RETIRED":
        return {"tone": "none", "text": _("This strategy is retired. It stays to explain past treatments."), "next": []}  # fmt: skip
    if problems:
        text = ngettext("A draft with %(count)s problem to mend before it can be published.", "A draft with %(count)s problems to mend before it can be published.", problems)  # fmt: skip
        return {"tone": "watch", "text": text % {"count": problems}, "next": []}
    if trial is None:
        return {"tone": "watch", "text": _("A draft in order. Try it on the book before it is published."), "next": [{"label": _("Try on the book"), "url": "?try=1#trial"}]}  # fmt: skip
    return {"tone": "watch", "text": _("A draft, tried on the book below. It can be published."), "next": [{"label": _("See the trial"), "url": "#trial"}]}  # fmt: skip
