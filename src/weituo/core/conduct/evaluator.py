"""The evaluator: every denying rule, and the exact instant from which the contact would be allowed, all else equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from weituo.core.conduct.facts import Contact, Facts, Request
from weituo.core.conduct.packs import Pack, Rule
from weituo.core.conduct.turning import clock, midnight, turning_points

#: how far ahead an allowed instant is looked for
HORIZON_DAYS = 35


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One denying rule. `code` is the rule's kind, or “unknown: …” for a fact that the rule needs and nobody knows."""

    rule: str
    code: str
    citation: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer. `earliest_next` is None when it is allowed, or when no passing of time alone will allow it."""

    allowed: bool
    reasons: tuple[Reason, ...]
    earliest_next: datetime | None
    versions: dict[str, str]
    facts_digest: str


def evaluate(*, request: Request, facts: Facts, packs: Sequence[Pack], at: datetime) -> Decision:
    """Decide one contact planned for `request.planned_at`, asked at `at` (both aware).

    Packs combine by strictest: one denying rule denies. Raises ValueError for a naive instant.
    """
    if request.planned_at.tzinfo is None or at.tzinfo is None:
        raise ValueError("instants must be aware")
    reasons = tuple(denials(request, facts, packs))
    return Decision(
        allowed=not reasons,
        reasons=reasons,
        earliest_next=_earliest(request, facts, packs) if reasons else None,
        versions={pack.name: pack.version for pack in packs},
        facts_digest=facts.digest(),
    )


def denials(
    request: Request, facts: Facts, packs: Sequence[Pack], *, only: frozenset[str] | None = None
) -> Iterator[Reason]:
    """Give every rule in force at the planned instant that denies the contact, of the kinds in `only` if given."""
    for pack in packs:
        for rule in pack.rules:
            if (only is not None and rule.kind not in only) or not rule.in_force(request.planned_at):
                continue
            code = CHECKS[rule.kind](rule, request, facts)
            if code:
                yield Reason(rule=rule.id, code=code, citation=rule.citation, zh=rule.zh, en=rule.en)


def _within(moment: time, first: time, last: time) -> bool:
    """Half-open [first, last) on a wall clock; last 00:00 means midnight."""
    return first <= moment and (moment < last or last == time(0))


def _hours(rule: Rule, request: Request, facts: Facts) -> str:
    if not facts.zones:
        return "unknown: zones"
    first, last = clock(rule.parameters["from"]), clock(rule.parameters["to"])
    for zone in facts.zones:
        wall = request.planned_at.astimezone(ZoneInfo(zone)).time()
        if _within(wall, first, last):
            continue
        agreed = rule.parameters.get("consent_lifts") and any(
            consent.channel in {request.channel, "*"} and _within(wall, consent.hour_from, consent.hour_to)
            for consent in facts.consents
        )
        if not agreed:
            return "hours"
    return ""


def _day_start(moment: datetime, zone: str, back: int) -> datetime:
    return midnight(moment.astimezone(ZoneInfo(zone)).date() - timedelta(days=back), zone)


def _counted(contact: Contact, outcomes: Sequence[str]) -> bool:
    return contact.result is None or contact.result in outcomes


def _count(rule: Rule, request: Request, facts: Facts) -> str:
    parameters = rule.parameters
    if request.channel not in parameters["channels"] or request.recipient not in parameters.get(
        "recipients", [request.recipient]
    ):
        return ""
    if facts.contacts is None:
        return "unknown: contacts"
    since = _day_start(request.planned_at, facts.home_zone, parameters["days"] - 1)
    until = _day_start(request.planned_at, facts.home_zone, -1)
    number = sum(
        1
        for contact in facts.contacts
        if since <= contact.at < until
        and contact.channel in parameters["channels"]
        and contact.recipient in parameters.get("recipients", [contact.recipient])
        and _counted(contact, parameters["outcomes"])
        and (parameters["per"] == "debtor" or contact.contact_point == request.contact_point)
    )
    return "count" if number >= parameters["most"] else ""


def _intensity(rule: Rule, request: Request, facts: Facts) -> str:
    if facts.contacts is None:
        return "unknown: contacts"
    most = (
        facts.contacts_per_week_max
        if facts.contacts_per_week_max is not None
        else rule.parameters["default_most"]
    )
    since = request.planned_at - timedelta(days=rule.parameters["days"])
    number = sum(
        1 for contact in facts.contacts if contact.at <= request.planned_at and since < contact.latest
    )
    return "intensity" if number >= most else ""


def _unreachable_first(rule: Rule, request: Request, facts: Facts) -> str:
    if request.recipient not in rule.parameters["recipients"]:
        return ""
    if facts.contacts is None:
        return "unknown: contacts"
    if facts.borrower_points_invalid or (facts.statuses or frozenset()) & set(
        rule.parameters.get("lifted_by", ())
    ):
        return ""
    tries = sorted(
        (
            one
            for one in facts.contacts
            if one.recipient == "borrower"
            and one.channel == "call"
            and one.at <= request.planned_at
            and one.result is not None
        ),
        key=lambda one: one.at,
    )
    last = tries[-rule.parameters["tries"] :]
    failed = len(last) == rule.parameters["tries"] and all(
        one.result in rule.parameters["outcomes"] for one in last
    )
    return "" if failed else "unreachable_first"


def _status(rule: Rule, request: Request, facts: Facts) -> str:
    if facts.statuses is None:
        return "unknown: statuses"
    return "status" if facts.statuses & set(rule.parameters["statuses"]) else ""


def _collector(rule: Rule, request: Request, facts: Facts) -> str:
    known = {"registered": facts.collector_registered, "trained": facts.collector_trained}
    for need in rule.parameters["needs"]:
        if known[need] is None:
            return f"unknown: collector_{need}"
        if not known[need]:
            return "collector"
    return ""


def _agreement(rule: Rule, request: Request, facts: Facts) -> str:
    if facts.agreement_live is None:
        return "unknown: agreement_live"
    return "" if facts.agreement_live else "agreement"


def _visit(rule: Rule, request: Request, facts: Facts) -> str:
    if request.channel != "visit":
        return ""
    if request.visitors is None or request.identified is None:
        return "unknown: visitors"
    return "" if request.visitors >= rule.parameters["visitors_least"] and request.identified else "visit"


def _point(rule: Rule, request: Request, facts: Facts) -> str:
    if facts.point_valid is None:
        return "unknown: point_valid"
    return "" if facts.point_valid else "point"


def _wish(rule: Rule, request: Request, facts: Facts) -> str:
    if facts.wish_channels and request.channel not in facts.wish_channels:
        return "wish_channel"
    if facts.wish_hours is None:
        return ""
    if not facts.zones:
        return "unknown: zones"
    first, last = facts.wish_hours
    for zone in facts.zones:
        hour = request.planned_at.astimezone(ZoneInfo(zone)).hour
        if not first <= hour < last:
            return "wish_hours"
    return ""


def _channel(rule: Rule, request: Request, facts: Facts) -> str:
    return (
        "channel"
        if facts.strategy_channels is not None and request.channel not in facts.strategy_channels
        else ""
    )


def _no_disclosure(rule: Rule, request: Request, facts: Facts) -> str:
    return (
        "no_disclosure"
        if request.recipient in rule.parameters["recipients"] and request.discloses_debt
        else ""
    )


def _recipients(rule: Rule, request: Request, facts: Facts) -> str:
    return "" if request.recipient in rule.parameters["allowed"] else "recipients"


CHECKS: dict[str, Callable[[Rule, Request, Facts], str]] = {
    "hours": _hours,
    "count": _count,
    "intensity": _intensity,
    "unreachable_first": _unreachable_first,
    "status": _status,
    "collector": _collector,
    "agreement": _agreement,
    "visit": _visit,
    "point": _point,
    "wish": _wish,
    "channel": _channel,
    "no_disclosure": _no_disclosure,
    "recipients": _recipients,
}
#: kinds whose answer can change by the passing of time alone
TIMED = frozenset({"hours", "count", "intensity", "wish"})


def _earliest(request: Request, facts: Facts, packs: Sequence[Pack]) -> datetime | None:
    """Find the first instant after the planned one at which no rule denies.

    The answer changes only at walls of the clock (bounds of hours in each zone, midnights) and when a contact leaves a
    rolling window; those instants are tried in order, so the first that allows is exact.
    """
    start = request.planned_at
    until = start + timedelta(days=HORIZON_DAYS)
    for instant in sorted(turning_points(start=start, until=until, facts=facts, packs=packs)):
        moved = replace(request, planned_at=instant)
        rules = [rule for pack in packs for rule in pack.rules if rule.in_force(instant)]
        codes = [(rule.kind, code) for rule in rules if (code := CHECKS[rule.kind](rule, moved, facts))]
        if not codes:
            return instant
        if any(
            kind not in TIMED or code.startswith("unknown") or code == "wish_channel" for kind, code in codes
        ):
            return None
    return None
