"""Turning points: the only instants at which the passing of time alone can change what the rules answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from weituo.core.conduct.facts import Facts
from weituo.core.conduct.packs import Pack

#: instants are stored to the microsecond; the first one after another
NEXT = timedelta(microseconds=1)


def clock(text: str) -> time:
    """Give a wall time from a rule's parameter."""
    return time.fromisoformat(text)


def midnight(day: date, zone: str) -> datetime:
    """Give the instant at which a day begins in `zone`."""
    return datetime.combine(day, time(0), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def end_of_day(moment: datetime, zone: str) -> datetime:
    """Give the instant at which the day of `moment` ends in `zone`."""
    return midnight(moment.astimezone(ZoneInfo(zone)).date() + timedelta(days=1), zone)


def turning_points(*, start: datetime, until: datetime, facts: Facts, packs: Sequence[Pack]) -> set[datetime]:
    """Give the instants in (start, until] at which a wall of the clock is met, a rule begins or ends, or a contact leaves
    a rolling window. What becomes stricter as contacts follow each other is in `entries`.
    """
    clocks = {time(0)}
    points: set[datetime] = set()
    for pack in packs:
        for rule in pack.rules:
            if rule.kind == "hours":
                clocks |= {clock(rule.parameters["from"]), clock(rule.parameters["to"])}
            if rule.kind == "intensity":
                window = timedelta(days=rule.parameters["days"])
                points |= {contact.latest + window for contact in facts.contacts or ()}
            points |= {
                datetime.combine(day, time(0), tzinfo=UTC)
                for day in (rule.effective_from, rule.effective_to)
                if day
            }
    for consent in facts.consents:
        clocks |= {consent.hour_from, consent.hour_to}
    if facts.wish_hours:
        clocks |= {time(hour % 24) for hour in facts.wish_hours}
    for zone in {*(facts.zones or ()), facts.home_zone}:
        points |= _walls(start, until, clocks, ZoneInfo(zone))
    return {point.astimezone(UTC) for point in points if start < point <= until}


def _walls(start: datetime, until: datetime, clocks: set[time], zone: ZoneInfo) -> set[datetime]:
    first, last = start.astimezone(zone).date(), until.astimezone(zone).date()
    return {
        datetime.combine(first + timedelta(days=ahead), wall, tzinfo=zone).astimezone(UTC)
        for ahead in range((last - first).days + 1)
        for wall in clocks
    }


def entries(*, start: datetime, until: datetime, facts: Facts, packs: Sequence[Pack]) -> set[datetime]:
    """Give the instants in (start, until] at which a contact comes into a window: another's into the asked one's, or the
    asked one into that of another which is granted for later.
    """
    windows = {
        timedelta(days=rule.parameters["days"])
        for pack in packs
        for rule in pack.rules
        if rule.kind == "intensity"
    }
    points = {contact.at for contact in facts.contacts or ()}
    points |= {contact.at - window + NEXT for contact in facts.contacts or () for window in windows}
    return {point for point in points if start < point <= until}


def shifts(*, start: datetime, until: datetime, facts: Facts) -> set[datetime]:
    """Give the instants in (start, until] at which a clock is put forward or back in a zone that matters."""
    found: set[datetime] = set()
    for name in {*(facts.zones or ()), facts.home_zone}:
        zone = ZoneInfo(name)
        low, high = start, until
        if low.astimezone(zone).utcoffset() == high.astimezone(zone).utcoffset():
            continue
        while high - low > NEXT:
            middle = low + (high - low) / 2
            same = middle.astimezone(zone).utcoffset() == start.astimezone(zone).utcoffset()
            low, high = (middle, high) if same else (low, middle)
        found.add(high.astimezone(UTC))
    return found
