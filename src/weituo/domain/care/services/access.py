"""How a borrower proves who they are: the code in the lender's letter and the end of their identity number."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from weituo.domain.book import queries as book
from weituo.domain.care.errors import CodeRefused, CodeResting
from weituo.domain.care.models import AccessCode
from weituo.foundation.acts import act, note
from weituo.foundation.ids import new_id
from weituo.foundation.tenancy.actors import Actor, program
from weituo.foundation.vault import store

#: no letters that are read as digits
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_CHARACTERS = 12
WRONG_ANSWERS_MAX = 5
REST = timedelta(hours=1)
LIFE = timedelta(days=180)


def _digest(code: str) -> bytes:
    plain = "".join(character for character in code.upper() if character.isalnum())
    return hmac.digest(store.keys().secret("access-code"), plain.encode(), "sha256")


@act("care.issue_code", permission="care.issue_code")
def issue_code(*, actor: Actor, borrower_id: UUID, at: datetime) -> str:
    """Make the code for a borrower's letter and return it this once: three groups of four characters."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS))
    AccessCode.objects.create(
        id=new_id(), borrower_id=borrower_id, digest=_digest(code), issued_at=at, expires_at=at + LIFE
    )
    note(what="borrower", ref=borrower_id)
    return "-".join(code[start : start + 4] for start in range(0, CODE_CHARACTERS, 4))


def sign_in_borrower(*, code: str, last_four: str, at: datetime) -> UUID:
    """Give the borrower whose letter carries `code` and whose identity number ends in `last_four`.

    Raises `CodeRefused` (the same for an unknown code and a wrong answer) and `CodeResting` after five wrong answers.
    """
    borrower_id = _try(actor=program("borrower sign-in"), code=code, last_four=last_four, at=at)
    if borrower_id is None:
        raise CodeRefused(permission="borrower")
    return borrower_id


@act("care.sign_in", permission="care.sign_in")
def _try(*, actor: Actor, code: str, last_four: str, at: datetime) -> UUID | None:
    """Count the answer in any case: the refusal is raised by the caller, after commit."""
    access = AccessCode.objects.select_for_update().filter(digest=_digest(code), expires_at__gt=at).first()
    if access is None:
        note(what="access_code", ref="unknown")
        return None
    if access.locked_until is not None and access.locked_until > at:
        raise CodeResting(permission="borrower")
    subject = book.subject_ids(actor, borrower_ids=[access.borrower_id])[access.borrower_id]
    known = (
        store.read(actor, subject_ids=[subject], fields=["identity_number"])
        .get(subject, {})
        .get("identity_number", [""])[0]
    )
    right = bool(known) and hmac.compare_digest(
        known[-4:].upper().encode(), last_four.strip().upper().encode()
    )
    wrong = 0 if right else access.wrong_answers + 1
    rest = at + REST if wrong >= WRONG_ANSWERS_MAX else None
    AccessCode.objects.filter(id=access.id).update(wrong_answers=0 if rest else wrong, locked_until=rest)
    note(what="access_code", ref=access.id, right=right)
    return access.borrower_id if right else None
