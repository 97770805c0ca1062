"""Keeping placements past the end of their term (留案), and the lender's terms for that and for answers and recalls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from weituo.domain.placement import terms
from weituo.domain.placement.errors import NotRetainable, RetentionRefused, TermsRefused
from weituo.domain.placement.events import PlacementsRetained
from weituo.domain.placement.models import Terms
from weituo.domain.placement.services import recalling
from weituo.domain.placement.services.offering import months_later
from weituo.foundation import days, events, locks, transactions
from weituo.foundation.acts import act, note
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

_RETAIN: Final = """
WITH kept AS (
  INSERT INTO placement_retention (id, placement_id, agency_id, number, term_from, term_to, reason, retained_at, retained_by)
  SELECT uuidv7(), id, agency_id, retained + 1, term_to, %(term_to)s, %(reason)s, %(at)s, %(by)s FROM placement_placement WHERE id = ANY(%(ids)s)
  RETURNING placement_id)
UPDATE placement_placement p SET term_to = %(term_to)s, retained = p.retained + 1 FROM kept WHERE p.id = kept.placement_id
"""


@act("placement.retain", permission="placement.retain")
def retain(*, actor: Actor, placement_ids: Sequence[UUID], term_to: date, reason: str, at: datetime) -> int:
    """Extend the term of active placements to a later day; return how many.

    Within the lender's terms: at most so many times a placement, each time at most so many months past its present end. A
    placement under notice of recall is not extended. Raises `RetentionRefused`, `PlacementNotFound`, `NotRetainable`.
    """
    if not reason.strip():
        raise RetentionRefused(problem=worded("a reason is needed"), where="reason")
    lender, today = terms.current(actor), days.day_of(at)
    rows = recalling.locked(placement_ids)
    for row in rows:
        problem = ""
        if row["state"] != "ACTIVE" or row["term_to"] <= today:
            problem = worded("it is not active any more")
        elif row["recall_final_on"] is not None:
            problem = worded("notice of recall was given")
        elif row["retained"] >= lender.retention_times_max:
            problem = worded(
                "its term was extended %(times)s times, the most allowed", times=lender.retention_times_max
            )
        elif term_to <= row["term_to"]:
            problem = worded(
                "the new end does not lie after the present one, %(day)s", day=row["term_to"].isoformat()
            )
        elif term_to > (most := months_later(row["term_to"], lender.retention_months_max)):
            problem = worded("the new end lies after %(day)s, the latest allowed", day=most.isoformat())
        if problem:
            raise NotRetainable(case=row["case_ref"], problem=problem, where=row["case_ref"])
    ids = [row["id"] for row in rows]
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            _RETAIN, {"ids": ids, "term_to": term_to, "reason": reason.strip(), "at": at, "by": actor.id}
        )
    if ids:
        recalling.noted(ids, reason=reason.strip(), term_to=term_to.isoformat())
        events.publish(PlacementsRetained(placement_ids=tuple(ids), term_to=term_to, retained_at=at))
    return len(ids)


@act("placement.set_terms", permission="placement.set_terms")
def set_terms(
    *, actor: Actor, answer_days: int, notice_days: int, retention_times_max: int, retention_months_max: int,
    upheld_days: Mapping[str, int], reason: str, at: datetime,
) -> int:  # fmt: skip
    """Put a new version of the lender's terms in force; return its number. What was told or fixed before stays.

    upheld_days: code of an objection → most days by which the rule moves a recall by itself. Raises `TermsRefused`.
    """
    if not reason.strip():
        raise TermsRefused(problem=worded("a reason is needed"), where="reason")
    for name, amount, least, most in (
        ("answer_days", answer_days, 1, terms.DAYS_MAX),
        ("notice_days", notice_days, 1, terms.DAYS_MAX),
        ("retention_times_max", retention_times_max, 0, terms.TIMES_MAX),
        ("retention_months_max", retention_months_max, 0, terms.MONTHS_MAX),
        *((f"upheld_days.{code}", given, 0, terms.DAYS_MAX) for code, given in upheld_days.items()),
    ):
        if not least <= amount <= most:
            raise TermsRefused(
                problem=worded("a number from %(least)s to %(most)s is needed", least=least, most=most),
                where=name,
            )
    if unknown := sorted(set(upheld_days) - set(terms.OBJECTIONS)):
        raise TermsRefused(problem=worded("unknown reason %(name)s", name=unknown[0]), where="upheld_days")
    if upheld_days.get(terms.OTHER):
        raise TermsRefused(
            problem=worded("what has no code of its own is decided by a person"), where="upheld_days.OTHER"
        )
    locks.lock(keys=["placement:terms"])
    version = terms.current(actor).version + 1
    Terms.objects.create(
        version=version,
        answer_days=answer_days,
        notice_days=notice_days,
        retention_times_max=retention_times_max,
        retention_months_max=retention_months_max,
        upheld_days={code: given for code, given in sorted(upheld_days.items()) if given},
        set_at=at,
        set_by=actor.id,
        reason=reason.strip(),
    )
    note(what="terms", ref=str(version), reason=reason.strip(), version=version)
    return version
