"""Progress as a vendor manager reads it: who is behind plan, which cases rest, which promises are kept, what to act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import polars as pl
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.tracking.queries import QUIET_DAYS, SAMPLE_MIN
from weituo.foundation.tenancy.actors import Actor
from weituo.web import posted
from weituo.web.presenters import curves
from weituo.web.presenters.ledger import agency_names
from weituo.web.presenters.naming import name_of
from weituo.web.presenters.partners import PAPERS
from weituo.web.templatetags.weituo import day as day_text

ALERTS = {
    "BEHIND_PLAN": gettext_lazy("behind plan"),
    "NO_ACTIVITY": gettext_lazy("cases rest"),
    "PAPER_EXPIRING": gettext_lazy("a paper ends"),
    "REFUSALS_HIGH": gettext_lazy("many refused permits"),
}
FIGURES = {
    "active_cases": (gettext_lazy("Active cases"), "count"),
    "placed_minor": (gettext_lazy("Placed money"), "money"),
    "recovered_minor": (gettext_lazy("Recovered in the period"), "money"),
    "attempts": (gettext_lazy("Contacts"), "count"),
    "permits": (gettext_lazy("Permits asked"), "count"),
    "refused": (gettext_lazy("Permits refused"), "count"),
    "violations": (gettext_lazy("Violations"), "count"),
    "promises": (gettext_lazy("Promises made"), "count"),
    "promises_kept": (gettext_lazy("of these kept"), "count"),
}
#: an agency rests when at least this share of its active cases had no contact for 14 days
RESTING_WATCH = 0.20


def asked(query: Mapping[str, str]) -> dict[str, Any]:
    """Read agency and bucket from an address; what makes no sense is left out."""
    bucket = query.get("bucket", "")
    return {"agency": _uuid(query.get("agency", "")), "bucket": bucket if bucket in BUCKETS else ""}


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def overview(
    *,
    frame: pl.DataFrame,
    coverage: Sequence[Mapping[str, Any]],
    promises: Sequence[Mapping[str, Any]],
    alerts: Sequence[Mapping[str, Any]],
    agencies: Sequence[Any],
    asked: Mapping[str, Any],
    on: date | None,
    actor: Actor,
) -> dict[str, Any]:
    """Give the first page: findings against plan, the chosen agency's curve, coverage, promises, alerts."""
    names = agency_names(agencies)
    placed = set(frame["agency_id"].to_list()) | {str(row["agency_id"]) for row in coverage}
    rows = curves.standings(frame, names={key: name for key, name in names.items() if key in placed})
    chosen = next((row for row in rows if row["agency_id"] == asked["agency"]), rows[0] if rows else None)
    return {
        "state": _state(rows, alerts=alerts),
        "standings": [row | {"url": "?" + urlencode({"agency": row["agency_id"], "bucket": asked["bucket"]}), "cases_url": _cases(row["agency_id"], bucket=asked["bucket"])} for row in rows],
        "chosen": chosen,
        "chart": _drilled(curves.chart(frame, chosen=chosen, names=names, on=on), names=names, bucket=asked["bucket"]) if chosen else None,
        "coverage": [_coverage(row) for row in coverage],
        "coverage_title": coverage_title(coverage),
        "promises": [_promise(row) for row in promises],
        "promises_chart": promises_chart(promises),
        "alerts": sorted((alert(row) for row in alerts), key=lambda row: (list(ALERTS).index(row["code"]) if row["code"] in ALERTS else len(ALERTS), row["agency"])),
        "agencies": [{"value": row["agency_id"], "label": row["agency"], "chosen": chosen is not None and row["agency_id"] == chosen["agency_id"]} for row in rows],
        "buckets": [{"value": code, "chosen": code == asked["bucket"]} for code in BUCKETS if code != "CURRENT"],
        "bucket": asked["bucket"],
        "on": on,
        "sample_min": SAMPLE_MIN,
        "quiet_days": QUIET_DAYS,
        "may_decide_promises": actor.may("tracking.decide_promises"),
        "may_raise": actor.may("tracking.raise_alerts"),
        "may_close": actor.may("tracking.close_alert"),
        "may_review": actor.may("tracking.hold_review"),
    }  # fmt: skip


def _drilled(spec: dict[str, Any] | None, *, names: Mapping[str, str], bucket: str) -> dict[str, Any] | None:
    """Let every agency's line lead to its placements."""
    if spec is None:
        return None
    ids = {name: key for key, name in names.items()}
    return spec | {
        "series": [
            one | ({"link": _cases(ids[one["name"]], bucket=bucket)} if one["name"] in ids else {})
            for one in spec["series"]
        ]
    }


