"""Collection plans: drawn up together, signed by both sides over the same content, versioned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.plans.errors import PlanChanged, PlanNotFound, PlanRefused, WrongPlanState
from weituo.domain.plans.events import PlanSigned
from weituo.domain.plans.models import Milestone, Plan, Target
from weituo.foundation import events, locks
from weituo.foundation.acts import act, note
from weituo.foundation.errors import NotFound
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

MONTHS_MAX = 24


def content_digest(plan_id: UUID) -> str:
    """Give the SHA-256 over targets and milestones: what both sides sign."""
    body = {
        "targets": list(
            Target.objects.filter(plan_id=plan_id)
            .order_by("bucket", "months_since_placement")
            .values_list("bucket", "months_since_placement", "liquidation_bps")
        ),
        "milestones": [
            [row[0], row[1], row[2], row[3].isoformat()]
            for row in Milestone.objects.filter(plan_id=plan_id)
            .order_by("due_on", "title_en", "id")
            .values_list("title_zh", "title_en", "owner", "due_on")
        ],
    }
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@act("plans.draft_plan", permission="plans.draft")
def draft_plan(
    *, actor: Actor, agency_id: UUID, active_from: date, active_to: date | None, targets: Mapping[str, Sequence[int]], milestones: Sequence[Mapping[str, Any]],
    at: datetime, note_text: str = "",
) -> UUID:  # fmt: skip
    """Draw up the next version of an agency's plan.

    targets: bucket → cumulative liquidation in basis points for months 1, 2, … since placement, never falling.
    milestones: title_zh, title_en, owner (LENDER or AGENCY), due_on. Raises `PlanRefused`.
    """
    _check(targets, milestones)
    if active_to is not None and active_to <= active_from:
        raise PlanRefused(problem=worded("it ends before it begins"), where="active_to")
    locks.lock(keys=[f"plans:plan:{agency_id}"])
    version = 1 + Plan.objects.filter(agency_id=agency_id).count()
    plan = Plan.objects.create(
        id=new_id(),
        agency_id=agency_id,
        version=version,
        active_from=active_from,
        active_to=active_to,
        note=note_text,
    )
    Target.objects.bulk_create(
        Target(
            id=new_id(),
            plan=plan,
            agency_id=agency_id,
            bucket=bucket,
            months_since_placement=month,
            liquidation_bps=value,
        )
        for bucket, values in targets.items()
        for month, value in enumerate(values, start=1)
    )
    Milestone.objects.bulk_create(
        Milestone(id=new_id(), plan=plan, agency_id=agency_id, **row) for row in milestones
    )
    Plan.objects.filter(id=plan.id).update(digest=content_digest(plan.id))
    note(
        what="plan",
        ref=plan.id,
        agency=str(agency_id),
        version=version,
        targets=sum(len(values) for values in targets.values()),
        milestones=len(milestones),
    )
    return plan.id


def _check(targets: Mapping[str, Sequence[int]], milestones: Sequence[Mapping[str, Any]]) -> None:
    if not targets or not isinstance(targets, Mapping):
        raise PlanRefused(problem=worded("no target"), where="targets")
    for bucket, values in targets.items():
        if bucket not in BUCKETS:
            raise PlanRefused(problem=worded("unknown bucket %(name)s", name=bucket), where="targets")
        if not _are_shares(values):
            raise PlanRefused(
                problem=worded("1 to %(most)s months between 0 and 100 per cent", most=MONTHS_MAX),
                where=f"targets.{bucket}",
            )
        if list(values) != sorted(values):
            raise PlanRefused(problem=worded("cumulative liquidation never falls"), where=f"targets.{bucket}")
    for number, row in enumerate(milestones, start=1):
        if (
            set(row) != {"title_zh", "title_en", "owner", "due_on"}
            or row["owner"] not in ("LENDER", "AGENCY")
            or not all(
                isinstance(row[title], str) and row[title].strip() for title in ("title_zh", "title_en")
            )
            or not isinstance(row["due_on"], date)
        ):
            raise PlanRefused(
                problem=worded("title_zh, title_en, owner (LENDER or AGENCY) and due_on are needed"),
                where=f"milestones[{number}]",
            )


def _are_shares(values: Any) -> bool:
    """Tell whether these are one to 24 whole numbers of basis points."""
    return (
        isinstance(values, list | tuple)
        and 1 <= len(values) <= MONTHS_MAX
        and all(
            isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10_000
            for value in values
        )
    )


@act("plans.sign_as_lender", permission="plans.sign_lender")
def sign_as_lender(*, actor: Actor, plan_id: UUID, at: datetime) -> None:
    """Sign a draft for the lender and offer it to the agency."""
    plan = Plan.objects.select_for_update().filter(id=plan_id).first()
    if plan is None:
        raise PlanNotFound(what="plan")
    if plan.state != Plan.State.DRAFT:
        raise WrongPlanState(state=plan.get_state_display())
    Plan.objects.filter(id=plan_id).update(
        state=Plan.State.OFFERED,
        lender_signed_by=actor.id,
        lender_signed_at=at,
        digest=content_digest(plan_id),
    )
    note(what="plan", ref=plan_id, side="lender")


@act("plans.sign_as_agency", permission="plans.sign_agency")
def sign_as_agency(*, actor: Actor, plan_id: UUID, digest: str, at: datetime) -> None:
    """Sign an offered plan for the agency, naming the digest that was read; the version before is superseded.

    Raises `PlanNotFound` (also for another agency's plan), `WrongPlanState`, `PlanChanged`.
    """
    plan = Plan.objects.select_for_update().filter(id=plan_id).first()
    if plan is None:
        raise PlanNotFound(what="plan")
    if plan.state != Plan.State.OFFERED:
        raise WrongPlanState(state=plan.get_state_display())
    if digest != plan.digest or content_digest(plan_id) != plan.digest:
        raise PlanChanged(where="digest")
    Plan.objects.filter(agency_id=plan.agency_id, state=Plan.State.SIGNED).update(
        state=Plan.State.SUPERSEDED, active_to=plan.active_from
    )
    Plan.objects.filter(id=plan_id).update(
        state=Plan.State.SIGNED, agency_signed_by=actor.id, agency_signed_at=at
    )
    note(what="plan", ref=plan_id, side="agency", digest=digest)
    events.publish(PlanSigned(plan_id=plan_id, agency_id=plan.agency_id, signed_at=at))


@act("plans.finish_milestone", permission="plans.draft")
def finish_milestone(*, actor: Actor, milestone_id: UUID, at: datetime) -> None:
    """Record that a milestone was reached."""
    if not Milestone.objects.filter(id=milestone_id, done_at__isnull=True).update(
        done_at=at, done_by=actor.id
    ):
        raise NotFound(what=worded("open milestone"))
    note(what="milestone", ref=milestone_id)
