"""An agency's owners, its sisters and its conflicts, as staff read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.foundation.tenancy.actors import Actor
from weituo.web.presenters import partners as words
from weituo.web.presenters.book_words import PRODUCTS
from weituo.web.presenters.regions import region_name

KINDS = {
    "BORROWER": gettext_lazy("one borrower"),
    "REGION": gettext_lazy("a region"),
    "PRODUCT": gettext_lazy("a product"),
    "EMPLOYER": gettext_lazy("people of an employer"),
}


def subject_of(row: Mapping[str, Any]) -> str:
    """Say whose accounts a conflict is about."""
    if row["kind"] == "REGION":
        return region_name(row["subject"])
    if row["kind"] == "PRODUCT":
        return str(PRODUCTS.get(row["subject"], row["subject"]))
    if row["kind"] == "BORROWER":
        return _("customer %(ref)s") % {"ref": row.get("customer_ref") or row["subject"]}
    return str(row["subject"])


def _in_force(row: Mapping[str, Any], today: date) -> bool:
    return row["active_from"] <= today and (row["active_to"] is None or row["active_to"] > today)


def page(
    found: Mapping[str, Any],
    *,
    sisters: Sequence[str],
    agencies: Sequence[Any],
    placed: Mapping[UUID, int],
    typed: Mapping[str, Any],
    actor: Actor,
    today: date,
) -> dict[str, Any]:
    """Give the page: group and sisters, conflicts in force and past, and what may be entered."""
    names = {one.code: words.name_of({"name_zh": one.name_zh, "name_en": one.name_en}) for one in agencies}
    conflicts = [
        dict(row)
        | {
            "kind_label": KINDS.get(row["kind"], row["kind"]),
            "subject_label": subject_of(row),
            "in_force": _in_force(row, today),
            "open": row["ended_at"] is None,
            "placed": placed.get(row["id"], 0),
        }
        for row in found["conflicts"]
    ]
    live = sum(row["in_force"] for row in conflicts)
    group = next((row["group"] for row in found["memberships"] if _in_force(row, today)), "")
    text = ngettext("%(n)s conflict is in force.", "%(n)s conflicts are in force.", live) % {"n": live}
    if sisters:
        text += " " + _("It and its sisters count as one: %(sisters)s.") % {
            "sisters": _(", ").join(names.get(code, code) for code in sisters)
        }
    standing = sum(placed.values())
    following = []
    if standing:
        text += " " + ngettext("%(n)s account is placed with it all the same.", "%(n)s accounts are placed with it all the same.", standing) % {"n": f"{standing:,}"}  # fmt: skip
        following = [{"label": _("See its placements"), "url": f"{reverse('placement:placements')}?agency={found['agency']['id']}&state=ACTIVE"}]  # fmt: skip
    return {
        "agency": {"id": found["agency"]["id"], "name": words.name_of(found["agency"])},
        "state": {"tone": "watch" if live else "none", "text": text, "next": following},
        "group": group,
        "open_group": any(row["active_to"] is None for row in found["memberships"]),
        "memberships": [dict(row) | {"in_force": _in_force(row, today)} for row in found["memberships"]],
        "conflicts": conflicts,
        "kinds": [{"value": kind, "label": label, "chosen": typed.get("kind") == kind} for kind, label in KINDS.items()],
        "typed": typed,
        "may_relate": actor.may("partners.relate"),
    }  # fmt: skip


def of_account(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the conflicts that keep an account from agencies."""
    return [
        dict(row) | {"name": words.name_of(row), "kind_label": KINDS.get(row["kind"], row["kind"])}
        for row in rows
    ]
