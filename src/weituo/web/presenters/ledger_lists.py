"""The lists of the money pages: what waits, statements, bank lines, reports, payments, the trial balance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.domain.ledger.queries import Balance
from weituo.foundation.tenancy.actors import Actor
from weituo.web.posted import day_within_reach, whole
from weituo.web.presenters.ledger import COMPONENTS, KINDS, METHODS, agency_names, shown_state

#: state of a list in its address → what people read
STATEMENTS = {
    "OPEN": gettext_lazy("not paid yet"),
    "DRAWN": gettext_lazy("waits for the agency"),
    "AGREED": gettext_lazy("waits for approval"),
    "PAID": gettext_lazy("paid"),
}
BANK_LINES = {"waits": gettext_lazy("waits for a report"), "matched": gettext_lazy("matched")}
REPORTS = {
    "REPORTED": gettext_lazy("waits for the bank line"),
    "BOOKED": gettext_lazy("booked"),
    "REFUSED": gettext_lazy("refused"),
}
#: pages of the room: name of the address → what people read
PLACES = {
    "index": gettext_lazy("What waits"),
    "statements": gettext_lazy("Statements"),
    "bank": gettext_lazy("Bank lines"),
    "remittances": gettext_lazy("Reports of agencies"),
    "payments": gettext_lazy("Payments"),
    "balance": gettext_lazy("Trial balance"),
    "entries": gettext_lazy("Entries"),
    "check": gettext_lazy("Check"),
}
SHOWN_MAX = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an address asks of a list: a state, an agency, a page."""

    state: str = ""
    agency_id: UUID | None = None
    page: int = 1

    def address(self, page: int) -> str:
        """Give the address of another page of the same list."""
        kept = {"state": self.state, "agency": str(self.agency_id or "")}
        return "?" + urlencode({key: value for key, value in kept.items() if value} | {"page": page})


def asked(query: Mapping[str, str], *, states: Mapping[str, Any], agencies: Sequence[Any] = ()) -> Asked:
    """Read a list's address; what makes no sense is left out."""
    known = {str(agency.id): agency.id for agency in agencies}
    state = query.get("state", "")
    return Asked(
        state=state if state in states else "",
        agency_id=known.get(query.get("agency", "")),
        page=whole(query.get("page", "1"), otherwise=1) or 1,
    )


def places(here: str) -> list[dict[str, Any]]:
    """Give the room's pages, the present one marked."""
    return [
        {"label": label, "url": reverse(f"ledger:{name}"), "here": name == here}
        for name, label in PLACES.items()
    ]


def _paging(found: Mapping[str, Any], ask: Asked) -> dict[str, Any]:
    """Give where the page before and the page after are."""
    return {
        "page": found["page"],
        "pages": found["pages"],
        "previous": ask.address(found["page"] - 1) if found["page"] > 1 else "",
        "next": ask.address(found["page"] + 1) if found["page"] < found["pages"] else "",
        "filtered": bool(ask.state or ask.agency_id),
    }


