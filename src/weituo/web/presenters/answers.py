"""What follows an approval, as the lender reads it: offers and refills, recall notices and objections, the terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from weituo.foundation.tenancy.actors import Actor
from weituo.web.presenters.naming import name_of
from weituo.web.presenters.placement_words import (
    DECIDED_HOW,
    DECLINES,
    NOTICE_STATES,
    OBJECTION_STATES,
    OBJECTIONS,
    PLACEMENT_STATES,
    RECALLS,
    REFILLS,
    WITHDRAWALS,
    labelled,
)


def offers(
    runs: Sequence[Mapping[str, Any]],
    declines: Sequence[Mapping[str, Any]],
    *,
    counts: Mapping[str, int],
    actor: Actor,
) -> dict[str, Any]:
    """Give the runs that made offers with their answers, and why agencies declined."""
    return {
        "state": _offers_state(counts),
        "runs": runs,
        "declines": [dict(row) | {"agency": name_of(row), "why": _why(row)} for row in declines],
        "overdue": counts["overdue"],
        "may_refill": actor.may("placement.refill"),
    }


def _offers_state(counts: Mapping[str, int]) -> dict[str, Any]:
    if counts["to_refill"]:
        text = ngettext(
            "%(n)s account came back from its agency and waits to be placed again.",
            "%(n)s accounts came back from their agencies and wait to be placed again.",
            counts["to_refill"],
        )
        return {"tone": "watch", "text": text % {"n": f"{counts['to_refill']:,}"}, "next": []}
    if counts["overdue"]:
        text = ngettext(
            "%(n)s offer is past its deadline: end it, then refill the run.",
            "%(n)s offers are past their deadline: end them, then refill the run.",
            counts["overdue"],
        )
        return {"tone": "watch", "text": text % {"n": f"{counts['overdue']:,}"}, "next": []}
    if counts["offered"]:
        text = ngettext(
            "%(n)s offer waits for its agency's answer.",
            "%(n)s offers wait for their agencies' answers.",
            counts["offered"],
        )
        return {"tone": "none", "text": text % {"n": f"{counts['offered']:,}"}, "next": []}
    return {"tone": "good", "text": _("No offer waits, and none came back."), "next": []}


def _why(row: Mapping[str, Any]) -> Any:
    if row["state"] == "WITHDRAWN":
        return WITHDRAWALS.get(row["answer_reason"], row["answer_reason"])
    if row["state"] == "LAPSED":
        return PLACEMENT_STATES["LAPSED"][0]
    return DECLINES.get(row["answer_reason"], row["answer_reason"])


def refills(
    run: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    totals: Sequence[Mapping[str, Any]],
    *,
    numbers: Mapping[str, str],
) -> dict[str, Any]:
    """Give where a run's declined and unanswered accounts went."""
    kept = sum(row["kept"] for row in totals)
    placed = sum(row["placed"] for row in totals)
    words = {"placed": f"{placed:,}", "kept": f"{kept:,}"}
    if not totals:
        state = {"tone": "none", "text": _("No account of this run was placed again."), "next": []}
    else:
        text = _("Placed again: %(placed)s accounts; kept in-house: %(kept)s.") % words
        state = {"tone": "good", "text": text, "next": []}
    return {
        "run": run,
        "state": state,
        "totals": totals,
        "rows": [
            dict(row)
            | {
                "shown": labelled(REFILLS, row["outcome"]),
                "why": _why(row),
                "from_agency": name_of({"name_zh": row["from_name_zh"], "name_en": row["from_name_en"]}),
                "to_agency": name_of({"name_zh": row["to_name_zh"], "name_en": row["to_name_en"]}) if row["to_code"] else "",
                "number_of_account": numbers.get(str(row["account_id"]), ""),
            }
            for row in rows
        ],
    }  # fmt: skip


def notice(row: Mapping[str, Any], *, today: date) -> dict[str, Any]:
    """Give one recall notice with its latest objection in words."""
    objected = row["objection_id"] is not None
    return dict(row) | {
        "shown": labelled(NOTICE_STATES, row["state"]),
        "why": RECALLS.get(row["reason"], row["reason"]),
        "due": row["state"] == "OPEN" and row["final_on"] <= today and row["objection_state"] != "OPEN",
        "moved": row["final_on"] != row["told_final_on"],
        "objection": labelled(OBJECTION_STATES, row["objection_state"]) if objected else None,
        "objects": OBJECTIONS.get(row["code"], row["code"]) if objected else "",
        "how": DECIDED_HOW.get(row["decided_how"] or "", ""),
        "open_objection": row["objection_state"] == "OPEN",
    }


