"""Sharing as people at the lender read it: who holds what, packages with their age, what an agency would see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.domain.sharing.fields import BY_NAME
from weituo.foundation import days
from weituo.foundation.tenancy.actors import Actor
from weituo.web.names import listed
from weituo.web.presenters.naming import name_of
from weituo.web.presenters.placement_words import REVOCATIONS

STATES = {
    "BUILT": (gettext_lazy("not acknowledged"), "watch"),
    "ACKNOWLEDGED": (gettext_lazy("acknowledged"), "good"),
    "REVOKED": (gettext_lazy("revoked, destroyed"), "none"),
}
PURPOSES = {"PACKAGE": gettext_lazy("package"), "CASE": gettext_lazy("case opened online")}
#: a package that nobody acknowledged for this long asks for a call
LATE = timedelta(days=2)
#: letters of a digest that are enough to look for
TRACE_LETTERS_MIN = 8


def facts_of(names: Sequence[str]) -> list[str]:
    """Give the labels of shared facts."""
    return [str(BY_NAME[name].label) if name in BY_NAME else name for name in names]


def shown(row: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """Give a package with its words and its age in whole days."""
    label, tone = STATES.get(row["state"], (row["state"], "none"))
    age = at - row["built_at"]
    late = row["state"] == "BUILT" and age > LATE
    days = age.days
    return dict(row) | {
        "agency": name_of(row),
        "shown": {"label": label, "tone": "bad" if late else tone},
        "age": ngettext("%(n)s day", "%(n)s days", days) % {"n": days} if days else _("today"),
        "late": late,
        "facts": facts_of(row["fields"]),
        "missing": row["state"] != "REVOKED" and not row["taken_back"] and not row["file_stands"],
        "why": REVOCATIONS.get(row["revoked_reason"], row["revoked_reason"]),
    }


def demanded(row: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """Give a demand to destroy with its words; one that nobody confirmed for two days is late."""
    if row["confirmed_at"]:
        shown_as = {"label": _("confirmed"), "tone": "good"}
    else:
        late = at - row["asked_at"] > LATE
        shown_as = {"label": _("not confirmed"), "tone": "bad" if late else "watch"}
    return dict(row) | {
        "agency": name_of(row),
        "why": REVOCATIONS.get(row["reason"], row["reason"]),
        "shown": shown_as,
    }


def overview(
    *,
    holders: Sequence[Mapping[str, Any]],
    packages: Sequence[Mapping[str, Any]],
    ready: Sequence[Mapping[str, Any]],
    destructions: Sequence[Mapping[str, Any]],
    digest: str,
    actor: Actor,
    at: datetime,
) -> dict[str, Any]:
    """Give the room's first page."""
    listed = [shown(row, at=at) for row in packages]
    late = sum(1 for row in listed if row["late"])
    missing = sum(1 for row in listed if row["missing"])
    to_destroy = sum(row["to_destroy"] for row in holders)
    buildable = [row for row in ready if not row["lacking"]]
    return {
        "state": _state(late=late, missing=missing, to_destroy=to_destroy, buildable=len(buildable), active=sum(row["active"] for row in holders)),
        "holders": [
            dict(row)
            | {
                "agency": name_of(row),
                "facts": facts_of([name for name, fact in BY_NAME.items() if fact.word and fact.word in set(row["allowed"])]),
                "live": row["agreement_version"] is not None and (row["agreement_to"] is None or row["agreement_to"] > days.day_of(at)),
            }
            for row in holders
        ],
        "packages": listed,
        "destructions": [demanded(row, at=at) for row in destructions],
        "trace": trace(listed, digest),
        "ready": [dict(row) | {"agency": name_of(row), "lacking": list(row["lacking"].values())} for row in ready],
        "may_build": actor.may("sharing.build"),
    }  # fmt: skip


def trace(packages: Sequence[Mapping[str, Any]], digest: str) -> dict[str, Any]:
    """Find the package that a found file is, by the beginning of the file's SHA-256; revoked ones are found too."""
    asked = "".join(digest.lower().split())[:64]
    if not asked:
        return {"asked": "", "text": "", "found": []}
    if len(asked) < TRACE_LETTERS_MIN or not set(asked) <= set("0123456789abcdef"):
        text = _("Give at least %(n)s letters of the SHA-256, 0 to 9 and a to f.") % {"n": TRACE_LETTERS_MIN}
        return {"asked": asked, "text": text, "found": []}
    found = [row for row in packages if row["digest"].startswith(asked)]
    text = (
        _("This file was sealed for the agency named here, and for nobody else.")
        if found
        else _("No package has this digest: the file was not made here, or was altered.")
    )
    return {"asked": asked, "text": text, "found": found}


