"""The queue: asking for a job, looking at jobs, and what a worker does to a job's row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import get_language

from weituo.foundation import transactions
from weituo.foundation.errors import ProgrammerError
from weituo.foundation.jobs import kinds
from weituo.foundation.jobs.errors import JobNotFound, JobUnknown
from weituo.foundation.jobs.models import Job
from weituo.foundation.tenancy.actors import Actor, program

WORKER = program("worker")
#: how often a job is begun before it is given up: a worker that dies each time would die for ever
ATTEMPTS_MAX = 3
#: how many open jobs a worker looks at in one go for one that nobody holds
OPEN_SEEN_MAX = 50

_ASK = """
INSERT INTO jobs_job (kind, arguments, digest, asked_by, asked_at, language) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (digest) WHERE state IN ('WAITING', 'RUNNING') DO NOTHING RETURNING id
"""
_OPEN = """
SELECT id FROM jobs_job WHERE state IN ('WAITING', 'RUNNING') ORDER BY asked_at, id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_BEGIN = """
UPDATE jobs_job SET state = 'RUNNING', attempts = attempts + 1, begun_at = coalesce(begun_at, %s), part = 0, parts = 0, words = ''
WHERE id = %s RETURNING id, kind, arguments, asked_by, language, attempts
"""
_FAIL = "UPDATE jobs_job SET state = 'FAILED', ended_at = %s, refusal = %s WHERE id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A job in a worker's hands."""

    id: UUID
    kind: kinds.Kind
    arguments: Mapping[str, Any]
    asked_by: str
    language: str
    attempts: int


def ask(*, actor: Actor, kind: str, arguments: Mapping[str, Any], at: datetime) -> UUID:
    """Ask for a job and give its id; the same asked twice while it is open is the same job. Raises `NotAllowed`.

    Not an act: what counts is written to the audit log by the act that the job does, as the person who asked.
    """
    actor.require(kinds.kind_of(kind).permission)
    body = json.dumps(dict(arguments), sort_keys=True)
    digest = hashlib.sha256(f"{kind}\n{body}\n{actor.id}".encode()).hexdigest()
    with transactions.transaction(actor), transactions.connection().cursor() as cursor:
        cursor.execute(_ASK, [kind, body, digest, actor.id, at, get_language() or "en"])
        made = cursor.fetchone()
        if made is None:
            cursor.execute(
                "SELECT id FROM jobs_job WHERE digest = %s ORDER BY asked_at DESC LIMIT 1", [digest]
            )
            made = cursor.fetchone()
    return UUID(str(made[0]))


@transactions.reads
def jobs(viewer: Actor, *, limit: int = 100) -> list[dict[str, Any]]:
    """List jobs, newest first."""
    return [dict(row) for row in Job.objects.order_by("-asked_at", "-id").values()[:limit]]


@transactions.reads
def job(viewer: Actor, *, job_id: UUID) -> dict[str, Any]:
    """Give one job. Raises `JobNotFound`."""
    found = Job.objects.filter(id=job_id).values().first()
    if found is None:
        raise JobNotFound(what="job", where=str(job_id))
    return dict(found)


# --- what a worker does ------------------------------------------------------------------------------------------------


def lock_number(job_id: UUID) -> int:
    """Give the advisory lock that a job's worker holds: the random half of its id."""
    return int.from_bytes(job_id.bytes[8:], "big", signed=True)


def take(*, at: datetime) -> Taken | None:
    """Take the oldest open job that no living worker holds, or None.

    The lock belongs to this process's session with the server: it ends when the job ends, or with the process.
    """
    with transactions.transaction(WORKER), transactions.connection().cursor() as cursor:
        cursor.execute(_OPEN, [OPEN_SEEN_MAX])
        for (job_id,) in cursor.fetchall():
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock_number(job_id)])
            if cursor.fetchone()[0]:
                cursor.execute(_BEGIN, [at, job_id])
                made, kind, arguments, asked_by, language, attempts = cursor.fetchone()
                body = json.loads(arguments) if isinstance(arguments, str) else arguments
                if (known := kinds.find(kind)) is not None:
                    return Taken(
                        id=made, kind=known, arguments=body, asked_by=asked_by, language=language, attempts=attempts
                    )  # fmt: skip
                # asked by another version: left as it is, this one would come back to it for ever
                told = json.dumps(JobUnknown(kind=kind).as_dict(), default=str)
                cursor.execute(_FAIL, [at, told, made])
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock_number(made)])
    return None


def end(
    taken: Taken, *, state: str, at: datetime, ref: str = "", refusal: Mapping[str, Any] | None = None
) -> None:
    """Write down how a job ended, and let go of it."""
    if state not in {Job.State.DONE, Job.State.REFUSED, Job.State.FAILED}:
        raise ProgrammerError(f"a job does not end as {state}")
    with transactions.transaction(WORKER):
        Job.objects.filter(id=taken.id, attempts=taken.attempts).update(
            state=state, ended_at=at, ref=ref, refusal=dict(refusal) if refusal else None
        )
        _let_go(taken)


def give_back(taken: Taken, *, counts: bool = False) -> None:
    """Let another worker do the job: this one is told to stop, or what the job needs is busy (which counts)."""
    with transactions.transaction(WORKER):
        Job.objects.filter(id=taken.id, attempts=taken.attempts).update(
            state=Job.State.WAITING, attempts=taken.attempts - (0 if counts else 1)
        )
        _let_go(taken)


def progressed(taken: Taken, *, part: int, parts: int, words: str) -> None:
    """Show how far the job has come."""
    with transactions.transaction(WORKER):
        Job.objects.filter(id=taken.id, attempts=taken.attempts, state=Job.State.RUNNING).update(
            part=part, parts=parts, words=words[:200]
        )


def done_before(taken: Taken) -> str | None:
    """Give what an earlier attempt made if its act had committed before its worker died: the audit log says so."""
    with transactions.reading(WORKER), transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT ref FROM audit_entry WHERE request_id = %s AND act = %s AND what = %s ORDER BY seq DESC LIMIT 1",
            [taken.id.hex, taken.kind.act, taken.kind.what],
        )
        found = cursor.fetchone()
    return None if found is None else str(found[0])


def _let_go(taken: Taken) -> None:
    with transactions.connection().cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [lock_number(taken.id)])
