"""Placements in a list, one with its history, and what a recall would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import polars as pl
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from weituo.domain.placement.terms import NOTICED
from weituo.foundation.tenancy.actors import Actor
from weituo.web.names import bucket_name
from weituo.web.posted import whole
from weituo.web.presenters.conduct_words import CHANNELS
from weituo.web.presenters.conduct_words import STATES as PERMIT_STATES
from weituo.web.presenters.naming import name_of
from weituo.web.presenters.placement_words import (
    DECLINES,
    PLACEMENT_STATES,
    PROMISE_STATES,
    RECALLS,
    RESULTS,
    WITHDRAWALS,
    labelled,
)
from weituo.web.presenters.regions import region_name
from weituo.web.templatetags.weituo import day, instant

FILTERS = ("agency", "state", "bucket", "run", "case")
#: filters that hold an id
_IDS = frozenset({"agency", "run"})


def asked(query: Mapping[str, str]) -> dict[str, Any]:
    """Read filters and page from an address; what makes no sense is left out."""
    filters = {key: query.get(key, "").strip()[:40] for key in FILTERS if query.get(key, "").strip()}
    for key in _IDS & set(filters):
        try:
            UUID(filters[key])
        except ValueError:
            del filters[key]
    if filters.get("state") not in PLACEMENT_STATES:
        filters.pop("state", None)
    number = query.get("page", "1")
    page = whole(number, otherwise=1) or 1
    return {"filters": filters, "page": page}


def as_query(filters: Mapping[str, str]) -> dict[str, str]:
    """Give the filters under the names of `placements_page`."""
    names = {"agency": "agency_id", "run": "run_id", "case": "case_ref"}
    return {names.get(key, key): value for key, value in filters.items()}


def agency_names(agencies: Sequence[Any]) -> dict[str, str]:
    """Give agency names in the reader's language by id."""
    return {str(one.id): name_of({"name_zh": one.name_zh, "name_en": one.name_en}) for one in agencies}


def _choices(values: Sequence[tuple[str, Any]], chosen: str) -> list[dict[str, Any]]:
    return [{"value": value, "label": label, "chosen": value == chosen} for value, label in values]


def listing(
    found: Mapping[str, Any],
    *,
    asked: Mapping[str, Any],
    agencies: Sequence[Any],
    runs: Sequence[Mapping[str, Any]],
    buckets: Sequence[str],
    actor: Actor,
) -> dict[str, Any]:
    """Give one page of placements with its filters."""
    names, filters = agency_names(agencies), asked["filters"]

    def address(**change: object) -> str:
        return "?" + urlencode(filters | change)

    text = ngettext("%(n)s placement passes the filter.", "%(n)s placements pass the filter.", found["total"])
    return {
        "state": {"tone": "none", "text": text % {"n": f"{found['total']:,}"}, "next": []},
        "rows": [dict(row) | {"agency": name_of(row), "region_label": region_name(row["region"]), "shown": labelled(PLACEMENT_STATES, row["state"])} for row in found["rows"]],
        "total": found["total"],
        "page": found["page"],
        "pages": found["pages"],
        "previous": address(page=found["page"] - 1) if found["page"] > 1 else "",
        "next": address(page=found["page"] + 1) if found["page"] < found["pages"] else "",
        "filters": filters,
        "selects": [
            {"name": "agency", "label": _("Agency"), "options": _choices(list(names.items()), filters.get("agency", ""))},
            {"name": "state", "label": _("State"), "options": _choices([(code, label) for code, (label, _tone) in PLACEMENT_STATES.items()], filters.get("state", ""))},
            {"name": "bucket", "label": _("Bucket"), "options": _choices([(one, bucket_name(one)) for one in buckets], filters.get("bucket", ""))},
            {"name": "run", "label": _("Run"), "options": _choices([(str(run["id"]), run["number"]) for run in runs], filters.get("run", ""))},
        ],
        "case": filters.get("case", ""),
        "recall": reverse("placement:recall") + address() if _recallable(found["rows"], filters, actor) else "",
    }  # fmt: skip


def _recallable(rows: Sequence[Mapping[str, Any]], filters: Mapping[str, str], actor: Actor) -> bool:
    """Tell whether a recall of what passes is offered: something must be chosen, and something be active."""
    return bool(filters) and actor.may("placement.recall") and any(row["state"] == "ACTIVE" for row in rows)


