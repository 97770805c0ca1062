"""People who may sign in, as an administrator reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.domain import act_texts
from weituo.foundation.identity import roles
from weituo.foundation.identity.roles import KIND_OF, Role
from weituo.foundation.tenancy.actors import Actor, Kind
from weituo.web.posted import whole
from weituo.web.presenters.ledger import agency_names

#: pages of the room: name of the address → what people read
PLACES = {
    "index": gettext_lazy("People"),
    "roles": gettext_lazy("Roles"),
    "keys": gettext_lazy("Keys"),
    "in_force": gettext_lazy("In force"),
}
STATES = {"active": gettext_lazy("may sign in"), "ended": gettext_lazy("stopped")}
LANGUAGES = {"zh-hans": "简体中文", "en": "English"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address of the list asks for."""

    role: str = ""
    state: str = ""
    page: int = 1

    @property
    def active(self) -> bool | None:
        """Whether only those who may sign in, only those who may not, or all are asked for."""
        return None if not self.state else self.state == "active"

    def address(self, page: int) -> str:
        """Give the address of another page of the same list."""
        kept = {"role": self.role, "state": self.state}
        return "?" + urlencode({key: value for key, value in kept.items() if value} | {"page": page})


def asked(query: Mapping[str, str]) -> Asked:
    """Read the list's address; what makes no sense is left out."""
    role, state = query.get("role", ""), query.get("state", "")
    return Asked(
        role=role if role in Role.__members__ else "",
        state=state if state in STATES else "",
        page=whole(query.get("page", "1"), otherwise=1) or 1,
    )


def places(here: str) -> list[dict[str, Any]]:
    """Give the room's pages, the present one marked."""
    return [
        {"label": label, "url": reverse(f"settings:{name}"), "here": name == here}
        for name, label in PLACES.items()
    ]


def people(
    found: Mapping[str, Any], *, ask: Asked, agencies: Sequence[Any], actor: Actor, typed: Mapping[str, str]
) -> dict[str, Any]:
    """Give one page of people and the form that invites one; `typed` is what a refused form held."""
    names = agency_names(agencies)
    return {
        "places": places("index"),
        "state": _state(found, actor=actor),
        "people": [_person(row, names=names) for row in found["rows"]],
        "selects": [
            _select("role", _("Role"), {role.value: label for role, label in _signing()}, chosen=ask.role),
            _select("state", _("State"), STATES, chosen=ask.state),
        ],
        "may_manage": actor.may("identity.manage"),
        "typed": typed,
        "open": bool(typed),
        "role_groups": _role_groups(chosen=typed.get("role", "")),
        "agencies": [
            {"id": key, "name": name, "chosen": key == typed.get("agency")} for key, name in names.items()
        ],
        "languages": [
            {"code": code, "name": name, "chosen": code == typed.get("language")}
            for code, name in LANGUAGES.items()
        ],
        "page": found["page"],
        "pages": found["pages"],
        "previous": ask.address(found["page"] - 1) if found["page"] > 1 else "",
        "next": ask.address(found["page"] + 1) if found["page"] < found["pages"] else "",
        "filtered": bool(ask.role or ask.state),
    }


def person(
    row: Mapping[str, Any], *, agencies: Sequence[Any], past: Sequence[Mapping[str, Any]], actor: Actor, typed: Mapping[str, str]
) -> dict[str, Any]:  # fmt: skip
    """Give one person: what stands, what an administrator may change, what was done to the account."""
    own = str(row["id"]) == actor.id
    side = KIND_OF.get(Role(row["role"])) is Kind.AGENCY
    return {
        "person": _person(row, names=agency_names(agencies)),
        "state": _person_state(row, own=own, actor=actor),
        "own": own,
        "may_change": actor.may("identity.manage") and not own,
        "roles": [
            {"code": role.value, "label": label, "chosen": role.value == (typed.get("role") or row["role"])}
            for role, label in _signing()
            if (KIND_OF.get(role) is Kind.AGENCY) == side
        ],
        "permissions": sorted(roles.permissions_of(Role(row["role"]))),
        "typed": typed,
        "past": [
            dict(entry) | {"sentence": act_texts.sentence(entry["act"], actor=entry["actor_name"])}
            for entry in past
        ],
        "may_read_log": actor.may("audit.read"),
    }


def _signing() -> list[tuple[Role, Any]]:
    return [(role, label) for role, label in roles.LABELS.items() if role is not Role.BORROWER]


def _select(name: str, label: str, options: Mapping[str, Any], *, chosen: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "options": [{"value": key, "label": text, "chosen": key == chosen} for key, text in options.items()],
    }


def _role_groups(*, chosen: str) -> list[dict[str, Any]]:
    """Give the roles by side: the lender's, an agency's."""
    sides = ((_("Of the lender"), False), (_("Of an agency"), True))
    return [
        {
            "label": label,
            "roles": [
                {"code": role.value, "label": name, "chosen": role.value == chosen}
                for role, name in _signing()
                if (KIND_OF.get(role) is Kind.AGENCY) == side
            ],
        }
        for label, side in sides
    ]


def _person(row: Mapping[str, Any], *, names: Mapping[str, str]) -> dict[str, Any]:
    return dict(row) | {
        "role_label": roles.LABELS[Role(row["role"])],
        "agency": names.get(str(row["agency_id"]), "") if row["agency_id"] else "",
    }


def _state(found: Mapping[str, Any], *, actor: Actor) -> dict[str, Any]:
    without, active = found["without_factor"], found["active"]
    steps = [{"label": _("Show the log"), "url": reverse("log:index") + "?act=identity"}] if actor.may("audit.read") else []  # fmt: skip
    if actor.may("identity.manage"):
        steps.insert(0, {"label": _("Invite a person"), "url": "#invite"})
    if not without:
        text = ngettext(
            "%(n)s person may sign in, with a second factor.",
            "%(n)s people may sign in, each with a second factor.",
            active,
        ) % {"n": active}
        return {"tone": "good", "text": text, "next": steps}
    text = ngettext(
        "%(n)s person has no second factor yet; until then every page stays closed to them.",
        "%(n)s people have no second factor yet; until then every page stays closed to them.",
        without,
    ) % {"n": without}
    return {"tone": "watch", "text": text, "next": steps}


def _person_state(row: Mapping[str, Any], *, own: bool, actor: Actor) -> dict[str, Any]:
    steps = []
    if actor.may("identity.manage") and not own:
        steps = [{"label": _("Change"), "url": "#change"}]
    if not row["is_active"]:
        return {"tone": "none", "text": _("This person is stopped: nobody signs in by this name."), "next": steps}  # fmt: skip
    if not row["second_factor"]:
        return {"tone": "watch", "text": _("No second factor yet: every page stays closed until it is set up."), "next": steps}  # fmt: skip
    return {"tone": "good", "text": _("May sign in, with a second factor."), "next": steps}
