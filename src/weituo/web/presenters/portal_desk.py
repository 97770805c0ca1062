"""The agency's desk: what waits for it, its promises, statements, plan and packages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.foundation.tenancy.actors import Actor
from weituo.web.presenters.conduct_words import FINDINGS
from weituo.web.presenters.ledger import STATES
from weituo.web.presenters.naming import reads_chinese
from weituo.web.presenters.placement_words import REVOCATIONS
from weituo.web.presenters.portal import promise

WEEK = timedelta(days=7)
PLAN_STATES = {
    "DRAFT": (gettext_lazy("draft"), "wait"),
    "OFFERED": (gettext_lazy("waits for your signature"), "act"),
    "SIGNED": (gettext_lazy("in force"), "good"),
    "SUPERSEDED": (gettext_lazy("superseded"), "wait"),
}
PACKAGE_STATES = {
    "BUILT": (gettext_lazy("waits for you"), "act"),
    "ACKNOWLEDGED": (gettext_lazy("confirmed"), "good"),
    "REVOKED": (gettext_lazy("taken back"), "bad"),
}


def start(
    *,
    agency: Mapping[str, Any],
    violations: Sequence[Mapping[str, Any]],
    statements: Sequence[Mapping[str, Any]],
    plans: Sequence[Mapping[str, Any]],
    packages: Sequence[Mapping[str, Any]],
    destructions: Sequence[Mapping[str, Any]],
    promises: Sequence[Mapping[str, Any]],
    answers: Mapping[str, Any] | None,
    actor: Actor,
    at: datetime,
    today: date,
) -> dict[str, Any]:
    """Give the start page: state, what waits, figures."""
    drawn = [row for row in statements if row["state"] == "DRAWN"]
    offered = [row for row in plans if row["state"] == "OFFERED"]
    fresh = [row for row in packages if row["state"] == "BUILT" and not row["taken_back"]]
    to_destroy = sum(row["cases"] for row in destructions if row["confirmed_at"] is None)
    due = [row for row in promises if row["state"] == "OPEN" and row["due_on"] < today + WEEK]
    late = sum(row["answer_due_at"] <= at for row in violations)
    asked = answers or {"offers": 0, "notices": 0, "answer_by": None}
    overdue = asked["offers"] if asked["answer_by"] and asked["answer_by"] <= at else 0
    waits = [
        {"n": asked["offers"], "late": overdue, "label": _("Offers to answer"), "url": reverse("agency:offers"), "mine": actor.may("placement.answer")},
        {"n": asked["notices"], "late": 0, "label": _("Recalls announced"), "url": reverse("agency:recalls"), "mine": actor.may("placement.answer")},
        {"n": len(violations), "late": late, "label": _("Violations to answer to the lender"), "url": "#violations", "mine": True},
        {"n": len(offered), "late": 0, "label": _("Plans to sign"), "url": reverse("agency:plan"), "mine": actor.may("plans.sign_agency")},
        {"n": len(drawn), "late": 0, "label": _("Statements to agree"), "url": reverse("agency:statements"), "mine": actor.may("ledger.agree_statement")},
        {"n": len(fresh), "late": 0, "label": _("Packages to fetch and confirm"), "url": reverse("agency:packages"), "mine": actor.may("sharing.acknowledge")},
        {"n": to_destroy, "late": 0, "label": _("Cases to destroy"), "url": reverse("agency:packages"), "mine": actor.may("sharing.confirm_destruction")},
        {"n": len(due), "late": 0, "label": _("Promises due within a week"), "url": reverse("agency:promises"), "mine": True},
    ]  # fmt: skip
    return {
        "state": _start_state(waits, agency=agency, late=late),
        "agency": agency,
        "waits": [one for one in waits if one["n"]],
        "active_cases": agency["active_cases"],
        "collectors": [
            dict(one) | {"trained": one["trained_until"] >= today} for one in agency["collectors"] if one["active"]
        ],
        "violations": [
            dict(row) | {"what": FINDINGS.get(row["code"], row["code"]), "tone": "bad" if row["answer_due_at"] <= at else "act"}
            for row in violations
        ],
    }  # fmt: skip


def _start_state(
    waits: Sequence[Mapping[str, Any]], *, agency: Mapping[str, Any], late: int
) -> dict[str, Any]:
    cases = {"label": _("Open my cases"), "url": reverse("agency:cases")}
    if agency["state"] != "APPROVED":
        return {
            "tone": "bad",
            "text": _(
                "The lender has not approved your agency, or has suspended it. No contact is permitted."
            ),
            "next": [],
        }
    if agency["stopped_by"]:
        lacks = _("; ").join(str(lack) for lack in agency["stopped_by"])
        text = _("Your agency may not work now: %(lacks)s. Send the lender the renewed paper.") % {"lacks": lacks}  # fmt: skip
        return {"tone": "bad", "text": text, "next": [cases]}
    mine = [one for one in waits if one["n"] and one["mine"]]
    steps = [
        {"label": _("%(what)s: %(n)s") % {"what": one["label"], "n": one["n"]}, "url": one["url"]}
        for one in mine[:2]
    ] + [cases]
    if late:
        text = ngettext(
            "%(n)s answer to the lender is late.", "%(n)s answers to the lender are late.", late
        ) % {"n": late}
        return {"tone": "bad", "text": text, "next": steps}
    if mine:
        return {"tone": "watch", "text": _("Something waits for you besides the cases."), "next": steps}
    return {"tone": "good", "text": _("Nothing waits besides the cases."), "next": [cases]}


def promises(rows: Sequence[Mapping[str, Any]], *, today: date) -> dict[str, Any]:
    """Give the promises and whether any is due."""
    open_rows = [row for row in rows if row["state"] == "OPEN"]
    due = sum(row["due_on"] <= today for row in open_rows)
    if due:
        text = ngettext("%(n)s promise is due by today.", "%(n)s promises are due by today.", due) % {
            "n": due
        }
    else:
        text = ngettext(
            "%(n)s promise is open, none is due.", "%(n)s promises are open, none is due.", len(open_rows)
        ) % {"n": len(open_rows)}
    return {
        "state": {"tone": "watch" if due else "none", "text": text, "next": []},
        "promises": [
            promise(row) | {"due": row["state"] == "OPEN" and row["due_on"] <= today} for row in rows
        ],
    }


def _statement(row: Mapping[str, Any]) -> dict[str, Any]:
    label, tone = STATES.get(row["state"], (row["state"], "wait"))
    if row["state"] == "DRAWN":
        label, tone = _("waits for you"), "act"
    return dict(row) | {"label": label, "tone": tone, "last_day": row["period_to"] - timedelta(days=1)}


def statements(rows: Sequence[Mapping[str, Any]], *, actor: Actor) -> dict[str, Any]:
    """Give the statements, those to agree first in the state."""
    drawn = [row for row in rows if row["state"] == "DRAWN"]
    if drawn and actor.may("ledger.agree_statement"):
        text = ngettext(
            "%(n)s statement waits for your agreement.",
            "%(n)s statements wait for your agreement.",
            len(drawn),
        ) % {"n": len(drawn)}
        steps = [{"label": _("Open the oldest"), "url": reverse("agency:statement", args=[drawn[-1]["id"]])}]
        state = {"tone": "watch", "text": text, "next": steps}
    else:
        state = {"tone": "good", "text": _("No statement waits for you."), "next": []}
    return {"state": state, "statements": [_statement(row) for row in rows]}


def statement(row: Mapping[str, Any], *, lines: Sequence[Mapping[str, Any]], actor: Actor) -> dict[str, Any]:
    """Give one statement; every line shows base × rate = commission."""
    may = row["state"] == "DRAWN" and actor.may("ledger.agree_statement")
    text = {
        "DRAWN": _("Check every line, then agree. After that the lender approves and pays."),
        "AGREED": _("You agreed. The lender approves it next and pays."),
        "APPROVED": _("It is approved and will be paid."),
        "PAID": _("It is paid."),
    }[row["state"]]
    return {
        "state": {"tone": "watch" if may else "good", "text": text, "next": []},
        "statement": _statement(row),
        "lines": lines,
        "may_agree": may,
    }


def chosen_plan(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Choose what to show: the plan that waits for a signature, else the one in force, else the newest."""
    for wanted in ("OFFERED", "SIGNED"):
        found = next((row for row in rows if row["state"] == wanted), None)
        if found is not None:
            return found
    return rows[0] if rows else None


