"""Agencies as a vendor manager reads them: the pipeline board, and the words of the room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from weituo.foundation.tenancy.actors import Actor

STATES = {
    "PROSPECT": gettext_lazy("Prospect"),
    "SCREENED": gettext_lazy("Screened"),
    "PROPOSED": gettext_lazy("Proposed"),
    "APPROVED": gettext_lazy("Approved"),
    #: approved, but a paper or an agreement that it needs at every act is not live
    "HALTED": gettext_lazy("Halted by its papers"),
    "SUSPENDED": gettext_lazy("Suspended"),
    "REJECTED": gettext_lazy("Rejected"),
    "ENDED": gettext_lazy("Ended"),
}
#: what a column of the board waits for
STEPS = {
    "PROSPECT": gettext_lazy("Papers, then a score"),
    "SCREENED": gettext_lazy("A proposal"),
    "PROPOSED": gettext_lazy("A second person"),
    "APPROVED": gettext_lazy("At work"),
    "HALTED": gettext_lazy("Renewed papers"),
    "SUSPENDED": gettext_lazy("Stopped"),
    "REJECTED": gettext_lazy("Not let in"),
    "ENDED": gettext_lazy("Left"),
}
#: columns that stand even when nobody is in them
PIPELINE = ("PROSPECT", "SCREENED", "PROPOSED", "APPROVED")
PAPERS = {
    "LICENCE": gettext_lazy("business licence"),
    "SECURITY": gettext_lazy("security certificate"),
    "INSURANCE": gettext_lazy("liability insurance"),
    "PERFORMANCE": gettext_lazy("past performance"),
    "REFERENCE": gettext_lazy("client reference"),
    "TRAINING": gettext_lazy("training record"),
    "CONFIDENTIALITY": gettext_lazy("confidentiality agreement"),
}
CRITERIA = {
    "qualifications": gettext_lazy("Qualifications"),
    "performance": gettext_lazy("Past performance"),
    "references": gettext_lazy("Client reviews"),
    "security": gettext_lazy("Information security"),
    "compliance": gettext_lazy("Compliance"),
}
SOON = timedelta(days=60)


def name_of(row: Mapping[str, Any]) -> str:
    """Give an agency's name in the reader's language."""
    return str(row["name_zh"] if (get_language() or "").startswith("zh") else row["name_en"])


def expiry(valid_to: date | None, today: date) -> dict[str, Any]:
    """Say how long a paper or agreement still counts: tone and words."""
    if valid_to is None:
        return {"tone": "good", "text": _("no end date")}
    days = (valid_to - today).days
    if days <= 0:
        return {"tone": "bad", "text": _("expired")}
    text = ngettext("%(days)s day left", "%(days)s days left", days) % {"days": days}
    return {"tone": "watch" if valid_to - today <= SOON else "good", "text": text}


def standing_of(state: str, stopped_by: Mapping[str, str]) -> str:
    """Give how an agency stands: its state, or HALTED for an approved one that may not work now."""
    return "HALTED" if state == "APPROVED" and stopped_by else state


def board(
    rows: Sequence[Mapping[str, Any]],
    *,
    lacking: Mapping[UUID, Mapping[str, str]],
    stopped: Mapping[UUID, Mapping[str, str]],
    proposals: Sequence[Mapping[str, Any]],
    active: Mapping[UUID, int],
    actor: Actor,
    today: date,
) -> dict[str, Any]:
    """Give the board: one column a state, one card an agency with what it lacks."""
    proposers = {row["agency_id"]: row for row in proposals}
    cards = [_card(row, lacking.get(row["id"], {}), stopped.get(row["id"], {}), proposers.get(row["id"]), active.get(row["id"], 0), actor, today) for row in rows]  # fmt: skip
    columns = [
        {"state": state, "label": label, "step": STEPS[state], "cards": inside}
        for state, label in STATES.items()
        if (inside := [card for card in cards if card["standing"] == state]) or state in PIPELINE
    ]
    return {
        "columns": columns,
        "agencies": len(cards),
        "state": _board_state(cards, actor),
        "may_register": actor.may("partners.register"),
    }


def _card(
    row: Mapping[str, Any],
    lacks: Mapping[str, str],
    stopped_by: Mapping[str, str],
    proposal: Mapping[str, Any] | None,
    active: int,
    actor: Actor,
    today: date,
) -> dict[str, Any]:
    capacity = row["capacity_accounts_max"]
    standing = standing_of(row["state"], stopped_by)
    if standing == "HALTED":
        lacks = dict(stopped_by) | dict(lacks)
    return {
        "id": row["id"],
        "code": row["code"],
        "name": name_of(row),
        "state": row["state"],
        "standing": standing,
        "since": row["state_since"],
        "tier": row["tier"],
        "score": None if row["total_bps"] is None else f"{row['total_bps'] / 100:.2f}",
        "capacity": capacity,
        "active": active,
        "lacks": list(lacks.values()) if row["state"] not in {"REJECTED", "ENDED"} else [],
        "expiry": expiry(row["next_expiry"], today) | {"on": row["next_expiry"]}
        if row["next_expiry"]
        else None,
        "expired": row["expired"],
        "proposal": None
        if proposal is None
        else {
            "by": proposal["proposed_by_name"],
            "own": proposal["proposed_by"] == actor.id,
            "reason": proposal["reason"],
        },
    }


def _board_state(cards: Sequence[Mapping[str, Any]], actor: Actor) -> dict[str, Any]:
    """Say what the board is like and what waits for this person."""

    def step(label: str, found: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
        return [{"label": label % {"agency": card["name"]}, "url": reverse("partners:agency", args=[card["id"]])} for card in found[:3]]  # fmt: skip

    working = [card for card in cards if card["standing"] == "APPROVED"]
    broken = [card for card in cards if card["standing"] == "HALTED" or (card["standing"] == "APPROVED" and card["lacks"])]  # fmt: skip
    lapsed = [card for card in working if card["expired"]]
    mine = [card for card in cards if card["proposal"] and not card["proposal"]["own"]] if actor.may("partners.decide") else []  # fmt: skip
    ready = [card for card in cards if card["state"] == "SCREENED" and not card["lacks"]]
    ending = [card for card in working if card["expiry"] and card["expiry"]["tone"] == "watch"]
    following = step(_("Mend what %(agency)s lacks"), broken) + step(_("Decide about %(agency)s"), mine)
    following += step(_("Propose %(agency)s"), ready) + step(
        _("Renew the papers of %(agency)s"), lapsed + [card for card in ending if card not in lapsed]
    )
    if not cards:
        return {"tone": "none", "text": _("No agency is on file."), "next": []}
    text = ngettext("%(count)s agency is at work.", "%(count)s agencies are at work.", len(working)) % {"count": len(working)}  # fmt: skip
    if broken:
        said = ngettext("%(count)s agency lacks what it needs to go on.", "%(count)s agencies lack what they need to go on.", len(broken))  # fmt: skip
        return {"tone": "bad", "text": f"{text} {said % {'count': len(broken)}}", "next": following[:4]}
    return {"tone": "watch" if following else "good", "text": text, "next": following[:4]}
