"""Permits in a list, and one with everything that it was decided on and the answer given once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from weituo.domain.contact import words
from weituo.web.names import listed
from weituo.web.posted import whole
from weituo.web.presenters.conduct_words import CHANNELS, FACTS, PURPOSES, STATES, WORDS
from weituo.web.presenters.naming import name_of, said, zone_name

LIST_LENGTH = 50
LIST_LENGTH_MAX = 500


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give one permit of a list with its words."""
    label, tone = STATES.get(row["state"], (row["state"], "none"))
    return dict(row) | {
        "agency": name_of(row),
        "state_label": label,
        "tone": tone,
        "channel_label": CHANNELS.get(row["channel"], row["channel"]),
        "purpose_label": PURPOSES.get(row["purpose"], row["purpose"]),
        "codes": [reason["code"] for reason in row["reasons"]],
    }


def asked_list(query: Mapping[str, str]) -> dict[str, Any]:
    """Read the filters of the list from an address; what makes no sense is left out."""
    state, limit = query.get("state", ""), query.get("limit", "")
    return {
        "state": state if state in STATES else "",
        "code": query.get("rule", "").strip()[:40],
        "agency_code": query.get("agency", "").strip()[:40],
        "limit": min(whole(limit, otherwise=LIST_LENGTH) or LIST_LENGTH, LIST_LENGTH_MAX),
    }


def permits(
    rows: Sequence[Mapping[str, Any]],
    *,
    asked: Mapping[str, Any],
    agencies: Sequence[Any],
    rules: Sequence[Mapping[str, Any]],
    span: Mapping[str, Any],
) -> dict[str, Any]:
    """Give the list of permits with its filters; one row more than the limit tells that there are more."""
    kept = {key: asked[name] for key, name in (("state", "state"), ("rule", "code"), ("agency", "agency_code")) if asked[name]}  # fmt: skip
    more = len(rows) > asked["limit"]
    listed = [shown(row) for row in rows[: asked["limit"]]]
    refused = sum(1 for row in listed if row["state"] == "REFUSED")
    return {
        "permits": listed,
        "state": {
            "tone": "none",
            "text": ngettext("%(n)s permit shown, %(refused)s refused.", "%(n)s permits shown, %(refused)s refused.", len(listed))
            % {"n": len(listed), "refused": refused},
            "next": [{"label": _("Refusals by reason"), "url": f"{reverse('contact:index')}?{span['query']}"}],
        },
        "states": [{"value": code, "label": label, "chosen": asked["state"] == code} for code, (label, _tone) in STATES.items()],
        "agencies": [{"value": one.code, "label": name_of({"name_zh": one.name_zh, "name_en": one.name_en}), "chosen": asked["agency_code"] == one.code} for one in agencies],
        "rules": [{"value": rule["rule"], "label": words.rule_name(rule["rule"]), "chosen": asked["code"] == rule["rule"]} for rule in rules],
        "span": span,
        "more": f"?{span['query']}&{urlencode(kept | {'limit': min(asked['limit'] * 2, LIST_LENGTH_MAX)})}" if more and asked["limit"] < LIST_LENGTH_MAX else "",
    }  # fmt: skip


def _value(value: Any) -> str:
    if value is None:
        return _("not known")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (list, tuple)):
        return _(", ").join(str(WORDS.get(one, one)) for one in value) or "–"
    return str(WORDS.get(value, value))


def _fact(name: str, value: Any) -> str:
    """Say a fact; an absent wish or limit is no gap in what is known."""
    absent = {
        "wish_hours": _("none stated"),
        "wish_channels": _("none stated"),
        "strategy_channels": _("any"),
        "contacts_per_week_max": _("the rule's own"),
    }
    if name in absent and value in (None, []):
        return absent[name]
    if name in {"zones", "home_zone"} and value:
        return listed(zone_name(one) for one in ([value] if isinstance(value, str) else value))
    if name == "wish_hours":
        return f"{value[0]:02d}:00 – {value[1]:02d}:00"
    return _value(value)


def _reasons(rows: Any) -> list[dict[str, Any]]:
    return [
        dict(row)
        | {
            "text": said(row),
            "retry_at": datetime.fromisoformat(row["retry_at"]) if row.get("retry_at") else None,
        }
        for row in rows
    ]


def _state(found: Mapping[str, Any], *, label: Any) -> dict[str, Any]:
    permit = found["permit"]
    links = [{"label": _("All permits"), "url": reverse("contact:permits")}]
    if not found["digest_fits"]:
        return {
            "tone": "bad",
            "text": _("The stored facts do not fit their digest: they were altered after the decision."),
            "next": links,
        }
    if found["same_answer"]:
        return {
            "tone": "good",
            "text": _("This permit is %(state)s. Decided again on the stored facts: the same answer.")
            % {"state": label},
            "next": links,
        }
    if not found["same_packs"]:
        text = _("This permit is %(state)s. Today's rules give another answer on the same facts; the rules have changed since.")  # fmt: skip
        return {"tone": "watch", "text": text % {"state": label}, "next": links}
    return {
        "tone": "bad",
        "text": _("The same rules give another answer on the stored facts (asked %(at)s).")
        % {"at": permit["asked_at"].date().isoformat()},
        "next": links,
    }


def permit(found: Mapping[str, Any]) -> dict[str, Any]:
    """Give one permit: answer, reasons, facts, rule packs, and the decision taken again on the stored facts."""
    row = found["permit"]
    label, tone = STATES.get(row["state"], (row["state"], "none"))
    facts = row["facts"].get("facts", {})
    request = row["facts"].get("request", {})
    return {
        "state": _state(found, label=label),
        "permit": dict(row)
        | {
            "agency": name_of(row),
            "state_label": label,
            "tone": tone,
            "channel_label": CHANNELS.get(row["channel"], row["channel"]),
            "purpose_label": PURPOSES.get(row["purpose"], row["purpose"]),
            "recipient_label": WORDS.get(request.get("recipient"), request.get("recipient", "")),
        },
        "reasons": _reasons(row["reasons"]),
        "void_reasons": _reasons(row["void_reasons"]),
        "facts": [{"label": label, "value": _fact(key, facts[key])} for key, label in FACTS.items() if key in facts],
        "contacts": [
            {
                "at": datetime.fromisoformat(one["at"]),
                "channel": WORDS.get(one["channel"], one["channel"]),
                "recipient": WORDS.get(one.get("recipient"), one.get("recipient", "")),
                "result": WORDS.get(one["result"], one["result"]) if one.get("result") else _("permitted, not yet reported"),
            }
            for one in facts.get("contacts") or []
        ],
        "grounds": [words.rule_name(code) for code in row["facts"].get("grounds", [])],
        "packs": [{"name": name, "version": version, "now": found["packs"].get(name, "")} for name, version in row["packs"].items()],
        "again": {
            "allowed": found["allowed"],
            "reasons": _reasons(found["reasons"]),
            "digest_fits": found["digest_fits"],
            "same_packs": found["same_packs"],
            "same_answer": found["same_answer"],
        },
    }  # fmt: skip