def plan(
    whole: Mapping[str, Any] | None, *, versions: Sequence[Mapping[str, Any]], actor: Actor
) -> dict[str, Any]:
    """Give the plan as a table of buckets by months, its milestones and signatures."""
    if whole is None:
        text = _(
            "There is no plan yet. The lender draws one up with you; it appears here for your signature."
        )
        return {"state": {"tone": "none", "text": text, "next": []}, "plan": None}
    may = whole["state"] == "OFFERED" and actor.may("plans.sign_agency")
    label, tone = PLAN_STATES.get(whole["state"], (whole["state"], "wait"))
    months = sorted({row["months_since_placement"] for row in whole["targets"]})
    by_bucket: dict[str, dict[int, int]] = {}
    for row in whole["targets"]:
        by_bucket.setdefault(row["bucket"], {})[row["months_since_placement"]] = row["liquidation_bps"]
    text = (
        _("The lender has signed version %(n)s. Read it and sign.") % {"n": whole["version"]}
        if may
        else _("Version %(n)s: %(state)s.") % {"n": whole["version"], "state": label}
    )
    return {
        "state": {"tone": "watch" if may else "good" if tone == "good" else "none", "text": text, "next": []},
        "plan": dict(whole) | {"label": label, "tone": tone},
        "months": months,
        "targets": [
            {"bucket": bucket, "cells": [row.get(month) for month in months]}
            for bucket, row in by_bucket.items()
        ],
        "milestones": [
            dict(row) | {"title": row["title_zh"] if reads_chinese() else row["title_en"]}
            for row in whole["milestones"]
        ],
        "may_sign": may,
        "versions": len(versions),
    }


