"""The business case as a manager reads it: cost to collect, net recovery and capacity, in-house beside agencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.web import posted
from weituo.web.names import bucket_name
from weituo.web.templatetags.weituo import money as money_text

WAYS = {"IN_HOUSE": gettext_lazy("in-house"), "AGENCY": gettext_lazy("agencies")}
#: fewer accounts than this in a bucket: too early to compare
SAMPLE_MIN = 30


def period(query: Mapping[str, str]) -> dict[str, date | None]:
    """Read the period of booking from an address; without days all booked money counts."""
    found: dict[str, date | None] = {"period_from": None, "period_to": None}
    for name in found:
        try:
            found[name] = posted.day_within_reach(query.get(name, ""))
        except ValueError:
            continue
    if found["period_from"] and found["period_to"] and found["period_from"] >= found["period_to"]:
        return {"period_from": None, "period_to": None}
    return found


def overview(found: Mapping[str, Any], *, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Give the page: the finding, non-performing loans, both ways by bucket as charts and table, capacity."""
    currency = _main_currency(found)
    total = {row["way"]: row for row in found["total"] if row["currency"] == currency}
    lines = [row for row in found["by_bucket"] if row["currency"] == currency]
    book = next((row for row in found["book"] if row["currency"] == currency), None)
    return {
        "state": {
            "tone": _tone(total, costs=found["cost_basis"]["in_house_costs_booked"]),
            "text": finding(total, costs=found["cost_basis"]["in_house_costs_booked"]),
            "next": [{"label": _("Compare agencies with each other"), "url": reverse("evaluation:index")}, {"label": _("Plans"), "url": "/plans/"}],
        },
        "book": book,
        "on": found["on"],
        "stated": found["stated"],
        "outside": outside_text(found["outside"]),
        "spent_minor": sum(row["cost_minor"] for row in total.values()),
        "cost_chart": bucket_chart(lines, field="cost_to_collect", currency=currency),
        "net_chart": bucket_chart(lines, field="net_share", currency=currency),
        "lines": [_line(row) for row in lines],
        "total": [_line(row) for row in total.values()],
        "capacity": found["capacity"],
        "capacity_text": capacity_text(found["capacity"]),
        "costs_booked": found["cost_basis"]["in_house_costs_booked"],
        "currency": currency,
        "others": sorted({row["currency"] for row in found["total"]} - {currency}),
        "period_from": asked["period_from"],
        "period_to": asked["period_to"],
        "sample_min": SAMPLE_MIN,
    }  # fmt: skip


