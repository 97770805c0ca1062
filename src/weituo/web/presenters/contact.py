"""Conduct as a compliance officer reads it: what was refused and why, when people were contacted, what must be answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import polars as pl
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from weituo.domain.contact import words
from weituo.foundation.tenancy.actors import Actor
from weituo.web.posted import day_within_reach
from weituo.web.presenters import permits
from weituo.web.presenters.conduct_words import CHANNELS, CONFIDENCES, FINDINGS, PARAMETERS, WEEKDAYS, WORDS
from weituo.web.presenters.naming import name_of, said, zone_name

#: share of refused requests above which the day asks for a look
REFUSED_SHARE_WATCH = 0.10
DAYS_MAX = 366


def period(
    query: Mapping[str, str], *, zone: ZoneInfo, now: datetime, last: datetime | None
) -> dict[str, Any]:
    """Read the days from an address: `first` to `through`, both counted in; by default today, or the last day with permits.

    `since` and `until` are the same days as half-open instants of the zone. What makes no sense falls back.
    """
    today = now.astimezone(zone).date()
    default = min(today, last.astimezone(zone).date()) if last else today
    first, through = day_asked(query.get("from"), default), day_asked(query.get("through"), None)
    through = through or (first if query.get("from") else default)
    if through < first or (through - first).days > DAYS_MAX:
        first, through = default, default
    return {
        "first": first,
        "through": through,
        "since": datetime.combine(first, time(), zone),
        "until": datetime.combine(through + timedelta(days=1), time(), zone),
        "is_today": first == through == today,
        "query": urlencode({"from": first.isoformat(), "through": through.isoformat()}),
    }


def day_asked(text: str | None, fallback: Any) -> Any:
    """Read a day from an address, or give the fallback."""
    try:
        return day_within_reach(text or "")
    except ValueError:
        return fallback


def by_reason(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sum refusals by rule over agencies, the most frequent first; each keeps its citation and its agencies."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        one = found.setdefault(
            row["code"], {"code": row["code"], "citation": row["citation"], "n": 0, "agencies": []}
        )
        one["n"] += row["n"]
        one["agencies"].append({"name": name_of(row), "code": row["agency_code"], "n": row["n"]})
    return sorted(found.values(), key=lambda one: (-one["n"], one["code"]))


def reasons_chart(reasons: Sequence[Mapping[str, Any]], *, refused: int) -> dict[str, Any] | None:
    """Draw refusals by rule as bars; the title names the rule that stopped most."""
    if not reasons:
        return None
    first = reasons[0]
    return {
        "id": "refusals",
        "kind": "bar",
        "title": _("“%(rule)s” stopped most: %(part)s of %(whole)s refused requests")
        % {"rule": words.rule_name(first["code"]), "part": first["n"], "whole": refused},
        "subtitle": _("Refused requests by rule; one refused for two reasons counts under each"),
        "note": f"n = {refused}",
        "x": {
            "name": _("Rule"),
            "values": [words.rule_name(one["code"]) for one in reasons],
            "links": [one.get("url", "") for one in reasons],
        },
        "y": {"name": _("Refused requests"), "format": "count"},
        "series": [
            {"name": _("Refused requests"), "values": [one["n"] for one in reasons], "style": "solid"}
        ],
    }


def permitted_hours(rules: Sequence[Mapping[str, Any]]) -> tuple[int, int] | None:
    """Give the hours in which the rules in force let people be contacted: the narrowest [from, to)."""
    spans = [
        (int(str(rule["parameters"]["from"])[:2]), int(str(rule["parameters"]["to"])[:2]))
        for rule in rules
        if {"from", "to"} <= set(rule["parameters"])
    ]
    return (max(span[0] for span in spans), min(span[1] for span in spans)) if spans else None


def hours_chart(
    rows: Sequence[Mapping[str, Any]], *, hours: tuple[int, int] | None, zone: str
) -> dict[str, Any] | None:
    """Draw contacts by weekday and local hour as a heat map; the title says whether any lies outside the permitted hours."""
    total = sum(row["n"] for row in rows)
    if not total:
        return None
    title = ngettext("%(n)s contact was made", "%(n)s contacts were made", total) % {"n": total}
    if hours is not None:
        outside = sum(row["n"] for row in rows if not hours[0] <= row["hour"] < hours[1])
        facts = {
            "outside": outside,
            "total": total,
            "first": f"{hours[0]:02d}:00",
            "last": f"{hours[1]:02d}:00",
        }
        if outside:
            title = (
                ngettext(
                    "%(outside)s of %(total)s contacts was made outside %(first)s–%(last)s",
                    "%(outside)s of %(total)s contacts were made outside %(first)s–%(last)s",
                    outside,
                )
                % facts
            )
        else:
            title = _("All %(total)s contacts were made between %(first)s and %(last)s") % facts
    return {
        "id": "hours",
        "kind": "heat",
        "title": title,
        "subtitle": _("Contacts made, by weekday and hour on the wall (%(zone)s)")
        % {"zone": zone_name(zone)},
        "note": f"n = {total}",
        "x": {"name": _("Hour"), "values": [f"{hour:02d}" for hour in range(24)]},
        "y": {"name": _("Contacts"), "format": "count"},
        "y_values": [str(day) for day in WEEKDAYS],
        "cells": [[row["hour"], row["weekday"] - 1, row["n"]] for row in rows],
        "series": [],
    }


def clock_of(row: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """Give a violation's clock: tone and words."""
    if row["closed_at"] is not None:
        return {"tone": "good", "text": _("closed")}
    left = row["answer_due_at"] - at
    if left <= timedelta(0):
        days = -left // timedelta(days=1)
        return {
            "tone": "bad",
            "text": ngettext("answer overdue by %(n)s day", "answer overdue by %(n)s days", days)
            % {"n": days},
        }
    hours = int(left / timedelta(hours=1))
    if hours < 48:
        return {
            "tone": "watch",
            "text": ngettext("%(n)s hour left", "%(n)s hours left", hours) % {"n": hours},
        }
    return {
        "tone": "none",
        "text": ngettext("%(n)s day left", "%(n)s days left", hours // 24) % {"n": hours // 24},
    }


def _overview_state(
    *,
    asked: int,
    refused: int,
    violations: int,
    overdue: int,
    span: Mapping[str, Any],
) -> dict[str, Any]:
    links = [{"label": _("Rules in force"), "url": reverse("contact:rules")}]
    if refused:
        links.insert(
            0,
            {
                "label": _("Read the refusals"),
                "url": f"{reverse('contact:permits')}?{span['query']}&state=REFUSED",
            },
        )
    if violations:
        links.insert(0, {"label": _("Answer violations"), "url": reverse("contact:violations")})
    if overdue:
        text = ngettext(
            "%(n)s violation waits past its day of answer.", "%(n)s violations wait past their day of answer.", overdue
        ) % {"n": overdue}  # fmt: skip
        return {"tone": "bad", "text": text, "next": links}
    if violations:
        text = ngettext(
            "%(n)s violation is open and within its time.", "%(n)s violations are open and within their time.", violations
        ) % {"n": violations}  # fmt: skip
        return {"tone": "watch", "text": text, "next": links}
    if not asked:
        return {"tone": "none", "text": _("No permit was asked in this time."), "next": links}
    facts = {"refused": refused, "asked": asked}
    if refused / asked > REFUSED_SHARE_WATCH:
        return {
            "tone": "watch",
            "text": _("%(refused)s of %(asked)s requests were refused before anybody was contacted; that is more than one in ten.")
            % facts,
            "next": links,
        }  # fmt: skip
    return {
        "tone": "good",
        "text": _("%(refused)s of %(asked)s requests were refused before anybody was contacted; no violation is open.")
        % facts,
        "next": links,
    }  # fmt: skip


def overview(
    *,
    counts: Mapping[str, int],
    refusals: Sequence[Mapping[str, Any]],
    heat: Sequence[Mapping[str, Any]],
    rules: Sequence[Mapping[str, Any]],
    violations: pl.DataFrame,
    latest: Sequence[Mapping[str, Any]],
    span: Mapping[str, Any],
    zone: str,
    at: datetime,
) -> dict[str, Any]:
    """Give the first page: counts, refusals by reason, the heat map, open violations, the latest permits."""
    asked, refused = sum(counts.values()), counts.get("REFUSED", 0)
    reasons = [
        one | {"url": f"{reverse('contact:permits')}?{span['query']}&state=REFUSED&rule={one['code']}"}
        for one in by_reason(refusals)
    ]
    sentences = {rule["rule"]: said(rule) for rule in rules}
    overdue = violations.filter(pl.col("answer_due_at") <= at).height
    return {
        "state": _overview_state(
            asked=asked, refused=refused, violations=violations.height, overdue=overdue, span=span
        ),
        "figures": [
            {"label": _("Permits asked"), "n": asked},
            {"label": _("Granted"), "n": counts.get("GRANTED", 0) + counts.get("USED", 0)},
            {"label": _("Refused"), "n": refused, "share": refused / asked if asked else None},
            {"label": _("Void before use"), "n": counts.get("VOID", 0)},
            {"label": _("Open violations"), "n": violations.height},
        ],
        "reasons": [one | {"text": sentences.get(one["code"], "")} for one in reasons],
        "reasons_chart": reasons_chart(reasons, refused=refused),
        "hours_chart": hours_chart(heat, hours=permitted_hours(rules), zone=zone),
        "latest": [permits.shown(row) for row in latest],
        "violations_open": violations.height,
        "overdue": overdue,
        "span": span,
        "zone": zone,
    }


def rules(rows: Sequence[Mapping[str, Any]], *, on: date) -> dict[str, Any]:
    """Give the rules in force by pack with citation, confidence and parameters."""
    packs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        packs.setdefault((row["pack"], row["version"]), []).append(
            dict(row)
            | {
                "text": said(row),
                "confidence_label": CONFIDENCES.get(row["confidence"], row["confidence"]),
                "sure": row["confidence"] in {"T", "H"},
                "settings": [
                    {"name": PARAMETERS.get(key, key), "value": _plain(value)}
                    for key, value in row["parameters"].items()
                ],
            }
        )
    unsure = sum(1 for row in rows if row["confidence"] not in {"T", "H"})
    return {
        "state": {
            "tone": "watch" if unsure else "good",
            "text": ngettext("%(n)s rule is in force", "%(n)s rules are in force", len(rows)) % {"n": len(rows)}
            + _("; ")
            + ngettext("counsel has yet to confirm the wording of %(n)s.", "counsel has yet to confirm the wording of %(n)s.", unsure)
            % {"n": unsure},
            "next": [{"label": _("Refusals by reason"), "url": reverse("contact:index")}],
        },
        "packs": [{"name": name, "version": version, "rules": found} for (name, version), found in packs.items()],
        "on": on,
    }  # fmt: skip


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (list, tuple)):
        return _(", ").join(_plain(one) for one in value)
    return str(WORDS.get(value, value))