def packages(
    rows: Sequence[Mapping[str, Any]],
    *,
    destructions: Sequence[Mapping[str, Any]],
    recipients: Sequence[Mapping[str, Any]],
    actor: Actor,
) -> dict[str, Any]:
    """Give the packages, the key that opens them, and what must be destroyed."""
    fresh = sum(row["state"] == "BUILT" and not row["taken_back"] for row in rows)
    to_destroy = sum(row["cases"] for row in destructions if row["confirmed_at"] is None)
    live = [row for row in recipients if row["active_to"] is None]
    if not live:
        state = {
            "tone": "watch",
            "text": _(
                "The lender has no public key of yours, so nothing can be sealed to you. Send them one."
            ),
            "next": [],
        }
    elif to_destroy:
        text = ngettext(
            "%(n)s case was taken back: destroy every copy of it and confirm it here.",
            "%(n)s cases were taken back: destroy every copy of them and confirm it here.",
            to_destroy,
        ) % {"n": to_destroy}
        state = {"tone": "bad", "text": text, "next": []}
    elif fresh:
        text = ngettext(
            "%(n)s package waits: fetch it, open it with your key, confirm what you counted.",
            "%(n)s packages wait: fetch them, open them with your key, confirm what you counted.",
            fresh,
        ) % {"n": fresh}
        state = {"tone": "watch", "text": text, "next": []}
    else:
        state = {"tone": "good", "text": _("Every package is confirmed or taken back."), "next": []}
    return {
        "state": state,
        "keys": live,
        "destructions": [
            dict(row)
            | {
                "why": REVOCATIONS.get(row["reason"], row["reason"]),
                "may_confirm": row["confirmed_at"] is None and actor.may("sharing.confirm_destruction"),
            }
            for row in destructions
        ],
        "packages": [_package(row, actor=actor) for row in rows],
    }  # fmt: skip


def _package(row: Mapping[str, Any], *, actor: Actor) -> dict[str, Any]:
    label, tone = PACKAGE_STATES.get(row["state"], (row["state"], "wait"))
    if row["state"] == "BUILT" and row["taken_back"]:
        label, tone = _("handed out no more"), "wait"
    return dict(row) | {
        "label": label,
        "tone": tone,
        "why": REVOCATIONS.get(row["revoked_reason"], row["revoked_reason"]),
        "may_fetch": row["state"] != "REVOKED" and not row["taken_back"] and actor.may("sharing.collect"),
        "may_confirm": row["state"] == "BUILT" and actor.may("sharing.acknowledge"),
    }