def _state(*, late: int, missing: int, to_destroy: int, buildable: int, active: int) -> dict[str, Any]:
    if missing:
        text = ngettext("The file of %(n)s package is missing: revoke it and build it again.", "The files of %(n)s packages are missing: revoke them and build them again.", missing)  # fmt: skip
        return {"tone": "bad", "text": text % {"n": missing}, "next": []}
    if late:
        text = ngettext("%(n)s package was not acknowledged within two days: call the agency.", "%(n)s packages were not acknowledged within two days: call the agencies.", late)  # fmt: skip
        return {"tone": "watch", "text": text % {"n": late}, "next": []}
    if to_destroy:
        text = ngettext("%(n)s case was taken back, and its agency has not confirmed that every copy is destroyed.", "%(n)s cases were taken back, and their agencies have not confirmed that every copy is destroyed.", to_destroy)  # fmt: skip
        return {"tone": "watch", "text": text % {"n": to_destroy}, "next": [{"label": _("What must be destroyed"), "url": "#destruction"}]}  # fmt: skip
    if buildable:
        text = ngettext("%(n)s package can be built now.", "%(n)s packages can be built now.", buildable)
        return {"tone": "none", "text": text % {"n": buildable}, "next": [{"label": _("Packages to build"), "url": "#ready"}]}  # fmt: skip
    if not active:
        return {"tone": "none", "text": _("No agency holds facts of any case."), "next": []}
    text = ngettext("Agencies hold facts of %(n)s active case, each on a live agreement.", "Agencies hold facts of %(n)s active cases, each on a live agreement.", active)  # fmt: skip
    return {"tone": "good", "text": text % {"n": active}, "next": []}


def package(
    row: Mapping[str, Any], *, destructions: Sequence[Mapping[str, Any]], actor: Actor, at: datetime
) -> dict[str, Any]:
    """Give one package, what was taken out of it, and what revoking or replacing it would do."""
    found = shown(row, at=at)
    cases = ngettext("%(n)s case", "%(n)s cases", row["cases"]) % {"n": f"{row['cases']:,}"}
    words = {"cases": cases, "agency": found["agency"]}
    revoked = row["state"] == "REVOKED"
    if revoked:
        state = {"tone": "none", "text": _("Revoked; the file is destroyed."), "next": []}
    elif row["taken_back"]:
        state = _after_taking_back(row, agency=found["agency"])
    elif found["missing"]:
        state = {
            "tone": "bad",
            "text": _("The file is missing: revoke the package and build it again."),
            "next": [],
        }
    elif row["state"] == "ACKNOWLEDGED":
        state = {
            "tone": "good",
            "text": _("%(agency)s holds the facts of %(cases)s and has confirmed the control totals.")
            % words,
            "next": [],
        }
    else:
        state = {"tone": "watch", "text": _("%(agency)s has not confirmed that it received %(cases)s whole.") % words, "next": []}  # fmt: skip
    return {
        "package": found,
        "state": state,
        "destructions": [demanded(one, at=at) for one in destructions],
        "may_replace": not revoked and bool(row["taken_back"]) and actor.may("sharing.build"),
        "consequence": _("1 package with %(cases)s will be revoked and its file destroyed; %(agency)s can no longer fetch it.") % words,
        "may_revoke": not revoked and actor.may("sharing.revoke"),
    }  # fmt: skip


def _after_taking_back(row: Mapping[str, Any], *, agency: str) -> dict[str, Any]:
    """Say how a package stands that some of its cases have left."""
    words = {"n": row["taken_back"], "cases": f"{row['cases']:,}", "agency": agency}
    text = ngettext(
        "%(n)s of the %(cases)s cases was taken back; the file is destroyed and handed out no more.",
        "%(n)s of the %(cases)s cases were taken back; the file is destroyed and handed out no more.",
        row["taken_back"],
    )
    if row["state"] == "BUILT":
        text += " " + _("%(agency)s has not acknowledged it: seal the others anew.")
    elif row["to_destroy"]:
        text += " " + _("%(agency)s holds the others and has yet to confirm the destruction.")
    else:
        text += " " + _("%(agency)s holds the others and has confirmed the destruction.")
    tone = "good" if row["state"] == "ACKNOWLEDGED" and not row["to_destroy"] else "watch"
    return {"tone": tone, "text": text % words, "next": []}


