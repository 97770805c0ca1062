"""Cases as the care desk reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.foundation.tenancy.actors import Actor
from weituo.web.presenters.borrower import KIND_LABELS, REASONS
from weituo.web.presenters.ledger import agency_names

SOURCES = {
    "BORROWER_PAGE": gettext_lazy("borrower's page"),
    "AGENCY": gettext_lazy("told to the agency"),
    "PHONE": gettext_lazy("telephone"),
}
SOON = timedelta(days=2)
#: what a person decides, in the words of each kind: (value, words)
DECISIONS = {
    "DISPUTE": (
        ("yes", gettext_lazy("The borrower is right")),
        ("no", gettext_lazy("The debt stands as it is")),
    ),
    "HARDSHIP": (
        ("yes", gettext_lazy("Hardship is accepted")),
        ("no", gettext_lazy("Hardship is not accepted")),
    ),
    "COMPLAINT": (
        ("yes", gettext_lazy("The complaint is justified")),
        ("no", gettext_lazy("The complaint is not justified")),
    ),
}
#: what happens to the hold once the case is answered
STAYS = {
    "DISPUTE": gettext_lazy(
        "If the borrower is right, the hold stays until a person lifts it. Otherwise it ends with the answer and contact may go on."
    ),
    "HARDSHIP": gettext_lazy(
        "If hardship is accepted, the hold stays until a person lifts it. Otherwise it ends with the answer and contact may go on."
    ),
    "COMPLAINT": gettext_lazy(
        "The hold ends with the answer. A justified complaint counts in the agency's scorecard."
    ),
}


def _clock(due_at: datetime, at: datetime) -> str:
    if due_at <= at:
        return "bad"
    return "act" if due_at - at < SOON else "wait"


def _shown(row: Mapping[str, Any], names: Mapping[str, str], at: datetime) -> dict[str, Any]:
    return dict(row) | {
        "kind_label": KIND_LABELS[row["kind"]],
        "reason_label": REASONS[row["kind"]].get(row["reason"], row["reason"]),
        "source_label": SOURCES.get(row["source"], row["source"]),
        "agency": names.get(str(row["agency_id"]), ""),
        "tone": _clock(row["due_at"], at) if row["state"] == "OPEN" else "good",
        "overdue": row["state"] == "OPEN" and row["due_at"] <= at,
    }


def desk(
    *,
    cases: Sequence[Mapping[str, Any]],
    frame: pl.DataFrame,
    agencies: Sequence[Any],
    state: str,
    kind: str,
    at: datetime,
) -> dict[str, Any]:
    """Give the desk: counts, then cases by clock."""
    names = agency_names(agencies)
    open_cases = frame.filter(pl.col("state") == "OPEN")
    by_agency = (
        frame.filter((pl.col("kind") == "COMPLAINT") & pl.col("agency_id").is_not_null())
        .group_by("agency_id")
        .len()
        .sort("len", descending=True)
    )
    overdue = open_cases.filter(pl.col("due_at") <= at).height
    soon = open_cases.filter((pl.col("due_at") > at) & (pl.col("due_at") <= at + SOON)).height
    first = [row for row in cases if row["state"] == "OPEN"][:1]
    return {
        "state_bar": _desk_state(open_cases.height, overdue, soon, first),
        "cases": [_shown(row, names, at) for row in cases],
        "open": open_cases.height,
        "overdue": overdue,
        "soon": soon,
        "by_kind": [
            {"kind": code, "label": label, "count": open_cases.filter(pl.col("kind") == code).height}
            for code, label in KIND_LABELS.items()
        ],
        "complaints_by_agency": [
            {"agency": names.get(row["agency_id"], ""), "count": row["len"]} for row in by_agency.to_dicts()
        ],
        "state": state,
        "kind": kind,
    }


def _desk_state(waiting: int, overdue: int, soon: int, first: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    following = [{"label": _("Open %(number)s") % {"number": row["number"]}, "url": reverse("care:case", args=[row["id"]])} for row in first]  # fmt: skip
    if not waiting:
        return {"tone": "good", "text": _("No borrower waits for an answer."), "next": []}
    text = ngettext("%(n)s borrower's case waits for an answer.", "%(n)s borrowers' cases wait for an answer.", waiting) % {"n": waiting}  # fmt: skip
    if overdue:
        said = ngettext("%(n)s is overdue.", "%(n)s are overdue.", overdue) % {"n": overdue}
        return {"tone": "bad", "text": f"{text} {said}", "next": following}
    if soon:
        said = ngettext("%(n)s is due within two days.", "%(n)s are due within two days.", soon) % {"n": soon}
        return {"tone": "watch", "text": f"{text} {said}", "next": following}
    said = _("All clocks have more than two days left.")
    return {"tone": "good", "text": f"{text} {said}", "next": following}


def case(
    row: Mapping[str, Any],
    *,
    reach: Mapping[str, Any],
    contacts: Mapping[str, Any],
    agencies: Sequence[Any],
    actor: Actor,
    at: datetime,
    typed: Mapping[str, str],
) -> dict[str, Any]:
    """Give one case: what was said, what stopped, and how it may be answered."""
    shown = _shown(row, agency_names(agencies), at)
    may_decide = row["state"] == "OPEN" and actor.may("care.decide_case")
    following = [{"label": _("Answer it"), "url": "#answer"}] if may_decide else []
    state: dict[str, Any]
    if row["state"] == "DECIDED":
        state = {"tone": "good", "text": _("Answered; the answer stands on the borrower's page."), "next": []}
    elif shown["overdue"]:
        state = {"tone": "bad", "text": _("The answer is overdue."), "next": following}
    else:
        tone = {"act": "watch", "wait": "none"}.get(shown["tone"], "none")
        state = {
            "tone": tone,
            "text": _("Contact has stopped; the borrower waits for an answer."),
            "next": following,
        }
    return {
        "case": shown,
        "state": state,
        "may_decide": may_decide,
        "may_read_words": actor.may("vault.read"),
        "may_stop": actor.may("care.stop_everywhere") and not reach.get("stopped_since"),
        "reach": reach,
        "contacts": contacts,
        "stays": STAYS[row["kind"]],
        "choices": DECISIONS[row["kind"]],
        "typed": {key: typed.get(key, "") for key in ("upheld", "answer", "reason")},
    }
