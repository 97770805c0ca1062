"""Liquidation curves as people read them: each agency's finding against its plan, and the chart that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from weituo.domain.tracking.queries import SAMPLE_MIN
from weituo.web.names import listed
from weituo.web.templatetags.weituo import day as day_text

#: finding → tone, and its place in a list that begins with what needs a person
TONES = {"BEHIND": "bad", "TOO_EARLY": "none", "NO_PLAN": "none", "ON_PLAN": "none", "AHEAD": "good"}
ORDER = ("BEHIND", "ON_PLAN", "NO_PLAN", "AHEAD", "TOO_EARLY")


def standing(points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tell how one agency stands against its plan, from its curve's points in order of month.

    BEHIND (AHEAD): at the oldest month with enough placements even the upper (lower) end of the interval lies below
    (above) the target; `since` is the first month of that unbroken run. ON_PLAN: the target lies inside the interval.
    TOO_EARLY: no month has 30 placements. NO_PLAN: no signed target for that month.
    """
    usable = [point for point in points if point["n"] >= SAMPLE_MIN and point["high"] is not None]
    if not usable:
        return {"code": "TOO_EARLY", "since": None, "point": points[-1] if points else None}
    latest = usable[-1]
    code = _against_plan(latest)
    since = latest["month"]
    if code in {"BEHIND", "AHEAD"}:
        for point in reversed(usable):
            if _against_plan(point) != code:
                break
            since = point["month"]
    return {"code": code, "since": since, "point": latest}


def _against_plan(point: Mapping[str, Any]) -> str:
    if point["plan"] is None:
        return "NO_PLAN"
    if point["high"] < point["plan"]:
        return "BEHIND"
    return "AHEAD" if point["low"] > point["plan"] else "ON_PLAN"


def sentence(found: Mapping[str, Any], *, agency: str) -> str:
    """Say a finding as a sentence."""
    point = found["point"]
    words = {"agency": agency, "month": found["since"]}
    if found["code"] == "BEHIND":
        return _("%(agency)s is behind plan since month %(month)s") % words
    if found["code"] == "AHEAD":
        return _("%(agency)s is ahead of plan since month %(month)s") % words
    if found["code"] == "ON_PLAN":
        return _("%(agency)s cannot be told apart from its plan at month %(month)s") % words
    if found["code"] == "NO_PLAN":
        return _(
            "%(agency)s recovered %(share)s by month %(month)s; no signed plan names a target for it"
        ) % (words | {"share": f"{100 * point['liquidation']:.1f}%"})
    return _("%(agency)s: too early to say") % words


def standings(frame: pl.DataFrame, *, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Give every agency's finding with the figures it rests on, those behind plan first, then by distance to plan."""
    points = points_of(frame)
    rows = []
    for agency_id, name in names.items():
        found = standing(points.get(agency_id, []))
        point = found["point"] or {}
        rows.append(
            {
                "agency_id": agency_id,
                "agency": name,
                "code": found["code"],
                "since": found["since"],
                "tone": TONES[found["code"]],
                "text": sentence(found, agency=name),
                "month": point.get("month"),
                "n": point.get("n", 0),
                "liquidation": point.get("liquidation"),
                "low": point.get("low"),
                "high": point.get("high"),
                "plan": point.get("plan"),
                "gap": None if point.get("plan") is None else point["liquidation"] - point["plan"],
            }
        )
    return sorted(rows, key=lambda row: (ORDER.index(row["code"]), row["gap"] or 0.0, row["agency"]))


def points_of(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Group the columns of `queries.CURVES` by agency, months in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in frame.sort("agency_id", "month").iter_rows(named=True):
        found.setdefault(row["agency_id"], []).append(row)
    return found


def chart(
    frame: pl.DataFrame, *, chosen: Mapping[str, Any], names: Mapping[str, str], on: Any
) -> dict[str, Any] | None:
    """Draw the chosen agency's curve with its band, its plan as dashes and its peers in grey.

    Months with fewer than 30 placements are left out of the lines and named in the note.
    """
    points = points_of(frame)
    own = points.get(chosen["agency_id"], [])
    last = max(
        (point["month"] for several in points.values() for point in several if point["n"] >= SAMPLE_MIN),
        default=0,
    )
    if not any(point["n"] >= SAMPLE_MIN for point in own):
        return None
    months = list(range(1, last + 1))
    mine = {point["month"]: point for point in own if point["n"] >= SAMPLE_MIN}
    series: list[dict[str, Any]] = [
        {
            "name": chosen["agency"],
            "values": _column(mine, months, "liquidation"),
            "low": _column(mine, months, "low"),
            "high": _column(mine, months, "high"),
            "style": "solid",
        }
    ]
    if any(point["plan"] is not None for point in mine.values()):
        series.append({"name": _("Plan"), "values": _column(mine, months, "plan"), "style": "dashed"})
    for agency_id, several in points.items():
        theirs = {point["month"]: point for point in several if point["n"] >= SAMPLE_MIN}
        if theirs and agency_id != chosen["agency_id"]:
            series.append(
                {
                    "name": names.get(agency_id, "–"),
                    "values": _column(theirs, months, "liquidation"),
                    "style": "peer",
                }
            )
    return {
        "id": "curves",
        "kind": "line",
        "title": chosen["text"],
        "subtitle": _("Recovered as a share of what was placed, by months since placement, as of %(day)s") % {"day": day_text(on)},
        "note": _note(own),
        "x": {"name": _("Months since placement"), "values": months},
        "y": {"name": _("Liquidation rate"), "format": "percent"},
        "series": series,
    }  # fmt: skip


def _column(points: Mapping[int, Mapping[str, Any]], months: Sequence[int], name: str) -> list[Any]:
    return [points[month][name] if month in points else None for month in months]


def _note(own: Sequence[Mapping[str, Any]]) -> str:
    counted = [point for point in own if point["n"] >= SAMPLE_MIN]
    parts = [
        _("n = %(first)s placements at month %(from)s, %(last)s at month %(to)s; band: 95%% interval.")
        % {"first": counted[0]["n"], "from": counted[0]["month"], "last": counted[-1]["n"], "to": counted[-1]["month"]}
    ]  # fmt: skip
    early = [point["month"] for point in own if point["n"] < SAMPLE_MIN]
    if early:
        parts.append(
            ngettext(
                "Too early to say for month %(months)s: fewer than %(least)s placements.",
                "Too early to say for months %(months)s: fewer than %(least)s placements.",
                len(early),
            )
            % {"months": listed(early), "least": SAMPLE_MIN}
        )
    return " ".join(parts)
