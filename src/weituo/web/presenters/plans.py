"""Collection plans as both sides read them: versions, signatures, targets, milestones, and how far the work has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.core.recovery.buckets import BUCKETS
from weituo.foundation.errors import BadInput
from weituo.foundation.tenancy.actors import Actor
from weituo.web.names import bucket_name
from weituo.web.posted import Posted, hundredths
from weituo.web.presenters import curves, strategies
from weituo.web.presenters.naming import name_of, reads_chinese

STATES = {
    "DRAFT": (gettext_lazy("draft"), "watch"),
    "OFFERED": (gettext_lazy("signed by the lender, waits for the agency"), "watch"),
    "SIGNED": (gettext_lazy("signed by both sides"), "good"),
    "SUPERSEDED": (gettext_lazy("superseded"), "none"),
}
OWNERS = {"LENDER": gettext_lazy("the lender"), "AGENCY": gettext_lazy("the agency")}
MILESTONE_ROWS = 6


def _names(agencies: Sequence[Any]) -> dict[str, str]:
    return {str(one.id): name_of({"name_zh": one.name_zh, "name_en": one.name_en, "code": one.code}) for one in agencies}  # fmt: skip


def _plan(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    label, tone = STATES[row["state"]]
    return dict(row) | {"label": label, "tone": tone, "agency": names.get(str(row["agency_id"]), "–")}


def _milestone(row: Mapping[str, Any], today: date, names: Mapping[str, str]) -> dict[str, Any]:
    late = row["done_at"] is None and row["due_on"] < today
    tone = "good" if row["done_at"] else "bad" if late else "none"
    return dict(row) | {
        "title": row["title_zh"] if reads_chinese() else row["title_en"],
        "owner_label": OWNERS.get(row["owner"], row["owner"]),
        "late": late,
        "tone": tone,
        "agency": names.get(str(row.get("agency_id")), ""),
    }


def overview(
    *,
    plans: Sequence[Mapping[str, Any]],
    milestones: Sequence[Mapping[str, Any]],
    strategies_found: Sequence[Mapping[str, Any]],
    totals: Sequence[Mapping[str, Any]],
    agencies: Sequence[Any],
    actor: Actor,
    frame: pl.DataFrame,
    today: date,
) -> dict[str, Any]:
    """Give the first page: each agency's plan, milestones by date, strategies and what the one in force did."""
    names = _names(agencies)
    standings = {row["agency_id"]: row for row in curves.standings(frame, names=names)}
    shown = [_milestone(row, today, names) for row in milestones]
    rows = []
    for agency in agencies:
        own = [plan for plan in plans if plan["agency_id"] == agency.id]
        if agency.state not in {"APPROVED", "SUSPENDED"} and not own:
            continue
        signed = next((plan for plan in own if plan["state"] == "SIGNED"), None)
        newest = _plan(own[0], names) if own else None
        mine = [one for one in shown if one["agency_id"] == agency.id]
        rows.append(
            {
                "id": agency.id,
                "name": names[str(agency.id)],
                "signed": signed,
                "newest": newest,
                "done": sum(1 for one in mine if one["done_at"]),
                "milestones": len(mine),
                "late": sum(1 for one in mine if one["late"]),
                "standing": standings[str(agency.id)],
            }
        )
    in_force = next((one for one in strategies_found if one["state"] == "PUBLISHED"), None)
    return {
        "state": _overview_state(rows, in_force=in_force, totals=totals),
        "agencies": rows,
        "open_milestones": [one for one in shown if not one["done_at"]][:20],
        "strategies": [
            dict(one) | {"label": strategies.STATES[one["state"]][0], "tone": strategies.STATES[one["state"]][1]}
            for one in strategies_found
        ],
        "in_force": in_force,
        "totals": [
            dict(row) | {"label": strategies.TREATMENTS.get(row["treatment"], strategies.UNDECIDED)}
            for row in totals
        ],
        "may_edit": actor.may("plans.edit_strategy"),
    }  # fmt: skip


