"""Screening: an agency is registered, shows papers, and is scored on them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from weituo.domain.partners import scoring
from weituo.domain.partners.errors import (
    AgencyExists,
    AgencyNotFound,
    AssessmentRefused,
    PaperRefused,
    WrongState,
)
from weituo.domain.partners.models import Agency, Assessment, Membership, Paper
from weituo.foundation import days
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput, NotFound
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

CODE = re.compile(r"[A-Z0-9-]{1,12}")


def found(agency_id: UUID) -> Agency:
    """Give the agency, locked against a second change, or raise `AgencyNotFound`."""
    agency = Agency.objects.select_for_update(no_key=True).filter(id=agency_id).first()
    if agency is None:
        raise AgencyNotFound(what=str(agency_id))
    return agency


@act("partners.register_agency", permission="partners.register")
def register_agency(
    *,
    actor: Actor,
    code: str,
    name_zh: str,
    name_en: str,
    at: datetime,
    regions: Sequence[str] = (),
    public_phone: str = "",
    group: str = "",
) -> UUID:
    """Enter an agency as a prospect. `regions`: province codes, empty for the whole country. `group`: owners
    that it shares with its sisters, from today on.

    Raises `AgencyExists`, `BadInput` for a code that is not 1 to 12 capital letters, digits and dashes.
    """
    if not CODE.fullmatch(code):
        raise BadInput(problem=worded("a code has 1 to 12 capital letters, digits and dashes"), where="code")
    if Agency.objects.filter(code=code).exists():
        raise AgencyExists(agency=code, where="code")
    agency = Agency.objects.create(
        id=new_id(),
        code=code,
        name_zh=name_zh,
        name_en=name_en,
        regions=sorted(regions),
        public_phone=public_phone,
        state_since=at,
    )
    if group.strip():
        Membership.objects.create(
            id=new_id(), agency=agency, group=group.strip(), reason=worded("stated at registration"), active_from=days.day_of(at),
            entered_by=actor.id, entered_by_name=actor.name, entered_at=at,
        )  # fmt: skip
    note(what="agency", ref=agency.id, code=code, group=group.strip())
    return agency.id


@act("partners.add_paper", permission="partners.register")
def add_paper(
    *, actor: Actor, agency_id: UUID, kind: str, number: str, issuer: str, valid_from: date, valid_to: date | None, digest: str, at: datetime,
    facts: Mapping[str, Any] | None = None,
) -> UUID:  # fmt: skip
    """Put a paper on file; it counts once a person has verified it."""
    found(agency_id)
    if kind not in Paper.Kind.values:
        raise PaperRefused(problem=worded("unknown kind %(name)s", name=kind), where="kind")
    if valid_to is not None and valid_to <= valid_from:
        raise PaperRefused(problem=worded("it ends before it begins"), where="valid_to")
    paper = Paper.objects.create(
        id=new_id(),
        agency_id=agency_id,
        kind=kind,
        number=number,
        issuer=issuer,
        valid_from=valid_from,
        valid_to=valid_to,
        digest=digest,
        facts=dict(facts or {}),
    )
    note(what="paper", ref=paper.id, agency=str(agency_id), kind=kind, valid_to=valid_to)
    return paper.id


@act("partners.verify_paper", permission="partners.verify_paper")
def verify_paper(*, actor: Actor, paper_id: UUID, at: datetime) -> None:
    """Confirm that a paper was seen and is genuine."""
    paper = Paper.objects.select_for_update().filter(id=paper_id).first()
    if paper is None:
        raise NotFound(what=worded("paper"))
    Paper.objects.filter(id=paper_id).update(verified_by=actor.id, verified_at=at)
    note(what="paper", ref=paper_id, agency=str(paper.agency_id), kind=paper.kind)


@act("partners.assess", permission="partners.assess")
def assess(
    *,
    actor: Actor,
    agency_id: UUID,
    scores: Mapping[str, int],
    evidence: Mapping[str, Sequence[UUID]],
    at: datetime,
) -> UUID:
    """Score an agency by criterion (0–100), each resting on papers of this agency that were verified.

    Raises `AssessmentRefused`, `WrongState` for an agency that was ended or rejected.
    """
    agency = found(agency_id)
    if agency.state in {Agency.State.ENDED, Agency.State.REJECTED}:
        raise WrongState(agency=agency.code, state=agency.get_state_display())
    if set(scores) != set(scoring.WEIGHTS):
        raise AssessmentRefused(
            problem=worded("the criteria are %(names)s", names=", ".join(scoring.WEIGHTS)), where="scores"
        )
    try:
        score = scoring.weighted(scores=scores)
    except ValueError as wrong:
        raise AssessmentRefused(problem=worded("a score lies between 0 and 100"), where="scores") from wrong
    verified = set(
        Paper.objects.filter(agency_id=agency_id, verified_at__isnull=False).values_list("id", flat=True)
    )
    for criterion in scores:
        papers = set(evidence.get(criterion, ()))
        if not papers or not papers <= verified:
            raise AssessmentRefused(
                problem=worded("%(criterion)s rests on no verified paper", criterion=criterion),
                where=f"evidence.{criterion}",
            )
    criteria = {
        name: {
            "score": part[0],
            "weight_bps": part[1],
            "points_bps": part[2],
            "evidence": [str(paper) for paper in evidence[name]],
        }
        for name, part in score.parts.items()
    }
    assessment = Assessment.objects.create(
        id=new_id(),
        agency_id=agency_id,
        criteria=criteria,
        total_bps=score.total_bps,
        assessed_by=actor.id,
        assessed_at=at,
    )
    if agency.state == Agency.State.PROSPECT:
        Agency.objects.filter(id=agency_id).update(state=Agency.State.SCREENED, state_since=at)
    note(what="assessment", ref=assessment.id, agency=str(agency_id), total_bps=score.total_bps)
    return assessment.id