def violations(
    rows: Sequence[Mapping[str, Any]],
    *,
    waiting: pl.DataFrame,
    open_only: bool,
    actor: Actor,
    at: datetime,
    kept: Mapping[str, str],
) -> dict[str, Any]:
    """Give violations by clock; `waiting` is all that are open, `kept` what was typed into a form that was refused."""
    overdue = waiting.filter(pl.col("answer_due_at") <= at).height
    if overdue:
        state = {
            "tone": "bad",
            "text": ngettext(
                "%(n)s violation waits past its day of answer.",
                "%(n)s violations wait past their day of answer.",
                overdue,
            )
            % {"n": overdue},
        }
    elif waiting.height:
        state = {
            "tone": "watch",
            "text": ngettext(
                "%(n)s violation is open and within its time.",
                "%(n)s violations are open and within their time.",
                len(waiting),
            )
            % {"n": len(waiting)},
        }
    else:
        state = {"tone": "good", "text": _("No violation is open.")}
    return {
        "state": state | {"next": [{"label": _("Permits and refusals"), "url": reverse("contact:index")}]},
        "violations": [
            dict(row)
            | {
                "agency": name_of(row),
                "label": FINDINGS.get(row["code"], row["code"]),
                "channel_label": CHANNELS.get(row["channel"], row["channel"]),
                "clock": clock_of(row, at=at),
                "typed": kept.get(str(row["id"]), ""),
            }
            for row in rows
        ],
        "open_only": open_only,
        "left_off": max(waiting.height - len(rows), 0) if open_only else 0,
        "may_close": actor.may("contact.close_violation"),
    }  # fmt: skip
