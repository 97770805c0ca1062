"""Claiming a key, keeping its answer, giving it back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from weituo.foundation import transactions
from weituo.foundation.errors import BadInput, Conflict
from weituo.foundation.tenancy.actors import Actor

KEY_CHARACTERS_MAX = 80
#: a claim older than this belongs to a process that died: it may be taken over
CLAIM_SECONDS_MAX = 60


class KeyUsedOtherwise(Conflict):
    """This idempotency key was used before with another request."""

    code = "idempotency_key_reused"
    remedy = "Send a new key with every new request; repeat a key only with exactly the same body."


class StillWorking(Conflict):
    """The first request with this idempotency key is still being worked."""

    code = "idempotency_in_progress"
    remedy = "Repeat the request in a few seconds."


class KeyUnusable(BadInput):
    """An idempotency key has 1 to %(most)s visible ASCII characters."""

    code = "idempotency_key_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer given before."""

    status: int
    body: bytes
    content_type: str


def digest_of(*, method: str, path: str, body: bytes) -> str:
    """Compute what tells two requests apart: SHA-256 over method, path and body."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()


def claim(*, actor: Actor, key: str, request_digest: str) -> Kept | None:
    """Claim `key` for a new request (None), or give the kept answer of the same one.

    Raises `KeyUnusable`, `KeyUsedOtherwise`, `StillWorking`.
    """
    if not 0 < len(key) <= KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
        raise KeyUnusable(most=KEY_CHARACTERS_MAX, where="Idempotency-Key")
    with transactions.transaction(actor), transactions.connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO idempotency_answer AS a (agency_id, key, request_digest) VALUES (%s, %s, %s) "
            "ON CONFLICT (agency_id, key) DO UPDATE SET claimed_at = now() "
            "WHERE a.status IS NULL AND a.request_digest = excluded.request_digest AND a.claimed_at < now() - make_interval(secs => %s) "
            "RETURNING id",
            [actor.agency_id, key, request_digest, CLAIM_SECONDS_MAX],
        )
        if cursor.fetchone():
            return None
        cursor.execute(
            "SELECT request_digest, status, body, content_type FROM idempotency_answer WHERE agency_id = %s AND key = %s",
            [actor.agency_id, key],
        )
        standing, status, body, content_type = cursor.fetchone()
    if standing != request_digest:
        raise KeyUsedOtherwise(where="Idempotency-Key")
    if status is None:
        raise StillWorking(where="Idempotency-Key")
    return Kept(status=status, body=bytes(body), content_type=content_type)


def keep(*, actor: Actor, key: str, status: int, body: bytes, content_type: str) -> None:
    """Keep the answer of a claimed key."""
    with transactions.transaction(actor), transactions.connection().cursor() as cursor:
        cursor.execute(
            "UPDATE idempotency_answer SET status = %s, body = %s, content_type = %s WHERE agency_id = %s AND key = %s AND status IS NULL",
            [status, body, content_type, actor.agency_id, key],
        )


def release(*, actor: Actor, key: str) -> None:
    """Give a claim up after a fault, so that the request can be repeated at once."""
    with transactions.transaction(actor), transactions.connection().cursor() as cursor:
        cursor.execute(
            "DELETE FROM idempotency_answer WHERE agency_id = %s AND key = %s AND status IS NULL",
            [actor.agency_id, key],
        )
