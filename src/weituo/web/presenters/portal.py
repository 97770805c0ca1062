"""An agency's cases as its collectors read them: what may be done now, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.domain.contact.services.attempts import RESULTS
from weituo.domain.sharing import fields
from weituo.foundation.tenancy.actors import Actor
from weituo.web.names import listed
from weituo.web.presenters.borrower import PRODUCTS
from weituo.web.presenters.conduct_words import CHANNELS, FINDINGS, PURPOSES
from weituo.web.presenters.naming import said
from weituo.web.presenters.placement_words import PROMISE_STATES
from weituo.web.presenters.placement_words import RESULTS as RESULT_LABELS

PAGE: Final = 50
PROMISE_DAYS: Final = 3
#: channels by which a kind of contact point can be reached
REACHED_BY: Final = {"PHONE": ("VOICE", "SMS"), "EMAIL": ("EMAIL",), "ADDRESS": ("LETTER", "VISIT")}
POINTS = {
    "PHONE": gettext_lazy("telephone"),
    "EMAIL": gettext_lazy("e-mail"),
    "ADDRESS": gettext_lazy("address"),
}
OWNERS = {
    "BORROWER": gettext_lazy("borrower"),
    "CONTACT": gettext_lazy("contact person"),
    "CO_BORROWER": gettext_lazy("co-borrower"),
    "GUARANTOR": gettext_lazy("guarantor"),
}
CASE_STATES = {
    "ACTIVE": gettext_lazy("active"),
    "RECALLED": gettext_lazy("recalled"),
    "EXPIRED": gettext_lazy("term over"),
    "CLOSED": gettext_lazy("closed"),
    "ALL": gettext_lazy("all"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the worklist's address asks for."""

    state: str
    after: str
    ref: str


def asked(query: Mapping[str, str]) -> Asked:
    """Read the address; what makes no sense falls back."""
    state = query.get("state", "ACTIVE")
    return Asked(
        state=state if state in CASE_STATES else "ACTIVE",
        after=query.get("after", "")[:20],
        ref="".join(sign for sign in query.get("ref", "").strip()[:20] if sign not in "/?#\\"),
    )


def found_against(codes: Sequence[str]) -> str:
    """Say what was found against a reported contact."""
    words = listed(FINDINGS.get(code, code) for code in codes)
    return _(
        "The contact is reported, and it broke a rule: %(what)s. The lender sees it and asks for your answer."
    ) % {"what": words}


def _may(row: Mapping[str, Any], permit: Mapping[str, Any] | None, at: datetime) -> dict[str, Any]:
    """Say what may be done in a case now, and why."""
    if row["state"] != "ACTIVE":
        return {
            "tone": "wait",
            "text": _("Nothing: the case has ended. Destroy what you hold of it."),
            "live": None,
        }
    if row["on_hold"]:
        return {"tone": "bad", "text": _("Nothing: the lender holds this case back."), "live": None}
    if permit is None:
        return {"tone": "wait", "text": _("Ask a permit before the first contact."), "live": None}
    if is_live(permit, at):
        return {
            "tone": "good",
            "text": _("Contact now: %(how)s.") % {"how": CHANNELS.get(permit["channel"], permit["channel"])},
            "live": permit,
        }
    if permit["state"] == "VOID" and permit["expires_at"] > at:
        text = _("Not now: the permit was taken back. %(why)s") % {"why": said(permit["void_reasons"][0])}
        return {"tone": "bad", "text": text, "live": None}
    again = retry_at(permit)
    if permit["state"] == "REFUSED" and again is not None and again > at:
        reason = permit["reasons"][0]
        return {
            "tone": "act",
            "text": said(reason),
            "again": again,
            "citation": reason["citation"],
            "live": None,
        }
    return {"tone": "wait", "text": _("Ask a permit for the next contact."), "live": None}


def is_live(permit: Mapping[str, Any], at: datetime) -> bool:
    """Tell whether a permit can be used at `at`."""
    return (
        permit["state"] == "GRANTED"
        and permit["used_at"] is None
        and permit["voided_at"] is None
        and permit["expires_at"] is not None
        and permit["planned_at"] <= at < permit["expires_at"]
    )


def retry_at(permit: Mapping[str, Any]) -> datetime | None:
    """Give the instant from which a refused contact may be asked for again, where the rules know one."""
    found = [datetime.fromisoformat(one["retry_at"]) for one in permit["reasons"] if one.get("retry_at")]
    return max(found) if found else None


def _case(row: Mapping[str, Any], permit: Mapping[str, Any] | None, at: datetime) -> dict[str, Any]:
    return dict(row) | {
        "product_label": PRODUCTS.get(row["product"], row["product"]),
        "state_label": CASE_STATES.get(row["state"], row["state"]),
        "may": _may(row, permit, at),
    }


def worklist(
    rows: Sequence[Mapping[str, Any]],
    *,
    latest: Mapping[str, Mapping[str, Any]],
    asked: Asked,
    at: datetime,
) -> dict[str, Any]:
    """Give a page of cases."""
    shown = [_case(row, latest.get(row["case_ref"]), at) for row in rows[:PAGE]]
    live = sum(row["may"]["live"] is not None for row in shown)
    text = (
        ngettext(
            "%(n)s case of this page may be contacted now.",
            "%(n)s cases of this page may be contacted now.",
            live,
        )
        % {"n": live}
        if live
        else _("No permit of this page is live. Open a case and ask for one; the answer comes at once.")
    )
    return {
        "state": {"tone": "good" if live else "none", "text": text, "next": []},
        "cases": shown,
        "states": [
            {"value": code, "label": label, "chosen": code == asked.state}
            for code, label in CASE_STATES.items()
        ],
        "asked": asked,
        "next_after": rows[PAGE - 1]["case_ref"] if len(rows) > PAGE else "",
    }