def keys(rows: Sequence[Mapping[str, Any]], *, agencies: Sequence[Any], actor: Actor, typed: Mapping[str, str], problem: str) -> dict[str, Any]:  # fmt: skip
    """Give the public keys and the form that registers one."""
    live = {str(row["agency_id"]) for row in rows if row["active_to"] is None}
    lacking = [one for one in agencies if one.state == "APPROVED" and str(one.id) not in live]
    names = listed(name_of({"name_zh": one.name_zh, "name_en": one.name_en}) for one in lacking)
    if lacking:
        state = {"tone": "watch", "text": _("No key, so no package can be built: %(names)s.") % {"names": names}, "next": []}  # fmt: skip
    else:
        state = {"tone": "good", "text": _("Every approved agency has a live key."), "next": []}
    return {
        "state": state,
        "keys": [dict(row) | {"agency": name_of(row)} for row in rows],
        "agencies": [{"id": str(one.id), "name": name_of({"name_zh": one.name_zh, "name_en": one.name_en}), "chosen": typed.get("agency") == str(one.id)} for one in agencies],
        "typed": typed,
        "problem": problem,
        "may_register": actor.may("sharing.register_recipient"),
    }  # fmt: skip


def disclosures(
    rows: Sequence[Mapping[str, Any]], *, limit: int, people: Mapping[str, str]
) -> dict[str, Any]:
    """Give the log of what was shared; one row more than the limit tells that there are more."""
    listed = rows[:limit]
    text = ngettext("%(n)s act of sharing, the newest first.", "%(n)s acts of sharing, the newest first.", len(listed))  # fmt: skip
    return {
        "state": {"tone": "none", "text": text % {"n": len(listed)}, "next": []},
        "rows": [dict(row) | {"agency": name_of(row), "purpose_label": PURPOSES.get(row["purpose"], row["purpose"]), "facts": facts_of(row["fields"]), "by": people.get(row["disclosed_by"], row["disclosed_by"])} for row in listed],
        "more": f"{reverse('sharing:disclosures')}?limit={limit * 2}" if len(rows) > limit else "",
    }  # fmt: skip


def preview(
    found: Mapping[str, Any] | None,
    *,
    holders: Sequence[Mapping[str, Any]],
    agencies: Sequence[Any],
    agency: str,
    account: str,
    problem: str,
    on: date,
) -> dict[str, Any]:
    """Give exactly what an agency would see of an account, with the ground of each fact."""
    base = {
        "agencies": [{"id": str(one.id), "name": name_of({"name_zh": one.name_zh, "name_en": one.name_en}), "chosen": agency == str(one.id)} for one in agencies],
        "account": account,
        "problem": problem,
        "found": found,
        "holders": [dict(row) | {"agency": name_of(row)} for row in holders],
        "on": on,
    }  # fmt: skip
    if found is None:
        return base | {"state": {"tone": "none", "text": _("Choose an agency and an account: nothing is shared by looking."), "next": []}}  # fmt: skip
    currency = next((fact["value"] for fact in found["facts"] if fact["name"] == "currency"), "CNY")
    lacking = list(found["lacking"].values())
    words = {"n": len(found["facts"]), "withheld": len(found["withheld"])}
    if lacking:
        state = {"tone": "bad", "text": _("Nothing may be shared: %(lacking)s.") % {"lacking": _("; ").join(lacking)}, "next": []}  # fmt: skip
    elif not found["placed"]:
        state = {"tone": "watch", "text": _("The account is not placed with this agency, so nothing leaves today. If it were, %(n)s facts would be shared and %(withheld)s withheld.") % words, "next": []}  # fmt: skip
    else:
        state = {
            "tone": "good",
            "text": _("%(n)s facts are shared, %(withheld)s are withheld.") % words,
            "next": [],
        }
    return base | {"state": state, "facts": [_fact(fact, currency) for fact in found["facts"]], "withheld": found["withheld"], "agreement": found["agreement"]}  # fmt: skip


def _fact(fact: Mapping[str, Any], currency: str) -> dict[str, Any]:
    value = fact["value"]
    if isinstance(value, list):
        return dict(fact) | {"kind": "list", "value": [one["value"] for one in value]}
    if fact["name"].endswith("_minor") or "_minor_" in fact["name"]:
        return dict(fact) | {"kind": "money", "currency": currency}
    return dict(fact) | {"kind": "day" if isinstance(value, date) else "text"}