def one(
    row: Mapping[str, Any],
    *,
    contact: Mapping[str, Sequence[Mapping[str, Any]]],
    promises: pl.DataFrame,
    payments: pl.DataFrame,
    actor: Actor,
) -> dict[str, Any]:
    """Give one placement with everything that happened under it, the latest first."""
    ident = str(row["id"])
    mine = payments.filter(pl.col("placement_id") == ident)
    paid = int(mine["applied_minor"].sum()) if mine.height else 0
    active = row["state"] == "ACTIVE"
    share = f"{100 * paid / row['balance_minor']:.1f}%" if row["balance_minor"] else "–"
    text = _("Active until %(day)s; %(share)s of the balance came in.") if active else _("Ended; %(share)s of the balance came in.")  # fmt: skip
    return {
        "placement": dict(row) | {"agency": name_of(row), "region_label": region_name(row["region"]), "shown": labelled(PLACEMENT_STATES, row["state"]), "reason": RECALLS.get(row["recall_reason"], row["recall_reason"])},
        "state": _standing(row) or {"tone": "good" if active else "none", "text": text % {"day": day(row["term_to"]), "share": share}, "next": []},
        "retain": reverse("placement:retain", args=[row["id"]]) if active and actor.may("placement.retain") else "",
        "paid_minor": paid,
        "permits": [dict(permit) | {"shown": labelled(PERMIT_STATES, permit["state"]), "channel_label": CHANNELS.get(permit["channel"], permit["channel"]), "codes": [reason["code"] for reason in permit["reasons"]]} for permit in contact["permits"]],
        "attempts": [dict(attempt) | {"channel_label": CHANNELS.get(attempt["channel"], attempt["channel"]), "result_label": RESULTS.get(attempt["result"], attempt["result"])} for attempt in contact["attempts"]],
        "promises": [promise | {"shown": labelled(PROMISE_STATES, promise["state"])} for promise in promises.filter(pl.col("placement_id") == ident).sort("made_at", descending=True).to_dicts()],
        "payments": mine.sort("paid_on", descending=True).to_dicts(),
        "recall": f"{reverse('placement:recall')}?placement={ident}" if active and actor.may("placement.recall") else "",
    }  # fmt: skip


def origin(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Give from whom a refill brought the placement, and why it came back."""
    if row is None:
        return None
    lapsed = row["state"] == "LAPSED"
    why = (
        PLACEMENT_STATES["LAPSED"][0] if lapsed else DECLINES.get(row["answer_reason"], row["answer_reason"])
    )
    return dict(row) | {"agency": name_of(row), "why": why}


def _standing(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the state of a placement that is offered, never began, or is under notice of recall; None for any other."""
    if row["state"] == "OFFERED":
        text = _("Offered: nothing of it is shared before the agency accepts, until %(until)s at the latest.")
        return {"tone": "none", "text": text % {"until": instant(row["answer_by"])}, "next": []}
    if row["placed_at"] is None:
        codes = WITHDRAWALS if row["state"] == "WITHDRAWN" else DECLINES
        text = _("It never began: %(state)s. %(why)s")
        words = {
            "state": PLACEMENT_STATES[row["state"]][0],
            "why": codes.get(row["answer_reason"], row["answer_reason"]),
        }
        return {"tone": "none", "text": text % words, "next": []}
    if row["recall_final_on"] is not None:
        text = _("Under notice of recall, final on %(day)s.") % {"day": day(row["recall_final_on"])}
        steps = [{"label": _("Recall notices"), "url": reverse("placement:recalls")}]
        return {"tone": "watch", "text": text, "next": steps}
    return None


def recall(
    chosen: pl.DataFrame,
    *,
    packages: Sequence[Mapping[str, Any]],
    reasons: Sequence[str],
    agencies: Sequence[Any],
    query: str,
    typed: Mapping[str, str],
    earliest: date,
    problem: str = "",
) -> dict[str, Any]:
    """Say in numbers what a recall would do, by agency, before anybody clicks.

    chosen: active placements (columns of the placements frame); packages: those that hold one of them and are not revoked.
    """
    names = agency_names(agencies)
    by_agency = (
        chosen.group_by("agency_id", "currency")
        .agg(n=pl.len(), balance_minor=pl.col("balance_minor").sum())
        .sort("n", descending=True)
        .to_dicts()
    )
    words = {
        "placements": ngettext("%(n)s placement will be recalled", "%(n)s placements will be recalled", chosen.height) % {"n": f"{chosen.height:,}"},
        "packages": ngettext("taken out of %(n)s package", "taken out of %(n)s packages", len(packages)) % {"n": len(packages)},
    }  # fmt: skip
    consequence = _("%(placements)s, %(packages)s.") % words
    return {
        "state": {"tone": "watch" if chosen.height else "none", "text": consequence if chosen.height else _("No active placement is chosen, so nothing would be recalled."), "next": []},
        "consequence": consequence,
        "n": chosen.height,
        "by_agency": [row | {"agency": names.get(row["agency_id"], ""), "packages": sum(1 for one in packages if str(one["agency_id"]) == row["agency_id"])} for row in by_agency],
        "reasons": [{"value": code, "label": RECALLS.get(code, code), "chosen": typed.get("reason") == code, "noticed": code in NOTICED} for code in reasons],
        "earliest": earliest,
        "final_on": typed.get("final_on") or earliest.isoformat(),
        "query": query,
        "problem": problem,
    }  # fmt: skip