def _cases(agency_id: Any, **filters: str) -> str:
    """Give the address of an agency's placements behind a figure."""
    kept = {name: value for name, value in filters.items() if value}
    return reverse("placement:placements") + "?" + urlencode({"agency": agency_id} | kept)


def _state(rows: Sequence[Mapping[str, Any]], *, alerts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    behind = [row for row in rows if row["code"] == "BEHIND"]
    links = [{"label": _("Reviews"), "url": reverse("tracking:reviews")}]
    if alerts:
        links.insert(0, {"label": ngettext("Act on %(n)s alert", "Act on %(n)s alerts", len(alerts)) % {"n": len(alerts)}, "url": "#alerts"})  # fmt: skip
    if not rows:
        return {"tone": "none", "text": _("Nothing is placed yet, so there is no progress to follow."), "next": links}  # fmt: skip
    if behind:
        text = ngettext("%(n)s of %(all)s agencies is behind its plan: %(names)s.", "%(n)s of %(all)s agencies are behind their plans: %(names)s.", len(behind))  # fmt: skip
        words = {
            "n": len(behind),
            "all": len(rows),
            "names": _(", ").join(str(row["agency"]) for row in behind),
        }
        return {"tone": "bad", "text": text % words, "next": links}
    if alerts:
        text = ngettext("No agency is behind its plan; %(n)s alert is open.", "No agency is behind its plan; %(n)s alerts are open.", len(alerts))  # fmt: skip
        return {"tone": "watch", "text": text % {"n": len(alerts)}, "next": links}
    if all(row["code"] == "TOO_EARLY" for row in rows):
        text = _("Too early to say: no agency has %(n)s placements that are a month old.") % {"n": SAMPLE_MIN}
        return {"tone": "none", "text": text, "next": links}
    return {"tone": "good", "text": _("No agency is behind its plan and no alert is open."), "next": links}


def coverage_title(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say what coverage shows: the agency that lets most of its cases rest, or that none does."""
    active = [row for row in rows if row["active"]]
    if not active:
        return _("No case is active")
    worst = max(active, key=lambda row: row["resting"] / row["active"])
    words = {
        "agency": name_of(worst),
        "part": worst["resting"],
        "whole": worst["active"],
        "days": QUIET_DAYS,
    }
    if not worst["resting"]:
        return _("No case rests longer than %(days)s days") % words
    return _("%(agency)s lets %(part)s of %(whole)s cases rest for %(days)s days or longer") % words


def _coverage(row: Mapping[str, Any]) -> dict[str, Any]:
    whole = row["active"]
    resting = row["resting"] / whole if whole else None
    return dict(row) | {
        "agency": name_of(row),
        "spoken_share": row["spoken"] / whole if whole else None,
        "resting_share": resting,
        "cases_url": _cases(row["agency_id"], state="ACTIVE"),
        "tone": "bad" if resting is not None and resting >= RESTING_WATCH else "good",
    }


def _promise(row: Mapping[str, Any]) -> dict[str, Any]:
    decided = row["kept"] + row["broken"]
    return dict(row) | {"agency": name_of(row), "decided": decided, "early": decided < SAMPLE_MIN}


def promises_title(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say whether any agency keeps more promises than another: only where their intervals do not touch."""
    enough = [row for row in rows if row["kept"] + row["broken"] >= SAMPLE_MIN]
    if len(enough) < 2:
        return _("Promises kept: too early to compare agencies")
    best = max(enough, key=lambda row: row["kept_low"])
    worst = min(enough, key=lambda row: row["kept_high"])
    if best["kept_low"] > worst["kept_high"]:
        return _("%(best)s has more promises kept than %(worst)s") % {"best": name_of(best), "worst": name_of(worst)}  # fmt: skip
    return _("Agencies cannot be told apart by the promises kept")


def promises_chart(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Draw the share of promises kept with its interval, a dot and whisker an agency."""
    decided = [row for row in rows if row["kept"] + row["broken"]]
    if not decided:
        return None
    return {
        "id": "promises",
        "kind": "scatter",
        "title": promises_title(rows),
        "subtitle": _("Share kept of the promises decided by booked money, with its 95%% interval") % {},
        "note": " · ".join(f"{name_of(row)}: n = {row['kept'] + row['broken']}" for row in decided),
        "x": {
            "name": _("Agency"),
            "values": [name_of(row) for row in decided],
            "links": [_cases(row["agency_id"]) for row in decided],
        },
        "y": {"name": _("Promises kept"), "format": "percent"},
        "series": [
            {
                "name": _("Promises kept"),
                "values": [row["kept_share"] for row in decided],
                "low": [row["kept_low"] for row in decided],
                "high": [row["kept_high"] for row in decided],
                "style": "solid",
            }
        ],
    }


def alert(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give one alert: what was found in words, and where one acts on it."""
    detail = row["detail"]
    return dict(row) | {
        "agency": name_of(row),
        "label": ALERTS.get(row["code"], row["code"]),
        "tone": "bad" if row["code"] == "BEHIND_PLAN" else "watch",
        "text": _found(row["code"], detail),
        "act": _act_on(row),
    }


def _found(code: str, detail: Mapping[str, Any]) -> str:
    if code == "BEHIND_PLAN":
        return _("At month %(month)s recovered %(share)s (%(low)s to %(high)s), planned %(plan)s; n = %(n)s.") % {
            "month": detail["month"], "n": detail["n"],
            **{name: f"{100 * detail[key]:.1f}%" for name, key in (("share", "liquidation"), ("low", "low"), ("high", "high"), ("plan", "plan"))},
        }  # fmt: skip
    if code == "NO_ACTIVITY":
        return _("%(resting)s of %(active)s active cases had no contact for %(days)s days.") % detail
    if code == "PAPER_EXPIRING":
        return _("%(kind)s ends on %(valid_to)s and no successor is verified.") % {
            "kind": PAPERS.get(detail["kind"], detail["kind"]), "valid_to": day_text(detail["valid_to"])
        }  # fmt: skip
    if code == "REFUSALS_HIGH":
        return _("%(refused)s of %(asked)s requests were refused in %(days)s days.") % detail
    return ", ".join(f"{key}: {value}" for key, value in detail.items())


def _act_on(row: Mapping[str, Any]) -> dict[str, str]:
    if row["code"] == "REFUSALS_HIGH":
        address = (
            reverse("contact:permits") + "?" + urlencode({"state": "REFUSED", "agency": row["agency_code"]})
        )
        return {"label": _("Read its refusals"), "url": address}
    query = urlencode({"agency": row["agency_id"] or "", "alert": row["id"]})
    return {"label": _("Hold a review on it"), "url": f"{reverse('tracking:reviews')}?{query}#hold"}


def reviews(
    rows: Sequence[Mapping[str, Any]],
    *,
    agencies: Sequence[Any],
    form: Mapping[str, Any],
    preview: Mapping[str, Any] | None,
    answered: Mapping[str, Any] | None,
    actor: Actor,
) -> dict[str, Any]:
    """Give the reviews held, and the form for a new one with the figures that would be frozen."""
    last = max((row["held_at"] for row in rows), default=None)
    text = _("No review was held yet.") if last is None else ngettext("%(n)s review was held; the last on %(day)s.", "%(n)s reviews were held; the last on %(day)s.", len(rows)) % {"n": len(rows), "day": day_text(last)}  # fmt: skip
    return {
        "state": {
            "tone": "none" if last is None else "good",
            "text": text,
            "next": [{"label": _("Progress"), "url": reverse("tracking:index")}],
        },
        "reviews": [
            dict(row) | {"agency": name_of(row), "last_day": row["period_to"] - timedelta(days=1), "shown": shown_figures(row["figures"])}
            for row in rows
        ],
        "agencies": [{"value": key, "label": name, "chosen": key == form["agency"]} for key, name in agency_names(agencies).items()],
        "form": form,
        "preview": None if preview is None else shown_figures(preview),
        "alert": None if answered is None else alert(answered),
        "may_hold": actor.may("tracking.hold_review"),
    }  # fmt: skip


def shown_figures(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give frozen figures in a fixed order with their words."""
    return [
        {"label": label, "value": figures[key], "form": form, "currency": figures.get("currency") or "CNY"}
        for key, (label, form) in FIGURES.items()
        if key in figures
    ]


def review_form(query: Mapping[str, str], *, today: date) -> dict[str, Any]:
    """Read the form of a new review from what was typed; by default the last whole month (period_to is its first day after)."""
    first = today.replace(day=1)
    wished = {"period_from": (first - timedelta(days=1)).replace(day=1), "period_to": first}
    for name in wished:
        try:
            wished[name] = posted.day_within_reach(query.get(name, ""))
        except ValueError:
            continue
    return wished | {
        "agency": asked(query)["agency"],
        "alert": _uuid(query.get("alert", "")),
        "findings": query.get("findings", ""),
        "actions": query.get("actions", ""),
    }
