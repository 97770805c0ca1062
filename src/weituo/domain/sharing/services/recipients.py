"""An agency's public key: the only one that opens its packages."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

import pyrage

from weituo.domain.partners import queries as partners
from weituo.domain.sharing.errors import PrivateKeyShown, RecipientRefused
from weituo.domain.sharing.models import Recipient
from weituo.foundation import locks
from weituo.foundation.acts import act, note
from weituo.foundation.errors import NotFound
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded


def fingerprint(public_key: str) -> str:
    """Give the short name of a key by which two people compare it on the telephone."""
    return hashlib.sha256(public_key.encode()).hexdigest()[:16]


@act("sharing.register_recipient", permission="sharing.register_recipient")
def register_recipient(*, actor: Actor, agency_id: UUID, public_key: str, at: datetime) -> UUID:
    """Put an agency's public age key in force; the one before ends. Registering the key in force again changes nothing.

    Raises `PrivateKeyShown`, `RecipientRefused`, `NotFound`.
    """
    key = public_key.strip()
    if key.upper().startswith("AGE-SECRET-KEY"):
        raise PrivateKeyShown(where="public_key")
    try:
        pyrage.x25519.Recipient.from_str(key)
    except pyrage.RecipientError as wrong:
        raise RecipientRefused(problem=worded("not an age X25519 public key"), where="public_key") from wrong
    if not any(row.id == agency_id for row in partners.agencies(actor)):
        raise NotFound(what=worded("agency"), where=str(agency_id))
    locks.lock(keys=[f"sharing:{agency_id}"])
    standing = Recipient.objects.filter(agency_id=agency_id, active_to__isnull=True).first()
    if standing is not None and standing.public_key == key:
        note(
            what="recipient",
            ref=standing.id,
            agency=str(agency_id),
            fingerprint=fingerprint(key),
            repeated=True,
        )
        return standing.id
    Recipient.objects.filter(agency_id=agency_id, active_to__isnull=True).update(active_to=at)
    recipient = Recipient.objects.create(id=new_id(), agency_id=agency_id, public_key=key, active_from=at)
    note(
        what="recipient",
        ref=recipient.id,
        agency=str(agency_id),
        fingerprint=fingerprint(key),
        before=str(standing.id) if standing else "",
    )
    return recipient.id