def _selects(
    ask: Asked, *, states: Mapping[str, Any], names: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    found = []
    if names is not None:
        chosen = str(ask.agency_id or "")
        options = [{"value": key, "label": name, "chosen": key == chosen} for key, name in names.items()]
        found.append({"name": "agency", "label": _("Agency"), "options": options})
    if states:
        options = [
            {"value": key, "label": label, "chosen": key == ask.state} for key, label in states.items()
        ]
        found.append({"name": "state", "label": _("State"), "options": options})
    return found


def _named(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        dict(row) | {"agency": names.get(str(row["agency_id"]), ""), "shown": shown_state(row["state"])}
        for row in rows
    ]


def overview(
    *,
    balances: Sequence[Balance],
    waiting: Mapping[str, int],
    statements: Mapping[str, Any],
    remittances: Mapping[str, Any],
    bank_lines: Mapping[str, Any],
    agencies: Sequence[Any],
) -> dict[str, Any]:
    """Give the money page: what stands in the books, whether it balances, and what waits for somebody."""
    names, totals = agency_names(agencies), _totals(balances)
    main = max(
        totals,
        key=lambda currency: sum(abs(row.balance_minor) for row in balances if row.currency == currency),
        default="CNY",
    )

    def figure(kind: str, sign: int = 1) -> dict[str, Any]:
        found = sum(row.balance_minor for row in balances if row.kind == kind and row.currency == main)
        return {"label": KINDS[kind], "minor": sign * found}

    return {
        "places": places("index"),
        "state": _overview_state(waiting, balanced=not any(totals.values()), empty=not balances),
        "currency": main,
        "figures": [
            figure("RECEIVABLE"),
            figure("COMMISSION_EXPENSE"),
            figure("COMMISSION_PAYABLE", -1),
            figure("SUSPENSE", -1),
        ],
        "statements": _named(statements["rows"][:SHOWN_MAX], names),
        "remittances": _named(remittances["rows"][:SHOWN_MAX], names),
        "bank_lines": _lines(bank_lines["rows"][:SHOWN_MAX], names),
        "waiting": dict(waiting) | {"statements": waiting["drawn"] + waiting["agreed"]},
    }


def _totals(balances: Sequence[Balance]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for row in balances:
        totals[row.currency] = totals.get(row.currency, 0) + row.balance_minor
    return totals


def _overview_state(waiting: Mapping[str, int], *, balanced: bool, empty: bool) -> dict[str, Any]:
    following = [{"label": _("Check everything"), "url": reverse("ledger:check")}]
    if waiting["bank_lines"]:
        following.insert(0, {"label": _("Match bank lines"), "url": reverse("ledger:bank") + "?state=waits"})
    if waiting["agreed"]:
        following.insert(
            0, {"label": _("Approve a statement"), "url": reverse("ledger:statements") + "?state=AGREED"}
        )
    if empty:
        return {"tone": "none", "text": _("Nothing is booked yet."), "next": following}
    if not balanced:
        return {"tone": "bad", "text": _("Debits and credits do not agree."), "next": following}
    parts = [_("Debits and credits agree to the cent."), *_what_waits(waiting)]
    tone = "watch" if waiting["bank_lines"] or waiting["agreed"] else "good"
    return {"tone": tone, "text": " ".join(parts), "next": following}


def _what_waits(waiting: Mapping[str, int]) -> list[str]:
    parts = []
    if count := waiting["bank_lines"]:
        parts.append(
            ngettext(
                "%(n)s bank line waits for its report.", "%(n)s bank lines wait for their reports.", count
            )
            % {"n": count}
        )
    if count := waiting["agreed"]:
        parts.append(
            ngettext("%(n)s statement waits for approval.", "%(n)s statements wait for approval.", count)
            % {"n": count}
        )
    return parts


def statements(
    found: Mapping[str, Any], *, ask: Asked, waiting: Mapping[str, int], agencies: Sequence[Any], actor: Actor, today: date,
    typed: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    """Give one page of statements and the form that draws one up; `typed` is what a refused form held."""
    names, first = agency_names(agencies), today.replace(day=1)
    if waiting["agreed"]:
        text = ngettext(
            "%(n)s statement waits for approval.", "%(n)s statements wait for approval.", waiting["agreed"]
        ) % {"n": waiting["agreed"]}
        steps = [{"label": _("Show them"), "url": "?state=AGREED"}]
        state = {"tone": "watch", "text": text, "next": [] if ask.state == "AGREED" else steps}
    elif waiting["drawn"]:
        text = ngettext(
            "%(n)s statement waits for its agency; none waits for you.",
            "%(n)s statements wait for their agencies; none waits for you.",
            waiting["drawn"],
        ) % {"n": waiting["drawn"]}
        state = {"tone": "none", "text": text, "next": []}
    else:
        state = {"tone": "good", "text": _("No statement waits: all that were drawn up are paid."), "next": []}  # fmt: skip
    if not found["total"] and not ask.state and not ask.agency_id:
        state = {"tone": "none", "text": _("No statement was drawn up yet."), "next": []}
    return {
        "places": places("statements"),
        "state": state,
        "statements": _named(found["rows"], names),
        "selects": _selects(ask, states=STATEMENTS, names=names),
        "may_draw": actor.may("ledger.draw_statement"),
        "agencies": [
            {"id": key, "name": name, "chosen": key == typed.get("agency")} for key, name in names.items()
        ],
        "period_from": typed.get("period_from") or (first - timedelta(days=1)).replace(day=1).isoformat(),
        "period_to": typed.get("period_to") or first.isoformat(),
    } | _paging(found, ask)


def _lines(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Say of each bank line whether it is matched, and why it waits: no report, or a report of another amount."""
    found = []
    for row in rows:
        reported = row["reported_minor"]
        same = reported is not None and row["reported_currency"] == row["currency"]
        found.append(
            dict(row)
            | {
                "matched": bool(row["matched_to"]),
                "agency": names.get(str(row["agency_id"]), ""),
                "more_minor": reported - row["amount_minor"]
                if same and reported > row["amount_minor"]
                else None,
                "less_minor": row["amount_minor"] - reported
                if same and reported < row["amount_minor"]
                else None,
                "ready": same and reported == row["amount_minor"],
            }
        )
    return found


def bank(
    found: Mapping[str, Any], *, ask: Asked, waiting: Mapping[str, int], agencies: Sequence[Any]
) -> dict[str, Any]:
    """Give one page of bank lines."""
    count = waiting["bank_lines"]
    state: dict[str, Any] = {"tone": "good", "text": _("Every bank line is matched with a report."), "next": []}  # fmt: skip
    if count:
        text = ngettext(
            "%(n)s bank line waits for its report.", "%(n)s bank lines wait for their reports.", count
        )
        steps = [{"label": _("Reports of agencies"), "url": reverse("ledger:remittances")}]
        state = {"tone": "watch", "text": text % {"n": count}, "next": steps}
    elif not found["total"] and not ask.state:
        state = {"tone": "none", "text": _("No bank line has arrived."), "next": []}
    return {
        "places": places("bank"),
        "state": state,
        "bank_lines": _lines(found["rows"], agency_names(agencies)),
        "selects": _selects(ask, states=BANK_LINES),
    } | _paging(found, ask)


def remittances(
    found: Mapping[str, Any], *, ask: Asked, waiting: Mapping[str, int], agencies: Sequence[Any], actor: Actor
) -> dict[str, Any]:
    """Give one page of what agencies reported as paid."""
    names, count = agency_names(agencies), waiting["reports"]
    state: dict[str, Any] = {"tone": "good", "text": _("Every report is settled with the bank."), "next": []}
    if count:
        text = ngettext(
            "%(n)s report waits for its bank line.", "%(n)s reports wait for their bank lines.", count
        )
        steps = [{"label": _("Bank lines that wait"), "url": reverse("ledger:bank") + "?state=waits"}]
        state = {"tone": "watch", "text": text % {"n": count}, "next": steps}
    elif not found["total"] and not ask.state and not ask.agency_id:
        state = {"tone": "none", "text": _("No agency has reported money yet."), "next": []}
    return {
        "places": places("remittances"),
        "state": state,
        "remittances": _named(found["rows"], names),
        "selects": _selects(ask, states=REPORTS, names=names),
        "may_book": actor.may("ledger.book_payments"),
    } | _paging(found, ask)


def payments(found: Mapping[str, Any], *, ask: Asked, agencies: Sequence[Any]) -> dict[str, Any]:
    """Give one page of booked payments."""
    names = agency_names(agencies)
    text = ngettext("%(n)s payment is booked.", "%(n)s payments are booked.", found["total"])
    return {
        "places": places("payments"),
        "state": {"tone": "none", "text": text % {"n": f"{found['total']:,}"}, "next": []},
        "payments": [
            dict(row)
            | {
                "agency": names.get(str(row["agency_id"]), _("in-house")),
                "method_label": METHODS.get(row["method"], row["method"]),
            }
            for row in found["rows"]
        ],
        "selects": _selects(ask, states={}, names=names),
    } | _paging(found, ask)


def until(query: Mapping[str, str]) -> date | None:
    """Read the day of a trial balance from its address; None for all time or a day that makes no sense."""
    try:
        return day_within_reach(query.get("until", ""))
    except ValueError:
        return None


def balance(balances: Sequence[Balance], *, agencies: Sequence[Any], day: date | None) -> dict[str, Any]:
    """Give the trial balance: ledger accounts over all agencies, then agency by agency."""
    names, totals = agency_names(agencies), _totals(balances)
    state: dict[str, Any]
    if not balances:
        state = {"tone": "none", "text": _("Nothing is booked yet."), "next": []}
    elif any(totals.values()):
        steps = [{"label": _("Check everything"), "url": reverse("ledger:check")}]
        state = {"tone": "bad", "text": _("Debits and credits do not agree."), "next": steps}
    else:
        state = {"tone": "good", "text": _("Debits and credits agree to the cent."), "next": []}
    return {
        "places": places("balance"),
        "state": state,
        "until": day,
        "balances": _summed(balances, by=lambda row: (row.currency, row.kind, row.component)),
        "by_agency": [
            row | {"agency": names.get(row["agency"], "")}
            for row in _summed(
                [row for row in balances if row.agency_id],
                by=lambda row: (names.get(str(row.agency_id), ""), row.currency, row.kind, row.component),
            )
        ],
        "totals": [{"currency": currency, "minor": total} for currency, total in totals.items()],
    }


def _summed(balances: Sequence[Balance], *, by: Callable[[Balance], tuple[str, ...]]) -> list[dict[str, Any]]:
    """Add balances up by a key."""
    found = []
    for _key, group in groupby(sorted(balances, key=by), key=by):
        rows = list(group)
        found.append(
            {
                "label": KINDS.get(rows[0].kind, rows[0].kind),
                "component": COMPONENTS.get(rows[0].component, rows[0].component),
                "agency": str(rows[0].agency_id or ""),
                "currency": rows[0].currency,
                "debit_minor": sum(row.debit_minor for row in rows),
                "credit_minor": sum(row.credit_minor for row in rows),
                "balance_minor": sum(row.balance_minor for row in rows),
            }
        )
    return found
