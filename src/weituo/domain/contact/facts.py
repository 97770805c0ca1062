"""From gathered rows to the facts that `core.conduct` decides on, and back to reasons people can read.

What is stored with a permit is exactly what was decided on, so that the same answer can be given again at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from weituo.core import conduct
from weituo.foundation import days

CHANNELS: Final = {"VOICE": "call", "SMS": "sms", "EMAIL": "email", "LETTER": "letter", "VISIT": "visit"}
#: purpose → whether the contact speaks of the debt
PURPOSES: Final = {"COLLECT": True, "REMIND": True, "ANSWER": True, "LOCATE": False}
#: other rooms' words for channels (strategies, wishes)
_CHANNEL_WORDS: Final = CHANNELS | {"PHONE": "call", "CALL": "call", "MAIL": "letter"}
#: a permit holds this long from the planned instant, and never longer than the rules allow
HOLDS_MINUTES: Final = 10
#: kinds of rules that keep hours free: nor may a call go on into them
HOURS: Final = frozenset({"hours", "wish"})
#: grounds of the gate itself, before any rule pack: rule → (citation, zh, en)
GROUNDS: Final = {
    "GATE-PLACEMENT": (
        "委托合同; GB/T 45251-2025 5.4",
        "该委案已结束或期限届满，不得再联系。",
        "The placement has ended or its term is over: no further contact.",
    ),
    "GATE-AGENCY": (
        "GB/T 45251-2025 5.4",
        "机构须处于合作状态，且必备资质文件均在有效期内。",
        "An agency works only while it is approved and its required papers are live.",
    ),
    "GATE-TREATMENT": (
        "house rule: strategy in force",
        "现行策略未将该账户交由机构处理。",
        "The strategy in force does not give this account to an agency.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision: allowed or not, every reason against, and the facts it rests on as canonical JSON."""

    allowed: bool
    facts: str
    facts_digest: str
    #: first instant at which a rule would deny the contact, or the end of the usual ten minutes; None where it is refused
    until: datetime | None = None
    reasons: list[dict[str, Any]] = field(default_factory=list)
    packs: dict[str, str] = field(default_factory=dict)


def decide(
    *, rows: pl.DataFrame, contacts: pl.DataFrame, latest: Sequence[datetime] | None = None
) -> list[Decision]:
    """Decide a batch in the order of asking; a request sees what was granted to the same borrower before it.

    rows: columns of `gathering.GROUND` with those of `gathering.asked`; contacts: columns of `gathering.CONTACTS`;
    latest: when each of them ends at the latest, where that is known already.
    """
    history: dict[str, list[conduct.Contact]] = defaultdict(list)
    for row in contacts.iter_rows(named=True):
        history[row["borrower_id"]].append(_contact(row))
    decisions = []
    for number, row in enumerate(rows.iter_rows(named=True)):
        known = history[row["borrower_id"]]
        request, facts, grounds = _request(row), _facts(row, known), _grounds(row)
        decision = _decide(request=request, facts=facts, grounds=grounds, at=row["asked_at"])
        if decision.until is not None:
            if latest is not None:
                decision = replace(decision, until=min(decision.until, latest[number]))
            known.append(
                conduct.Contact(
                    at=request.planned_at,
                    channel=request.channel,
                    contact_point=request.contact_point,
                    recipient=request.recipient,
                    until=decision.until,
                )
            )
        decisions.append(decision)
    return decisions