def recalls(
    rows: Sequence[Mapping[str, Any]],
    *,
    counts: Mapping[str, int],
    actor: Actor,
    today: date,
    typed: Mapping[str, Any],
    everything: bool,
    problem: str = "",
) -> dict[str, Any]:
    """Give recall notices, those with an objection to decide first."""
    shown = [notice(row, today=today) | {"agency": name_of(row)} for row in rows]
    may = actor.may("placement.recall")
    if counts["objections"]:
        text = ngettext(
            "%(n)s objection waits for your decision.",
            "%(n)s objections wait for your decision.",
            counts["objections"],
        ) % {"n": f"{counts['objections']:,}"}
        state = {"tone": "watch", "text": text, "next": []}
    elif counts["due"]:
        text = ngettext(
            "%(n)s recall is due to become final.", "%(n)s recalls are due to become final.", counts["due"]
        ) % {"n": f"{counts['due']:,}"}
        state = {"tone": "watch", "text": text, "next": []}
    elif counts["notices"]:
        text = ngettext(
            "%(n)s placement is under notice of recall; nothing is to be decided.",
            "%(n)s placements are under notice of recall; nothing is to be decided.",
            counts["notices"],
        ) % {"n": f"{counts['notices']:,}"}
        state = {"tone": "none", "text": text, "next": []}
    else:
        state = {"tone": "good", "text": _("No placement is under notice of recall."), "next": []}
    return {
        "state": state,
        "objections": [row for row in shown if row["open_objection"]],
        "notices": [row for row in shown if not row["open_objection"]],
        "due": counts["due"],
        "may_decide": may,
        "typed": typed,
        "everything": everything,
        "problem": problem,
    }


def terms(
    in_force: Any,
    versions: Sequence[Mapping[str, Any]],
    *,
    codes: Sequence[str],
    people: Mapping[str, str],
    actor: Actor,
    typed: Mapping[str, Any],
    problem: str = "",
) -> dict[str, Any]:
    """Give the lender's terms, their history, and the form that sets new ones."""
    if in_force.version:
        text = _("Version %(n)s is in force.") % {"n": in_force.version}
    else:
        text = _("The usual terms are in force; nobody has set others yet.")
    fields = (
        ("answer_days", _("Days for an agency to answer an offer")),
        ("notice_days", _("Days of notice before a recall is final, at least")),
        ("retention_times_max", _("How often a term may be extended, at most")),
        ("retention_months_max", _("Months of one extension, at most")),
    )
    return {
        "state": {"tone": "none", "text": text, "next": []},
        "in_force": in_force,
        "fields": [
            {"name": name, "label": label, "value": typed.get(name, getattr(in_force, name))}
            for name, label in fields
        ],
        "rules": [
            {
                "name": f"upheld_{code}",
                "label": OBJECTIONS[code],
                "days": in_force.upheld_days.get(code, 0),
                "value": typed.get(f"upheld_{code}", in_force.upheld_days.get(code, 0)),
            }
            for code in codes
            if code != "OTHER"
        ],
        "versions": [
            dict(row)
            | {
                "by": people.get(row["set_by"], row["set_by"]),
                "rules": [
                    {"label": OBJECTIONS.get(code, code), "days": days}
                    for code, days in row["upheld_days"].items()
                ],
            }
            for row in versions
        ],
        "may_set": actor.may("placement.set_terms"),
        "reason": typed.get("reason", ""),
        "problem": problem,
    }


def retain(
    row: Mapping[str, Any], *, in_force: Any, latest: date, typed: Mapping[str, str], problem: str
) -> dict[str, Any]:
    """Give the form that extends a placement's term, with its bounds."""
    left = max(in_force.retention_times_max - row["retained"], 0)
    words = {"times": left, "day": latest.isoformat()}
    possible = row["state"] == "ACTIVE" and row["recall_final_on"] is None and left > 0
    text = (
        _("Its term can be extended %(times)s times more, this time until %(day)s at the latest.") % words
        if possible
        else _("Its term cannot be extended: it has ended, is under notice of recall, or was extended as often as allowed.")
    )  # fmt: skip
    return {
        "state": {"tone": "none" if possible else "watch", "text": text, "next": []},
        "placement": dict(row) | {"agency": name_of(row)},
        "possible": possible,
        "latest": latest,
        "typed": typed,
        "problem": problem,
    }


def waiting_objections(rows: Sequence[Mapping[str, Any]], *, at: datetime) -> list[dict[str, Any]]:
    """Give open objections for the desk: agency, case, code, since when."""
    return [
        {
            "text": f"{row['case_ref']} · {OBJECTIONS.get(row['code'], row['code'])}",
            "agency": name_of(row),
            "made_at": row["made_at"],
            "final_on": row["final_on"],
            "url": reverse("placement:recalls"),
        }
        for row in rows
        if row["objection_state"] == "OPEN"
    ]
