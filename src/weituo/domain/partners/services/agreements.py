"""Agreements, and the people an agency sends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.partners.errors import (
    AgreementEndedBefore,
    AgreementRefused,
    BadgeTaken,
    CollectorRefused,
)
from weituo.domain.partners.events import AgreementEnded
from weituo.domain.partners.models import Agreement, Collector
from weituo.domain.partners.services.screening import found
from weituo.foundation import days, events, locks
from weituo.foundation.acts import act, note
from weituo.foundation.errors import NotFound
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

#: fields of a borrower or an account that an agreement may name
FIELDS = (
    "name", "phone", "address", "email", "identity_number", "product", "balance", "components", "past_due_since", "repayment_history", "language", "region",
)  # fmt: skip
FEE_BPS_MAX = 5_000
#: the fee of every bucket that has none of its own
DEFAULT_FEE = "default"
BADGE: Final = re.compile(r"[\w-]{1,16}")
ALIAS_MAX: Final = 60


@act("partners.sign_agreement", permission="partners.agree")
def sign_agreement(
    *, actor: Actor, agency_id: UUID, kind: str, active_from: date, active_to: date | None, at: datetime, fields_allowed: Sequence[str] = (),
    fee_bps_by_bucket: Mapping[str, int] | None = None, accepts_in_advance: bool = True,
) -> UUID:  # fmt: skip
    """Put a new version of an agreement in force. Placements keep the fee that stood when they were made.

    accepts_in_advance (service agreements): placements begin with the lender's approval; without it the agency is offered
    each and accepts or declines it.
    Raises `AgreementRefused`: unknown kind or field, a fee beyond 50 %, no fee or field at all, dates that do not fit.
    """
    agency = found(agency_id)
    fees = dict(fee_bps_by_bucket or {})
    if kind not in Agreement.Kind.values:
        raise AgreementRefused(problem=worded("unknown kind %(name)s", name=kind), where="kind")
    if active_to is not None and active_to <= active_from:
        raise AgreementRefused(problem=worded("it ends before it begins"), where="active_to")
    if kind == Agreement.Kind.CONFIDENTIALITY and (
        not fields_allowed or not set(fields_allowed) <= set(FIELDS)
    ):
        raise AgreementRefused(
            problem=worded("name the fields that may be shared, from the known ones"), where="fields_allowed"
        )
    if kind == Agreement.Kind.SERVICE and (
        not fees or any(not 0 < value <= FEE_BPS_MAX for value in fees.values())
    ):
        raise AgreementRefused(
            problem=worded("fees lie between 1 and %(most)s basis points", most=FEE_BPS_MAX),
            where="fee_bps_by_bucket",
        )
    if unknown := sorted(set(fees) - {*BUCKETS, DEFAULT_FEE}):
        raise AgreementRefused(
            problem=worded("unknown bucket %(name)s", name=unknown[0]), where="fee_bps_by_bucket"
        )
    locks.lock(keys=[f"partners:agreements:{agency_id}"])
    version = 1 + Agreement.objects.filter(agency_id=agency_id, kind=kind).count()
    agreement = Agreement.objects.create(
        id=new_id(),
        agency=agency,
        kind=kind,
        version=version,
        fields_allowed=list(fields_allowed),
        fee_bps_by_bucket=fees,
        accepts_in_advance=accepts_in_advance or kind != Agreement.Kind.SERVICE,
        active_from=active_from,
        active_to=active_to,
    )
    note(
        what="agreement",
        ref=agreement.id,
        agency=str(agency_id),
        kind=kind,
        version=version,
        active_to=active_to,
        accepts_in_advance=agreement.accepts_in_advance,
    )
    return agreement.id


@act("partners.end_agreement", permission="partners.agree")
def end_agreement(*, actor: Actor, agreement_id: UUID, reason: str, at: datetime) -> None:
    """End an agreement today; nothing is shared under it from this moment. Raises `NotFound`, `AgreementEndedBefore`."""
    agreement = Agreement.objects.select_for_update().filter(id=agreement_id).first()
    if agreement is None:
        raise NotFound(what=worded("agreement"))
    if agreement.active_to is not None and agreement.active_to <= days.day_of(at):
        raise AgreementEndedBefore(on=agreement.active_to.isoformat())
    Agreement.objects.filter(id=agreement_id).update(active_to=days.day_of(at), ended_reason=reason)
    note(
        what="agreement",
        ref=agreement_id,
        reason=reason,
        agency=str(agreement.agency_id),
        kind=agreement.kind,
    )
    events.publish(AgreementEnded(agency_id=agreement.agency_id, kind=agreement.kind, ended_at=at))


@act("partners.register_collector", permission="partners.register")
def register_collector(
    *,
    actor: Actor,
    agency_id: UUID,
    badge: str,
    alias: str,
    registered_on: date,
    trained_until: date,
    at: datetime,
) -> UUID:
    """Register a collector under a public badge number that borrowers can check.

    Raises `AgencyNotFound`, `CollectorRefused`, `BadgeTaken`.
    """
    found(agency_id)
    if not BADGE.fullmatch(badge):
        raise CollectorRefused(
            problem=worded("a badge has 1 to 16 letters, digits or hyphens"), where="badge"
        )
    if not 1 <= len(alias.strip()) <= ALIAS_MAX:
        raise CollectorRefused(
            problem=worded("a name has 1 to %(most)s letters", most=ALIAS_MAX), where="alias"
        )
    locks.lock(keys=["partners:badges"])
    if Collector.objects.filter(badge=badge).exists():
        raise BadgeTaken(badge=badge, where="badge")
    collector = Collector.objects.create(
        id=new_id(),
        agency_id=agency_id,
        badge=badge,
        alias=alias,
        registered_on=registered_on,
        trained_until=trained_until,
    )
    note(what="collector", ref=collector.id, agency=str(agency_id), badge=badge, trained_until=trained_until)
    return collector.id
