"""Settings as they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.foundation.identity import roles
from weituo.foundation.tenancy.actors import Actor
from weituo.web.presenters.ledger import agency_names
from weituo.web.presenters.people import places

#: a key that ends sooner wants a successor
SOON = timedelta(days=30)
#: what one person proposes and another decides: what people read, and the two permissions
PAIRS = (
    (gettext_lazy("settlement statements"), "ledger.draw_statement", "ledger.approve_statement"),
    (gettext_lazy("placement runs"), "placement.propose", "placement.decide"),
    (gettext_lazy("agencies"), "partners.propose", "partners.decide"),
    (gettext_lazy("people who sign in"), "identity.manage", "identity.manage"),
)


def roles_page(held: Mapping[str, int], *, actor: Actor) -> dict[str, Any]:
    """Give what each role may do and how many people hold it."""
    alone = [label for label, propose, decide in PAIRS if not _two_persons(held, propose, decide)]
    state: dict[str, Any] = {
        "tone": "good",
        "text": _("What needs two persons has two persons who may do it."),
        "next": [],
    }
    if alone:
        text = _("Nobody else may do the second half for: %(what)s.") % {
            "what": _(", ").join(map(str, alone))
        }
        steps = [{"label": _("Invite a person"), "url": reverse("settings:index") + "#invite"}]
        state = {"tone": "watch", "text": text, "next": steps if actor.may("identity.manage") else []}
    return {
        "places": places("roles"),
        "state": state,
        "roles": [
            {
                "code": role.value,
                "label": label,
                "people": held.get(role.value, 0),
                "permissions": sorted(roles.permissions_of(role)),
            }
            for role, label in roles.LABELS.items()
        ],
    }


def _two_persons(held: Mapping[str, int], propose: str, decide: str) -> bool:
    """Tell whether somebody may propose and somebody else may decide."""
    grants = roles.all_grants()
    proposers, deciders = (
        {role for role in grants.get(permission, frozenset()) if held.get(role.value, 0)}
        for permission in (propose, decide)
    )
    return bool(proposers and deciders) and sum(held[role.value] for role in proposers | deciders) > 1


def keys_page(
    keys: Sequence[Mapping[str, Any]], *, agencies: Sequence[Any], actor: Actor, at: datetime, typed: Mapping[str, str]
) -> dict[str, Any]:  # fmt: skip
    """Give the keys of agencies' systems; `typed` is what a refused form held."""
    names = agency_names(agencies)
    shown = [_key(row, names=names, at=at) for row in keys]
    ending = [row for row in shown if row["live"] and row["active_to"] and row["active_to"] < at + SOON]
    live = sum(row["live"] for row in shown)
    text = ngettext("%(n)s key is live.", "%(n)s keys are live.", live) % {"n": live}
    state: dict[str, Any] = {"tone": "good" if live else "none", "text": text, "next": []}
    if ending:
        ends = ngettext("%(n)s ends within 30 days.", "%(n)s end within 30 days.", len(ending))
        state = {"tone": "watch", "text": f"{text} {ends % {'n': len(ending)}}", "next": []}
    return {
        "places": places("keys"),
        "state": state,
        "keys": shown,
        "agencies": [
            {"id": key, "name": name, "chosen": key == typed.get("agency")} for key, name in names.items()
        ],
        "typed": typed,
        "may_manage": actor.may("identity.manage"),
    }


def in_force(
    *,
    agencies: Sequence[Any],
    rules: Sequence[Mapping[str, Any]],
    imports: Sequence[Mapping[str, Any]],
    agreements: Sequence[Any],
) -> dict[str, Any]:
    """Give fees, rule packs and import profiles as they stand."""
    fees = _fees(agreements, names=agency_names(agencies))
    without = sum(1 for agency in agencies if agency.state == "APPROVED") - len(
        {one.agency_id for one in agreements}
        & {agency.id for agency in agencies if agency.state == "APPROVED"}
    )
    state: dict[str, Any] = {
        "tone": "good",
        "text": _("Every agency at work has its fees agreed."),
        "next": [],
    }
    if without:
        text = ngettext(
            "%(n)s agency at work has no fees agreed.", "%(n)s agencies at work have no fees agreed.", without
        )
        steps = [{"label": _("Agencies"), "url": reverse("partners:index")}]
        state = {"tone": "watch", "text": text % {"n": without}, "next": steps}
    elif not agreements:
        state = {"tone": "none", "text": _("No service agreement is in force."), "next": []}
    return {
        "places": places("in_force"),
        "state": state,
        "packs": _packs(rules),
        "profiles": _profiles(imports),
        "fees": fees,
    }


def _key(row: Mapping[str, Any], *, names: Mapping[str, str], at: datetime) -> dict[str, Any]:
    live = row["active_to"] is None or row["active_to"] > at
    return dict(row) | {
        "agency": names.get(str(row["agency_id"]), ""),
        "live": live,
        "shown": {"label": _("live") if live else _("ended"), "tone": "good" if live else "wait"},
    }


def _packs(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    def pack_of(row: Mapping[str, Any]) -> tuple[str, str]:
        return row["pack"], str(row["version"])

    return [
        {
            "name": name,
            "version": version,
            "rules": len(group),
            "latest": max((row["effective_from"] for row in group if row["effective_from"]), default=None),
        }
        for (name, version), rows in groupby(sorted(rules, key=pack_of), key=pack_of)
        if (group := list(rows))
    ]


def _profiles(imports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    latest: dict[str, dict[str, Any]] = {}
    for row in imports:
        known = latest.setdefault(
            row["profile"], {"name": row["profile"], "imports": 0, "last": row["imported_at"], "accounts": 0}
        )
        known["imports"] += 1
        known["accounts"] += row["accounts"]
        known["last"] = max(known["last"], row["imported_at"])
    return sorted(latest.values(), key=lambda one: one["name"])


def _fees(agreements: Sequence[Any], *, names: Mapping[str, str]) -> dict[str, Any]:
    buckets = sorted({bucket for one in agreements for bucket in one.fee_bps_by_bucket})
    return {
        "buckets": buckets,
        "rows": [
            {
                "agency": names.get(str(one.agency_id), ""),
                "version": one.version,
                "active_from": one.active_from,
                "active_to": one.active_to,
                "bps": [one.fee_bps_by_bucket.get(bucket) for bucket in buckets],
            }
            for one in agreements
        ],
    }