def _overview_state(
    rows: Sequence[Mapping[str, Any]], *, in_force: Mapping[str, Any] | None, totals: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:  # fmt: skip
    unsigned = [row for row in rows if row["signed"] is None]
    late = sum(row["late"] for row in rows)
    behind = sum(row["standing"]["code"] == "BEHIND" for row in rows)
    following = [{"label": _("Plan with %(agency)s") % {"agency": row["name"]}, "url": reverse("plans:agency", args=[row["id"]])} for row in unsigned[:3]]  # fmt: skip
    if late:
        following.append({"label": _("See late milestones"), "url": "#milestones"})
    if in_force is None:
        following.insert(0, {"label": _("Publish a strategy"), "url": "#strategies"})
        return {"tone": "watch", "text": _("No strategy is in force, so no account has a treatment."), "next": following}  # fmt: skip
    if any(row["treatment"] == "" and row["accounts"] for row in totals):
        following.insert(0, {"label": _("Apply the strategy"), "url": reverse("plans:strategy", args=[in_force["id"]])})  # fmt: skip
    if not rows:
        return {"tone": "none", "text": _("No agency is approved, so there is nobody to plan with."), "next": following}  # fmt: skip
    signed = len(rows) - len(unsigned)
    text = ngettext("%(signed)s of %(count)s agency has a plan signed by both sides.", "%(signed)s of %(count)s agencies have a plan signed by both sides.", len(rows)) % {"signed": signed, "count": len(rows)}  # fmt: skip
    if late:
        said = ngettext("%(count)s milestone is late.", "%(count)s milestones are late.", late) % {"count": late}  # fmt: skip
        return {"tone": "bad", "text": f"{text} {said}", "next": following}
    if behind:
        said = ngettext("%(n)s agency is behind its plan.", "%(n)s agencies are behind their plans.", behind) % {"n": behind}  # fmt: skip
        following.append({"label": _("Progress"), "url": reverse("tracking:index")})
        return {"tone": "watch", "text": f"{text} {said}", "next": following}
    return {"tone": "watch" if unsigned else "good", "text": text, "next": following}


def of_agency(
    agency: Any,
    *,
    plans: Sequence[Mapping[str, Any]],
    newest: Mapping[str, Any] | None,
    milestones: Sequence[Mapping[str, Any]],
    frame: pl.DataFrame,
    on: date | None,
    actor: Actor,
    today: date,
    typed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Give one agency's plans: the curve against the plan, the versions, the milestones, and the next draft."""
    names = _names([agency])
    [row] = curves.standings(frame, names=names)
    signed = next((plan for plan in plans if plan["state"] == "SIGNED"), None)
    return {
        "agency": {"id": agency.id, "name": names[str(agency.id)], "code": agency.code},
        "standing": row,
        "chart": curves.chart(frame, chosen=row, names=names, on=on) if on else None,
        "plans": [_plan(plan, names) for plan in plans],
        "milestones": [_milestone(one, today, names) for one in milestones],
        "form": _form(newest, typed=typed, today=today),
        "may_draft": actor.may("plans.draft"),
        "state": _agency_state(row, signed=signed, plans=plans, agency_id=agency.id),
    }


def _agency_state(
    row: Mapping[str, Any], *, signed: Mapping[str, Any] | None, plans: Sequence[Mapping[str, Any]], agency_id: Any
) -> dict[str, Any]:  # fmt: skip
    waiting = next((plan for plan in plans if plan["state"] in {"DRAFT", "OFFERED"}), None)
    following = [{"label": _("Open version %(version)s") % {"version": waiting["version"]}, "url": reverse("plans:plan", args=[waiting["id"]])}] if waiting else []  # fmt: skip
    if signed is None:
        text = _("No plan is signed by both sides yet.")
        return {"tone": "watch", "text": text, "next": following or [{"label": _("Draw up a plan"), "url": "#draft"}]}  # fmt: skip
    if row["code"] == "BEHIND":
        following.append({"label": _("Follow progress"), "url": f"{reverse('tracking:index')}?agency={agency_id}"})  # fmt: skip
    tone = "good" if row["code"] in {"AHEAD", "ON_PLAN"} else row["tone"]
    return {"tone": tone, "text": row["text"], "next": following}


def _form(newest: Mapping[str, Any] | None, *, typed: Mapping[str, Any] | None, today: date) -> dict[str, Any]:  # fmt: skip
    """Fill the draft form: what was typed, else the newest version, else nothing."""
    targets: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    if typed is not None:
        targets = {bucket: typed.get(f"target_{bucket}", "") for bucket in BUCKETS[1:]}
        rows = [{name: typed.get(f"m{number}_{name}", "") for name in ("title_zh", "title_en", "owner", "due_on")} for number in range(MILESTONE_ROWS)]  # fmt: skip
    elif newest is not None:
        for target in newest["targets"]:
            kept = targets.get(target["bucket"], "")
            value = f"{target['liquidation_bps'] / 100:g}"
            targets[target["bucket"]] = f"{kept} {value}".strip()
        rows = [dict(one) | {"due_on": one["due_on"].isoformat()} for one in newest["milestones"] if not one["done_at"]][:MILESTONE_ROWS]  # fmt: skip
    rows += [{"title_zh": "", "title_en": "", "owner": "AGENCY", "due_on": ""} for _more in range(MILESTONE_ROWS - len(rows))]  # fmt: skip
    typed = typed or {}
    return {
        "active_from": typed.get("active_from") or today.isoformat(),
        "active_to": typed.get("active_to", ""),
        "note": typed.get("note", ""),
        "targets": [{"bucket": bucket, "value": targets.get(bucket, "")} for bucket in BUCKETS[1:]],
        "milestones": [
            row | {"number": number, "owners": [{"value": code, "label": label, "chosen": row["owner"] == code} for code, label in OWNERS.items()]}
            for number, row in enumerate(rows)
        ],
        "open": bool(typed) or newest is None,
    }  # fmt: skip


def read_targets(posted: Posted) -> dict[str, list[int]]:
    """Read cumulative per cent by month, one field a bucket, as basis points."""
    targets: dict[str, list[int]] = {}
    for bucket in BUCKETS[1:]:
        values = [hundredths(word) for word in posted.words(f"target_{bucket}")]
        if any(value is None for value in values):
            raise BadInput(problem=_("per cent with at most two decimals, one a month"), where=f"target_{bucket}")  # fmt: skip
        if values:
            targets[bucket] = [value for value in values if value is not None]
    return targets


def read_milestones(posted: Posted) -> list[dict[str, Any]]:
    """Read the milestones that were filled in; a row without titles is left out."""
    found = []
    for number in range(MILESTONE_ROWS):
        zh, en = posted.text(f"m{number}_title_zh"), posted.text(f"m{number}_title_en")
        if zh or en:
            found.append(
                {"title_zh": zh or en, "title_en": en or zh, "owner": posted.text(f"m{number}_owner"), "due_on": posted.day(f"m{number}_due_on")}
            )  # fmt: skip
    return found


def plan(
    found: Mapping[str, Any], *, agencies: Sequence[Any], actor: Actor, today: date
) -> dict[str, Any]:  # fmt: skip
    """Give one version: targets as a table, milestones, the digest and who has signed it."""
    names = _names(agencies)
    months = sorted({target["months_since_placement"] for target in found["targets"]})
    by_place = {(target["bucket"], target["months_since_placement"]): target["liquidation_bps"] for target in found["targets"]}  # fmt: skip
    buckets = [bucket for bucket in BUCKETS if any(key[0] == bucket for key in by_place)]
    shown = _plan(found, names)
    text = {
        "DRAFT": _("A draft. The lender signs first, then the agency; both sign the same content."),
        "OFFERED": _("Signed by the lender; the agency signs in its portal."),
        "SIGNED": _("Signed by both sides over the same content."),
        "SUPERSEDED": _("A later version replaced this one."),
    }[found["state"]]
    may_sign = found["state"] == "DRAFT" and actor.may("plans.sign_lender")
    return {
        "plan": shown,
        "months": months,
        "targets": [{"bucket": bucket, "cells": [by_place.get((bucket, month)) for month in months]} for bucket in buckets],
        "milestones": [_milestone(one | {"agency_id": found["agency_id"], "plan_id": found["id"]}, today, names) for one in found["milestones"]],
        "may_sign": may_sign,
        "may_finish": actor.may("plans.draft") and found["state"] in {"OFFERED", "SIGNED"},
        "state": {"tone": shown["tone"], "text": text, "next": [{"label": _("Sign for the lender"), "url": "#sign"}] if may_sign else []},
        "chart": _targets_chart(by_place, buckets, months) if months else None,
    }  # fmt: skip


def _targets_chart(by_place: Mapping[tuple[str, int], int], buckets: Sequence[str], months: Sequence[int]) -> dict[str, Any]:  # fmt: skip
    last = {bucket: max(month for found, month in by_place if found == bucket) for bucket in buckets}
    best = max(buckets, key=lambda bucket: by_place[bucket, last[bucket]])
    title = _("The plan asks most of %(bucket)s: %(share)s by month %(month)s") % {
        "bucket": bucket_name(best),
        "share": f"{by_place[best, last[best]] / 100:.1f}%",
        "month": last[best],
    }
    return {
        "id": "targets",
        "kind": "line",
        "title": title,
        "subtitle": _("Cumulative recovered share of what is placed, by months since placement"),
        "note": "",
        "x": {"name": _("Months since placement"), "values": list(months)},
        "y": {"name": _("Liquidation rate"), "format": "percent"},
        "series": [
            {"name": bucket_name(bucket), "values": [None if (value := by_place.get((bucket, month))) is None else value / 10_000 for month in months], "style": "solid"}
            for bucket in buckets
        ],
    }  # fmt: skip
