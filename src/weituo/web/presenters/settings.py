"""Settings as they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import Role
from weituo.foundation.tenancy.actors import Actor
from weituo.web.presenters.ledger import agency_names


def overview(
    *,
    people: Sequence[Mapping[str, Any]],
    keys: Sequence[Mapping[str, Any]],
    agencies: Sequence[Any],
    rules: Sequence[Mapping[str, Any]],
    imports: Sequence[Mapping[str, Any]],
    agreements: Sequence[Any],
    actor: Actor,
    at: datetime,
) -> dict[str, Any]:
    """Give the page."""
    names = agency_names(agencies)
    shown_keys = [_key(row, names=names, at=at) for row in keys]
    return {
        "state": _state(people, actor=actor),
        "people": [_person(row, names=names) for row in people],
        "roles": _roles(people),
        "keys": shown_keys,
        "agencies": [{"id": key, "name": name} for key, name in names.items()],
        "packs": _packs(rules),
        "profiles": _profiles(imports),
        "fees": _fees(agreements, names=names),
        "may_manage": actor.may("identity.manage"),
    }


def _state(people: Sequence[Mapping[str, Any]], *, actor: Actor) -> dict[str, Any]:
    active = [row for row in people if row["is_active"]]
    without = [row for row in active if not row["second_factor"]]
    steps = [{"label": _("Show the log"), "url": reverse("log:index")}] if actor.may("audit.read") else []
    if not without:
        text = ngettext(
            "%(n)s person may sign in, with a second factor.",
            "%(n)s people may sign in, each with a second factor.",
            len(active),
        ) % {"n": len(active)}
        return {"tone": "good", "text": text, "next": steps}
    text = ngettext(
        "%(n)s person has no second factor yet; until then every page stays closed to them.",
        "%(n)s people have no second factor yet; until then every page stays closed to them.",
        len(without),
    ) % {"n": len(without)}
    return {"tone": "watch", "text": text, "next": steps}


def _person(row: Mapping[str, Any], *, names: Mapping[str, str]) -> dict[str, Any]:
    return dict(row) | {
        "role_label": roles.LABELS[Role(row["role"])],
        "agency": names.get(str(row["agency_id"]), "") if row["agency_id"] else "",
    }


def _roles(people: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    held = {role: sum(1 for row in people if row["role"] == role and row["is_active"]) for role in Role}
    return [
        {
            "code": role.value,
            "label": label,
            "people": held[role],
            "permissions": sorted(roles.permissions_of(role)),
        }
        for role, label in roles.LABELS.items()
    ]


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
