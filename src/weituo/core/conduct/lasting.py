"""How long a leave to contact may last, and whom one more contact would crowd out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from weituo.core.conduct.evaluator import Reason, denials
from weituo.core.conduct.facts import Contact, Facts, Request
from weituo.core.conduct.packs import Pack
from weituo.core.conduct.turning import end_of_day, entries, shifts, turning_points

#: kinds that count contacts
COUNTING = frozenset({"count", "intensity"})
#: no rule counts further back
WEEK = timedelta(days=7)


def allowed_until(*, request: Request, facts: Facts, packs: Sequence[Pack], most: datetime) -> datetime:
    """Give the first instant after the planned one at which any rule would deny the contact, all else equal, at most `most`.

    The contact itself must be allowed at its planned instant. No leave goes beyond the debtor's day, for what is counted by
    days would then be counted on the wrong one. A contact granted for later is a limit as well: where this one, made as
    late as that, would take its place.
    """
    start = request.planned_at
    end = min(most, end_of_day(start, facts.home_zone))
    points = turning_points(start=start, until=end, facts=facts, packs=packs)
    points |= entries(start=start, until=end, facts=facts, packs=packs)
    points |= shifts(start=start, until=end, facts=facts)
    for instant in sorted(points):
        moved = replace(request, planned_at=instant)
        if instant < end and (
            any(denials(moved, facts, packs)) or any(crowded(request=moved, facts=facts, packs=packs))
        ):
            return instant
    return end


def crowded(*, request: Request, facts: Facts, packs: Sequence[Pack]) -> Iterator[Reason]:
    """Give the rules that a contact granted already, and still to be made, would break if this one came before it."""
    now = request.planned_at
    made = Contact(
        at=now, channel=request.channel, contact_point=request.contact_point, recipient=request.recipient
    )
    for one in facts.contacts or ():
        if one.latest <= now or one.at > now + WEEK:
            continue
        others = tuple(other for other in facts.contacts or () if other is not one)
        first = max(one.at, now)
        for instant in sorted({first, *(other.at for other in others if first < other.at <= one.latest)}):
            moved = replace(
                request,
                planned_at=instant,
                channel=one.channel,
                contact_point=one.contact_point,
                recipient=one.recipient,
            )
            before = replace(facts, contacts=others)
            known = {reason.rule for reason in denials(moved, before, packs, only=COUNTING)}
            after = replace(facts, contacts=(*others, made))
            broken = [
                reason for reason in denials(moved, after, packs, only=COUNTING) if reason.rule not in known
            ]
            if broken:
                yield from broken
                return
