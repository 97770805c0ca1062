"""The desk: everything that waits, sorted by clock, split into mine and my colleagues'; the money; the last day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import polars as pl
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from weituo.foundation.tenancy.actors import Actor
from weituo.web.presenters.answers import waiting_objections
from weituo.web.presenters.borrower import KIND_LABELS
from weituo.web.presenters.conduct_words import FINDINGS
from weituo.web.presenters.ledger import agency_names
from weituo.web.presenters.naming import name_of
from weituo.web.presenters.partners import PAPERS
from weituo.web.presenters.tracking import ALERTS
from weituo.web.templatetags.weituo import money as money_text

PAPER_DAYS: Final = 60
SOON: Final = timedelta(days=2)
#: rows of the list that are shown before “all of them” leads to the room's own page
SHOWN_MAX: Final = 25
FAR: Final = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What the rooms say is open."""

    violations: Sequence[Mapping[str, Any]]
    cases: Sequence[Mapping[str, Any]]
    alerts: Sequence[Mapping[str, Any]]
    proposals: Sequence[Mapping[str, Any]]
    runs: Sequence[Mapping[str, Any]]
    answers: Sequence[Mapping[str, Any]]
    due: Mapping[str, int]
    objections: Sequence[Mapping[str, Any]]
    statements: Sequence[Mapping[str, Any]]
    plans: Sequence[Mapping[str, Any]]
    papers: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Frames that the figures are computed from."""

    buckets: Sequence[Mapping[str, Any]]
    placements: pl.DataFrame
    payments: pl.DataFrame
    curves: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The last 24 hours."""

    permits: Mapping[str, int]
    cases: pl.DataFrame
    since: datetime
    at: datetime
    today: date


def desk(
    *, waiting: Waiting, money: Money, day: Day, agencies: Sequence[Any], actor: Actor
) -> dict[str, Any]:
    """Give the page."""
    names = agency_names(agencies)
    items = sorted(_items(waiting, names=names, at=day.at, actor=actor), key=lambda item: item["order"])
    mine = [item for item in items if item["mine"]]
    others = [item for item in items if not item["mine"]]
    figures = _figures(money)
    return {
        "state": _state(mine, others=len(others), empty=not money.buckets),
        "mine": mine[:SHOWN_MAX],
        "mine_more": max(0, len(mine) - SHOWN_MAX),
        "others": _by_kind(others),
        "figures": figures,
        "yesterday": _yesterday(money, day),
        "empty_book": not money.buckets,
        "today": day.today,
    }


def _state(mine: Sequence[Mapping[str, Any]], *, others: int, empty: bool) -> dict[str, Any]:
    if empty:
        return {
            "tone": "watch",
            "text": _("The book is empty, so there is nothing to place yet."),
            "next": [{"label": _("See how to import a book"), "url": reverse("book:index")}],
        }
    late = sum(item["tone"] == "bad" for item in mine)
    if late:
        text = ngettext(
            "%(n)s thing that waits for you is past its clock.",
            "%(n)s things that wait for you are past their clock.",
            late,
        ) % {"n": late}
        return {"tone": "bad", "text": text, "next": [_first(mine[0])]}
    if mine:
        text = ngettext("%(n)s thing waits for you.", "%(n)s things wait for you.", len(mine)) % {
            "n": len(mine)
        }
        return {"tone": "watch", "text": text, "next": [_first(mine[0])]}
    if others:
        text = ngettext(
            "Nothing waits for you; %(n)s thing waits for colleagues.",
            "Nothing waits for you; %(n)s things wait for colleagues.",
            others,
        ) % {"n": others}
        return {"tone": "good", "text": text, "next": []}
    return {"tone": "good", "text": _("Nothing waits for anybody."), "next": []}