def _permit(row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    live = is_live(row, at)
    if live:
        label, tone = _("granted"), "good"
    elif row["state"] == "REFUSED":
        label, tone = _("refused"), "bad"
    elif row["used_at"] or row["state"] == "USED":
        label, tone = _("used"), "wait"
    elif row["voided_at"] or row["state"] == "VOID":
        label, tone = _("taken back"), "act"
    elif row["expires_at"] and row["expires_at"] <= at:
        label, tone = _("ended unused"), "wait"
    else:
        label, tone = _("granted for later"), "good"
    return dict(row) | {
        "live": live,
        "label": label,
        "tone": tone,
        "channel_label": CHANNELS.get(row["channel"], row["channel"]),
        "purpose_label": PURPOSES.get(row["purpose"], row["purpose"]),
        "why": [
            {"text": said(one), "citation": one["citation"]}
            for one in (row["void_reasons"] if row["state"] == "VOID" else row["reasons"])
        ],
        "again": retry_at(row) if row["state"] == "REFUSED" else None,
    }


def _ways(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give each way to reach the borrower as one choice: contact point and channel together."""
    numbers: dict[tuple[str, str], int] = {}
    ways = []
    for point in points:
        place = (point["channel"], point["role"])
        numbers[place] = numbers.get(place, 0) + 1
        for channel in REACHED_BY.get(point["channel"], ()):
            ways.append(
                {
                    "value": f"{point['contact_point']}|{channel}",
                    "label": _("%(how)s · %(point)s %(number)s · %(owner)s")
                    % {
                        "how": CHANNELS[channel],
                        "point": POINTS.get(point["channel"], point["channel"]),
                        "number": numbers[place],
                        "owner": OWNERS.get(point["role"], point["role"]),
                    },
                    "valid": point["valid"],
                }
            )
    return ways


def case(
    row: Mapping[str, Any],
    *,
    permits: Sequence[Mapping[str, Any]],
    attempts: Sequence[Mapping[str, Any]],
    promises: Sequence[Mapping[str, Any]],
    collectors: Sequence[Mapping[str, Any]],
    disclosed: Mapping[str, Any] | None,
    actor: Actor,
    at: datetime,
    form_key: str,
) -> dict[str, Any]:
    """Give one case with its forms; `form_key` makes a form that is sent twice count once."""
    shown = _case(row, permits[0] if permits else None, at)
    listed = [_permit(one, at) for one in permits]
    may = shown["may"]
    active = row["state"] == "ACTIVE"
    return {
        "case": shown,
        "state": {
            "tone": {"good": "good", "act": "watch", "bad": "bad"}.get(may["tone"], "none"),
            "text": may["text"],
            "next": [],
        },
        "again": may.get("again"),
        "citation": may.get("citation"),
        "permits": listed,
        "live": next((one for one in listed if one["live"]), None),
        "usable": [
            one for one in listed if one["live"] or (one["state"] == "GRANTED" and not one["used_at"])
        ],
        "attempts": [
            dict(one)
            | {
                "channel_label": CHANNELS.get(one["channel"], one["channel"]),
                "result_label": RESULT_LABELS.get(one["result"], one["result"]),
                "minutes": round(one["duration_s"] / 60) if one["duration_s"] else None,
            }
            for one in attempts
        ],
        "promises": [promise(one) for one in promises],
        "ways": _ways(row["contact_points"]),
        "badges": [one["badge"] for one in collectors if one["active"]],
        "purposes": [{"value": code, "label": label} for code, label in PURPOSES.items()],
        "results": [{"value": code, "label": RESULT_LABELS[code]} for code in RESULTS],
        "facts": _facts(disclosed) if disclosed is not None else None,
        "may_open": active and actor.may("sharing.open_case"),
        "may_ask": active and not row["on_hold"] and actor.may("contact.ask_permit"),
        "may_log": actor.may("contact.log_attempt"),
        "may_promise": active and actor.may("tracking.record_promise"),
        "form_key": form_key,
        "default_due": timezone.localtime(at).date() + timedelta(days=PROMISE_DAYS),
    }


def promise(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a promise with its words."""
    label, tone = PROMISE_STATES.get(row["state"], (row["state"], "wait"))
    return dict(row) | {"label": label, "tone": tone}


def _facts(disclosed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the opened facts in the order of the register, each with its label."""
    shown = []
    for fact in fields.FACTS:
        if fact.name not in disclosed or fact.name in {"case_ref", "currency"}:
            continue
        value = disclosed[fact.name]
        if fact.name == "product":
            value = PRODUCTS.get(value, value)
        if fact.name == "language":
            value = {"zh-hans": "中文", "zh": "中文", "en": "English"}.get(value, value)
        money = fact.name.endswith("_minor") or "_minor_" in fact.name
        points = [point["value"] for point in value] if isinstance(value, list) and fact.reach else []
        shown.append(
            {
                "label": fact.label,
                "value": value,
                "money": money,
                "points": points,
                "day": hasattr(value, "isoformat"),
            }
        )
    currency = disclosed.get("currency", "CNY")
    return [one | {"currency": currency} for one in shown]