def outside_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say how much was paid on accounts that belong to neither way; nothing where there was none."""
    sums = _(", ").join(
        money_text(row["recovered_minor"], row["currency"]) for row in rows if row["recovered_minor"]
    )
    if not sums:
        return ""
    return _("Beside both ways, %(sums)s came in straight on accounts on hold or with an agency.") % {"sums": sums}  # fmt: skip


def _main_currency(found: Mapping[str, Any]) -> str:
    sums: dict[str, int] = {}
    for row in found["total"]:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["placed_minor"]
    return max(sums, key=lambda code: sums[code], default=(found["book"][0]["currency"] if found["book"] else "CNY"))  # fmt: skip


def finding(total: Mapping[str, Mapping[str, Any]], *, costs: int) -> str:
    """Say in one sentence what each way costs per unit recovered, or what is missing to say it."""
    own, agency = total.get("IN_HOUSE"), total.get("AGENCY")
    if agency is None or not agency["recovered_minor"]:
        return _("Agencies have recovered nothing yet, so there is nothing to compare.")
    words = {"agency": f"{100 * agency['cost_to_collect']:.1f}"}
    if not costs:
        return _("Agencies cost %(agency)s per 100 recovered; no in-house cost is booked, so that side is missing.") % words  # fmt: skip
    if own is None or not own["recovered_minor"]:
        return _("Agencies cost %(agency)s per 100 recovered; in-house work has recovered nothing in this time.") % words  # fmt: skip
    words |= {"own": f"{100 * own['cost_to_collect']:.1f}"}
    if agency["cost_to_collect"] < own["cost_to_collect"]:
        text = _("Agencies cost less per 100 recovered: %(agency)s against %(own)s in-house.")
    else:
        text = _("In-house work costs less per 100 recovered: %(own)s against %(agency)s at agencies.")
    return text % words + " " + _("The two work different accounts; the buckets below compare like with like.")  # fmt: skip


def _tone(total: Mapping[str, Mapping[str, Any]], *, costs: int) -> str:
    return "none" if costs and len(total) == 2 else "watch"


def bucket_chart(lines: Sequence[Mapping[str, Any]], *, field: str, currency: str) -> dict[str, Any] | None:
    """Draw cost to collect or net recovery by bucket, both ways side by side; thin buckets are left out and named."""
    buckets = list(dict.fromkeys(row["bucket"] for row in lines))
    cell = {(row["way"], row["bucket"]): row for row in lines}
    enough = {key: row for key, row in cell.items() if row["n"] >= SAMPLE_MIN and row[field] is not None}
    if not enough:
        return None
    both = [bucket for bucket in buckets if all((way, bucket) in enough for way in WAYS)]
    thin = [bucket for bucket in buckets if bucket not in both]
    # at least one bucket can be compared, or the note says why none can
    cheaper = [one for one in both if enough["AGENCY", one][field] < enough["IN_HOUSE", one][field]]
    better = [one for one in both if enough["AGENCY", one][field] > enough["IN_HOUSE", one][field]]
    words = {"n": len(cheaper if field == "cost_to_collect" else better), "all": len(both)}
    if not both:
        title = _("No bucket is worked both ways by enough accounts to compare")
    elif field == "cost_to_collect":
        title = (
            ngettext(
                "Agencies cost less per 100 recovered in %(n)s of %(all)s bucket that both work",
                "Agencies cost less per 100 recovered in %(n)s of %(all)s buckets that both work",
                len(both),
            )
            % words
        )
    else:
        title = (
            ngettext(
                "Agencies leave more net of cost in %(n)s of %(all)s bucket that both work",
                "Agencies leave more net of cost in %(n)s of %(all)s buckets that both work",
                len(both),
            )
            % words
        )
    subtitle = (
        _("Cost to collect: cost as a share of what was recovered, by bucket")
        if field == "cost_to_collect"
        else _("Net recovery: recovered less cost, as a share of what there was to collect, by bucket")
    )
    note = _("n = %(own)s accounts in-house, %(agency)s at agencies.") % {
        way_name: f"{sum(row['n'] for (way, _b), row in cell.items() if way == code):,}"
        for way_name, code in (("own", "IN_HOUSE"), ("agency", "AGENCY"))
    }
    if thin:
        note += " " + _(
            "Not comparable (fewer than %(least)s accounts, or nothing recovered, on one side): %(buckets)s."
        ) % {"least": SAMPLE_MIN, "buckets": _(", ").join(map(bucket_name, thin))}
    return {
        "id": field.replace("_", "-"),
        "kind": "bar",
        "title": title,
        "subtitle": subtitle,
        "note": note,
        "x": {"name": _("Bucket"), "values": [bucket_name(one) for one in buckets]},
        "y": {"name": _("Cost to collect") if field == "cost_to_collect" else _("Net recovery"), "format": "percent", "currency": currency},
        "series": [
            {"name": str(label), "values": [enough[way, one][field] if (way, one) in enough else None for one in buckets], "style": "solid"}
            for way, label in WAYS.items()
        ],
    }  # fmt: skip


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) | {"way_label": WAYS.get(row["way"], row["way"]), "early": row["n"] < SAMPLE_MIN}


def capacity_text(capacity: Mapping[str, int]) -> str:
    """Say how much more agencies could take today."""
    words = {key: f"{value:,}" for key, value in capacity.items()}
    if not capacity["agency_capacity"]:
        return _("No approved agency: %(in_house_accounts)s accounts are worked in-house.") % words
    return _("Agencies work %(agency_accounts)s accounts and could take %(agency_free)s more today; %(in_house_accounts)s are worked in-house.") % words  # fmt: skip