def _first(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": _("%(kind)s: %(do)s") % {"kind": item["kind"], "do": item["do"]}, "url": item["url"]}


def _item(
    *,
    kind: Any,
    text: str,
    who: str,
    url: str,
    do: str,
    mine: bool,
    at: datetime,
    due: datetime | None = None,
    since: datetime | None = None,
    icon: str,
    here: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    tone = "wait" if due is None else "bad" if due <= at else "act" if due - at < SOON else "wait"
    order = due or (at + FAR + ((since - at) if since else timedelta()))
    return {
        "kind": kind, "text": text, "who": who, "url": url, "do": do, "mine": mine, "due": due, "since": since,
        "tone": tone, "order": order, "icon": icon, "here": here,
    }  # fmt: skip


def _items(
    waiting: Waiting, *, names: Mapping[str, str], at: datetime, actor: Actor
) -> Iterator[dict[str, Any]]:
    yield from _clocks(waiting, names=names, at=at, actor=actor)
    yield from _decisions(waiting, names=names, at=at, actor=actor)


def _clocks(
    waiting: Waiting, *, names: Mapping[str, str], at: datetime, actor: Actor
) -> Iterator[dict[str, Any]]:
    for row in waiting.violations:
        yield _item(
            kind=_("Violation"), text=f"{FINDINGS.get(row['code'], row['code'])} ({row['rule']})", who=name_of(row), url=reverse("contact:violations"), do=_("Close it"),
            mine=actor.may("contact.close_violation"), at=at, due=row["answer_due_at"], icon="gavel",
            here=_here("contact:close", row["id"], field="outcome", label=_("Outcome: what the agency answered and what follows"), button=_("Close the violation")),
        )  # fmt: skip
    for row in waiting.cases:
        yield _item(
            kind=KIND_LABELS[row["kind"]], text=str(row["number"]), who=names.get(str(row["agency_id"]), ""),
            url=reverse("care:case", args=[row["id"]]), do=_("Decide"), mine=actor.may("care.decide_case"), at=at,
            due=row["due_at"], icon="heart-handshake",
        )  # fmt: skip
    for row in waiting.papers:
        ends = datetime.combine(row["valid_to"], time(), tzinfo=timezone.get_current_timezone())
        yield _item(
            kind=_("Paper that ends"), text=str(PAPERS.get(row["kind"], row["kind"])), who=names.get(str(row["agency_id"]), ""),
            url=reverse("partners:agency", args=[row["agency_id"]]), do=_("Ask for the next one"),
            mine=actor.may("partners.verify_paper"), at=at, due=ends, icon="file-certificate",
        )  # fmt: skip


def _answers(waiting: Waiting, *, at: datetime, actor: Actor) -> Iterator[dict[str, Any]]:
    """Give what came back from agencies, what they object to, and what has come due."""
    for row in waiting.answers:
        if row["to_refill"]:
            yield _item(
                kind=_("Run to refill"), text=_("Run %(number)s: %(n)s accounts came back") % {"number": row["number"], "n": f"{row['to_refill']:,}"},
                who="", url=reverse("placement:offers"), do=_("Refill"), mine=actor.may("placement.refill"), at=at, icon="route",
            )  # fmt: skip
    for row in waiting_objections(waiting.objections, at=at):
        yield _item(
            kind=_("Objection to a recall"), text=row["text"], who=row["agency"], url=row["url"], do=_("Decide"),
            mine=actor.may("placement.recall"), at=at, since=row["made_at"], icon="route",
        )  # fmt: skip
    for key, permission, name, page, label in (
        ("overdue", "placement.refill", _("Offers past their deadline"), "placement:offers", _("End them")),
        (
            "due",
            "placement.recall",
            _("Recalls due to become final"),
            "placement:recalls",
            _("Make them final"),
        ),
    ):
        if waiting.due[key]:
            yield _item(
                kind=name, text=f"{waiting.due[key]:,}", who="", url=reverse(page), do=label, mine=actor.may(permission), at=at, due=at, icon="clock",
            )  # fmt: skip


def _decisions(
    waiting: Waiting, *, names: Mapping[str, str], at: datetime, actor: Actor
) -> Iterator[dict[str, Any]]:
    for row in waiting.alerts:
        yield _item(
            kind=_("Alert"), text=str(ALERTS.get(row["code"], row["code"])), who=name_of(row), url=reverse("tracking:index") + "#alerts", do=_("Act on it"),
            mine=actor.may("tracking.close_alert"), at=at, since=row["raised_at"], icon="bell",
            here=_here("tracking:close_alert", row["id"], field="action", label=_("What was done"), button=_("Close with this action")),
        )  # fmt: skip
    for row in waiting.proposals:
        yield _item(
            kind=_("Agency to approve"), text=name_of(row), who="", url=reverse("partners:agency", args=[row["agency_id"]]),
            do=_("Decide"), mine=actor.may("partners.decide") and row["proposed_by"] not in (actor.id, actor.name),
            at=at, since=row["proposed_at"], icon="building",
        )  # fmt: skip
    for row in waiting.runs:
        if row["state"] == "PROPOSED":
            yield _item(
                kind=_("Placement run to approve"), text=_("Run %(number)s") % {"number": row["number"]}, who="",
                url=f"/placement/runs/{row['id']}/", do=_("Decide"),
                mine=actor.may("placement.decide") and row.get("proposed_by") not in (actor.id, actor.name),
                at=at, icon="route",
            )  # fmt: skip
    yield from _answers(waiting, at=at, actor=actor)
    for row in waiting.statements:
        if row["state"] == "AGREED":
            yield _item(
                kind=_("Statement to approve"), text=f"{row['period_from']} – {row['period_to'] - timedelta(days=1)}",
                who=names.get(str(row["agency_id"]), ""), url=reverse("ledger:statement", args=[row["id"]]), do=_("Approve"),
                mine=actor.may("ledger.approve_statement") and row["drawn_by"] not in (actor.id, actor.name),
                at=at, since=row["agreed_at"], icon="file-invoice",
                here=_here("ledger:approve", row["id"], button=_("Approve and pay out"), confirm=_paid_out(row, names=names)),
            )  # fmt: skip
    for row in waiting.plans:
        if row["state"] == "DRAFT":
            yield _item(
                kind=_("Plan to sign"), text=_("Version %(n)s") % {"n": row["version"]},
                who=names.get(str(row["agency_id"]), ""), url=f"/plans/{row['id']}/", do=_("Sign"), mine=actor.may("plans.sign_lender"),
                at=at, icon="target-arrow",
            )  # fmt: skip


def _here(
    name: str, key: Any, *, button: str, field: str = "", label: str = "", confirm: str = ""
) -> dict[str, Any]:
    """Give the act that the list itself offers: where it is sent, the one field it needs, what it will do in numbers."""
    return {
        "url": reverse(name, args=[key]), "key": key, "button": button, "field": field, "label": label, "confirm": confirm,
    }  # fmt: skip


def _paid_out(row: Mapping[str, Any], *, names: Mapping[str, str]) -> str:
    return _("%(amount)s is paid out to %(agency)s.") % {
        "amount": money_text(row["commission_minor"], row["currency"]),
        "agency": names.get(str(row["agency_id"]), ""),
    }


def _by_kind(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    counted: dict[str, dict[str, Any]] = {}
    for item in items:
        row = counted.setdefault(
            str(item["kind"]), {"kind": item["kind"], "count": 0, "late": 0, "url": item["url"]}
        )
        row["count"] += 1
        row["late"] += item["tone"] == "bad"
    return list(counted.values())


def _main_currency(money: Money) -> str:
    return max(money.buckets, key=lambda row: row["balance_minor"], default={"currency": "CNY"})["currency"]  # type: ignore[no-any-return]


def _figures(money: Money) -> dict[str, Any]:
    currency = _main_currency(money)
    overdue = sum(row["balance_minor"] for row in money.buckets if row["currency"] == currency)
    placed = money.placements.filter(pl.col("currency") == currency)
    active = placed.filter(pl.col("state") == "ACTIVE")
    recovered = money.payments.filter((pl.col("currency") == currency) & pl.col("placement_id").is_not_null())
    against = (
        money.curves.filter(pl.col("plan").is_not_null() & pl.col("liquidation").is_not_null())
        .sort("month")
        .group_by("agency_id", maintain_order=True)
        .last()
    )
    planned = int((against["plan"] * against["placed_minor"]).sum()) if against.height else None
    reached = int((against["liquidation"] * against["placed_minor"]).sum()) if against.height else None
    return {
        "currency": currency,
        "overdue_minor": overdue,
        "accounts": sum(row["accounts"] for row in money.buckets if row["currency"] == currency),
        "placed_minor": int(active["balance_minor"].sum()),
        "placed_count": active.height,
        "recovered_minor": int(recovered["amount_minor"].sum()),
        "payments": recovered.height,
        "expected_minor": int(active["expected_recovery_minor"].sum()),
        "planned_minor": planned,
        "reached_minor": reached,
        "reached_share": reached / planned if planned and reached is not None else None,
        "on_plan": planned is not None and reached is not None and reached >= planned,
    }


def _yesterday(money: Money, day: Day) -> list[dict[str, Any]]:
    currency = _main_currency(money)
    fresh = money.placements.filter(pl.col("placed_at") >= day.since)
    paid = money.payments.filter(
        (pl.col("paid_on") >= day.today - timedelta(days=1)) & (pl.col("currency") == currency)
    )
    opened = day.cases.filter(pl.col("opened_at") >= day.since)
    return [
        {"label": _("Accounts placed"), "count": fresh.height},
        {
            "label": _("Payments booked"),
            "count": paid.height,
            "minor": int(paid["amount_minor"].sum()),
            "currency": currency,
        },
        {"label": _("Permits asked"), "count": sum(day.permits.values())},
        {"label": _("Permits refused"), "count": day.permits.get("REFUSED", 0)},
        {"label": _("Cases opened by borrowers"), "count": opened.height},
    ]