def whole(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Give stored facts with everything that goes without saying said: {request, facts, grounds} as plain data."""
    request, facts = _read(stored)
    return {"request": _plain_request(request), "facts": facts.as_dict(), "grounds": list(stored["grounds"])}


def digest_of(stored: Mapping[str, Any]) -> str:
    """Give the SHA-256 over facts as they are stored, in canonical JSON."""
    return hashlib.sha256(_canonical(stored).encode()).hexdigest()


def again(*, stored: Mapping[str, Any], at: datetime) -> Decision:
    """Decide once more on stored facts, asked at `at`, under the packs of today."""
    request, facts = _read(stored)
    return _decide(request=request, facts=facts, grounds=tuple(stored["grounds"]), at=at)


def _read(stored: Mapping[str, Any]) -> tuple[conduct.Request, conduct.Facts]:
    asked = stored["request"]
    request = conduct.Request(**{**asked, "planned_at": datetime.fromisoformat(asked["planned_at"])})
    known = dict(stored["facts"])
    if known.get("contacts"):
        known["contacts"] = [
            _held(_same_as(request) | one, stored.get("held_minutes")) for one in known["contacts"]
        ]
    return request, conduct.Facts.from_dict(known)


def _decide(
    *, request: conduct.Request, facts: conduct.Facts, grounds: Sequence[str], at: datetime
) -> Decision:
    packs = conduct.load()
    answer = conduct.evaluate(request=request, facts=facts, packs=packs, at=at)
    reasons = [ground(code) for code in grounds]
    retry = answer.earliest_next.isoformat() if answer.earliest_next and not grounds else None
    reasons += [_reason(one, retry) for one in answer.reasons]
    if not reasons:
        reasons += [_reason(one, None) for one in conduct.crowded(request=request, facts=facts, packs=packs)]
    body = _canonical(_short(request=request, facts=facts, grounds=grounds))
    return Decision(
        allowed=not reasons,
        facts=body,
        facts_digest=hashlib.sha256(body.encode()).hexdigest(),
        until=None if reasons else _until(request, facts, packs),
        reasons=reasons,
        packs=answer.versions,
    )


def _until(request: conduct.Request, facts: conduct.Facts, packs: Sequence[conduct.Pack]) -> datetime:
    """Give the end of a permit: what has days only is judged for the lender's day, so no permit goes beyond it."""
    most = min(
        request.planned_at + timedelta(minutes=HOLDS_MINUTES),
        days.start_of(days.day_of(request.planned_at) + timedelta(days=1)),
    )
    return conduct.allowed_until(request=request, facts=facts, packs=packs, most=most)


def in_quiet_hours(*, stored: Mapping[str, Any], instants: Sequence[datetime]) -> bool:
    """Tell whether one of these instants lies in hours that the law or the borrower's wish, as stored, keeps free."""
    request, facts = _read(stored)
    return any(
        reason.code != "wish_channel"
        for instant in instants
        for reason in conduct.denials(replace(request, planned_at=instant), facts, conduct.load(), only=HOURS)
    )


def ground(code: str) -> dict[str, Any]:
    """Give one of the gate's own grounds as a reason."""
    citation, zh, en = GROUNDS[code]
    return {"code": code, "kind": "ground", "citation": citation, "text_zh": zh, "text_en": en, "retry_at": None}  # fmt: skip


def reason_of(rule: conduct.Rule) -> dict[str, Any]:
    """Give a rule as a reason that no passing of time lifts."""
    return _reason(
        conduct.Reason(rule=rule.id, code=rule.kind, citation=rule.citation, zh=rule.zh, en=rule.en), None
    )


def _reason(one: conduct.Reason, retry: str | None) -> dict[str, Any]:
    return {
        "code": one.rule,
        "kind": one.code,
        "citation": one.citation,
        "text_zh": one.zh,
        "text_en": one.en,
        "retry_at": retry,
    }


def _plain_request(request: conduct.Request) -> dict[str, Any]:
    return {
        "channel": request.channel,
        "contact_point": request.contact_point,
        "planned_at": request.planned_at.isoformat(),
        "recipient": request.recipient,
        "visitors": request.visitors,
        "identified": request.identified,
        "discloses_debt": request.discloses_debt,
    }


def _canonical(body: Mapping[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _short(*, request: conduct.Request, facts: conduct.Facts, grounds: Sequence[str]) -> dict[str, Any]:
    """Leave out what goes without saying: a permit is stored for every contact, and most facts are the usual ones."""
    known = _unusual(facts.as_dict(), _USUAL_FACTS)
    held = {}
    if "contacts" in known:
        usual = _USUAL_CONTACT | _same_as(request)
        if any(one["until"] is not None for one in known["contacts"]):
            held = {"held_minutes": HOLDS_MINUTES}
        known["contacts"] = [_unusual(_shortened(one), usual) for one in known["contacts"]]
    asked = _unusual(_plain_request(request), _USUAL_REQUEST)
    return {"request": asked, "facts": known, "grounds": list(grounds)} | held


def _held(one: dict[str, Any], minutes: int | None) -> dict[str, Any]:
    """Say until when a reserved contact may still be made, where it holds as long as usual."""
    if minutes is None or one.get("result") is not None or "until" in one:
        return one
    return one | {"until": (datetime.fromisoformat(one["at"]) + timedelta(minutes=minutes)).isoformat()}


def _shortened(one: dict[str, Any]) -> dict[str, Any]:
    """Leave the end of a reserved contact out where it is the usual one; `_held` says it again."""
    if one["until"] is None:
        return one
    usual = datetime.fromisoformat(one["at"]) + timedelta(minutes=HOLDS_MINUTES)
    return one | {"until": None} if datetime.fromisoformat(one["until"]) == usual else one


def _same_as(request: conduct.Request) -> dict[str, Any]:
    """Give what an earlier contact shares with the one asked for, unless it says otherwise."""
    return {"channel": request.channel, "contact_point": request.contact_point}


def _unusual(body: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in usual or usual[name] != value}


def _usual(kind: Any) -> dict[str, Any]:
    """Give, as plain data, what a dataclass's reader fills in by itself."""
    said = [one for one in fields(kind) if one.default is not MISSING]
    return {one.name: [] if one.default in ((), frozenset()) else one.default for one in said}


def _contact(row: Mapping[str, Any]) -> conduct.Contact:
    return conduct.Contact(
        at=row["at"],
        channel=CHANNELS[row["channel"]],
        contact_point=row["contact_point_id"],
        recipient=row["point_role"].lower(),
        result=conduct.RESULTS[row["result"]] if row["result"] else None,
        until=row["until"],
    )


def _request(row: Mapping[str, Any]) -> conduct.Request:
    return conduct.Request(
        channel=CHANNELS[row["channel"]],
        contact_point=row["contact_point_id"],
        planned_at=row["planned_at"],
        recipient=row["point_role"].lower(),
        discloses_debt=PURPOSES[row["purpose"]],
    )


def _facts(row: Mapping[str, Any], contacts: Sequence[conduct.Contact]) -> conduct.Facts:
    return conduct.Facts(
        zones=tuple(row["zones"]) or None,
        statuses=frozenset(conduct.status_of(kind) for kind in row["holds"]),
        contacts=tuple(contacts),
        point_valid=row["point_valid"],
        collector_registered="registered" not in row["lacks"],
        collector_trained="trained" not in row["lacks"],
        agreement_live="agreement" not in row["lacks"],
        strategy_channels=_words(row["treatment_channels"]) or None,
        contacts_per_week_max=row["contacts_per_week_max"],
        wish_channels=_words(row["wish_channels"]),
        wish_hours=None if row["wish_from"] is None else (row["wish_from"], row["wish_to"]),
    )


def _words(channels: Sequence[str] | None) -> frozenset[str]:
    return frozenset(_CHANNEL_WORDS.get(one.upper(), one.lower()) for one in channels or ())


def _grounds(row: Mapping[str, Any]) -> tuple[str, ...]:
    grounds = []
    if "placement" in row["lacks"]:
        grounds.append("GATE-PLACEMENT")
    if "agency" in row["lacks"]:
        grounds.append("GATE-AGENCY")
    if row["treatment"] not in {None, "AGENCY"}:
        grounds.append("GATE-TREATMENT")
    return tuple(grounds)


_USUAL_REQUEST: Final = _usual(conduct.Request)
_USUAL_FACTS: Final = _usual(conduct.Facts)
_USUAL_CONTACT: Final = _usual(conduct.Contact)
