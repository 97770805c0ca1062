"""Claiming a key, keeping its answer, giving it back; forgetting it when its time is over.

A claim is held by an advisory lock of the claiming session: while the first request still runs nobody takes its key over,
however long that takes; when its process dies, the lock goes with the connection and the repeat is worked at once.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from weituo.foundation import transactions
from weituo.foundation.errors import BadInput, Conflict
from weituo.foundation.tenancy.actors import Actor, program

KEY_CHARACTERS_MAX = 80
#: an answer is given again for so long; then its key is forgotten
KEPT_DAYS = 30
#: keys claimed by this process: a session may take its own lock twice, so its lock alone does not tell its requests apart
_claimed: set[int] = set()
_gate = threading.Lock()


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
    number = _number(actor, key)
    with _gate:
        free = number not in _claimed
        _claimed.add(number)
    mine, row = False, None
    try:
        mine, row = _claim(actor, key, request_digest, number=number if free else None)
    finally:
        if free and not mine:
            _claimed.discard(number)
    if mine:
        return None
    if row is None:
        raise StillWorking(where="Idempotency-Key")
    standing, status, body, content_type = row
    if standing != request_digest:
        raise KeyUsedOtherwise(where="Idempotency-Key")
    if status is None:
        raise StillWorking(where="Idempotency-Key")
    return Kept(status=status, body=bytes(body), content_type=content_type)


def _claim(
    actor: Actor, key: str, request_digest: str, *, number: int | None
) -> tuple[bool, tuple[Any, ...] | None]:
    """Tell whether the key is claimed for this request; else give the row that stands, if it can be seen yet.

    `number` is the session's lock to take; None when another request of this process holds it.
    """
    with transactions.transaction(actor), transactions.connection().cursor() as cursor:
        locked = False
        if number is not None:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
            [locked] = cursor.fetchone()
        if locked:
            cursor.execute(
                "INSERT INTO idempotency_answer AS a (agency_id, key, request_digest) VALUES (%s, %s, %s) "
                "ON CONFLICT (agency_id, key) DO UPDATE SET claimed_at = now() "
                "WHERE a.status IS NULL AND a.request_digest = excluded.request_digest RETURNING id",
                [actor.agency_id, key, request_digest],
            )
            if cursor.fetchone():
                return True, None
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
        cursor.execute(
            "SELECT request_digest, status, body, content_type FROM idempotency_answer WHERE agency_id = %s AND key = %s",
            [actor.agency_id, key],
        )
        return False, cursor.fetchone()


def _number(actor: Actor, key: str) -> int:
    """Give the advisory lock of an agency's key."""
    named = f"idempotency\n{actor.agency_id}\n{key}".encode()
    return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "big", signed=True)


def _end(actor: Actor, key: str) -> None:
    """Let go of a claimed key, once its answer or its absence is committed: whoever waits then sees it."""
    number = _number(actor, key)
    try:
        with transactions.reading(actor), transactions.connection().cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
    finally:
        _claimed.discard(number)


def keep(*, actor: Actor, key: str, status: int, body: bytes, content_type: str) -> None:
    """Keep the answer of a claimed key."""
    try:
        with transactions.transaction(actor), transactions.connection().cursor() as cursor:
            cursor.execute(
                "UPDATE idempotency_answer SET status = %s, body = %s, content_type = %s WHERE agency_id = %s AND key = %s AND status IS NULL",
                [status, body, content_type, actor.agency_id, key],
            )
    finally:
        _end(actor, key)


def release(*, actor: Actor, key: str) -> None:
    """Give a claim up after a fault, so that the request can be repeated at once."""
    try:
        with transactions.transaction(actor), transactions.connection().cursor() as cursor:
            cursor.execute(
                "DELETE FROM idempotency_answer WHERE agency_id = %s AND key = %s AND status IS NULL",
                [actor.agency_id, key],
            )
    finally:
        _end(actor, key)


def sweep(*, at: datetime) -> int:
    """Forget the keys and answers whose time is over, and give how many."""
    with transactions.transaction(program("keys")), transactions.connection().cursor() as cursor:
        cursor.execute(
            "DELETE FROM idempotency_answer WHERE claimed_at < %s", [at - timedelta(days=KEPT_DAYS)]
        )
        return int(cursor.rowcount)
