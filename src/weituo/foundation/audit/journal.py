"""Writing and checking the audit chain."""

from __future__ import annotations

import hashlib
import json
import re
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from weituo.foundation import transactions
from weituo.foundation.errors import BadInput
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded

HEAD = re.compile(r"[0-9a-f]{16,64}")
request_id: ContextVar[str] = ContextVar("weituo_request_id", default="")

_APPEND = """
SELECT sec.audit_append(%s, %s, %s, e->>'what', e->>'ref', e->>'reason', e->'detail', %s)
FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS t(e, n) ORDER BY n
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One changed object: what it is, its reference, why, and figures."""

    what: str
    ref: str
    reason: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"what": self.what, "ref": self.ref, "reason": self.reason, "detail": self.detail}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Result of checking the chain; `altered_seq` names the first entry that does not fit, None when all fit."""

    entries: int
    altered_seq: int | None
    altered_act: str
    problem: str
    head: str


@transactions.transaction_required
def write(*, actor: Actor, at: datetime, act: str, entries: list[Entry]) -> None:
    """Append one entry an object (or one for the act itself) at the end of the present unit."""
    rows = entries or [Entry(what="act", ref=act)]
    body = json.dumps([entry.as_dict() for entry in rows], default=str, ensure_ascii=False)
    with transactions.connection().cursor() as cursor:
        cursor.execute(_APPEND, [at, actor.name, act, request_id.get(), body])


@transactions.reads
def verify(viewer: Actor, *, kept_head: str = "") -> Verdict:
    """Recompute every hash outside the database and name the first altered entry.

    `kept_head` is a head that an earlier check gave (hexadecimal, at least 16 digits) and that was kept where the database's
    operators cannot write: a chain that does not hold it was cut short or written anew.
    """
    viewer.require("audit.verify")
    kept_head = kept_head.strip().lower()
    if kept_head and not HEAD.fullmatch(kept_head):
        raise BadInput(problem=worded("a head has 16 to 64 hexadecimal digits"), where="head")
    previous, expected, count, met = b"", 1, 0, not kept_head
    connection = transactions.connection()
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT e.seq, e.act, sec.audit_text(e), e.previous_hash, e.hash FROM audit_entry e ORDER BY e.seq"
        )
        for seq, act, text, before, own in cursor:
            problem = ""
            if seq != expected:
                problem = worded("entry %(number)s is missing", number=expected)
            elif bytes(before) != previous:
                problem = worded("it does not follow the entry before it")
            elif hashlib.sha256(previous + text.encode()).digest() != bytes(own):
                problem = worded("its content does not fit its hash")
            if problem:
                return Verdict(
                    entries=count,
                    altered_seq=expected if seq != expected else seq,
                    altered_act=act,
                    problem=problem,
                    head=previous.hex(),
                )
            previous, expected, count = bytes(own), seq + 1, count + 1
            met = met or previous.hex().startswith(kept_head)
    if not met:
        return Verdict(
            entries=count,
            altered_seq=expected,
            altered_act="",
            problem=worded(
                "the head that was kept is not in the chain: entries were cut off, or the chain was written anew"
            ),
            head=previous.hex(),
        )
    return Verdict(entries=count, altered_seq=None, altered_act="", problem="", head=previous.hex())


@transactions.reads
def problem_of(viewer: Actor, *, seq: int) -> str:
    """Recompute one entry's hash outside the database and say what does not fit; empty when it stands as it was written."""
    viewer.require("audit.verify")
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT sec.audit_text(e), e.previous_hash, e.hash, (SELECT b.hash FROM audit_entry b WHERE b.seq = e.seq - 1) FROM audit_entry e WHERE e.seq = %s",
            [seq],
        )
        text, before, own, standing = cursor.fetchone()
    if seq > 1 and standing is None:
        return worded("entry %(number)s is missing", number=seq - 1)
    if bytes(before) != bytes(standing or b""):
        return worded("it does not follow the entry before it")
    if hashlib.sha256(bytes(before) + text.encode()).digest() != bytes(own):
        return worded("its content does not fit its hash")
    return ""


@transactions.reads
def entries(
    viewer: Actor,
    *,
    act: str = "",
    what: str = "",
    ref: str = "",
    person: str = "",
    seq: int | None = None,
    before_seq: int | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """List entries, newest first, filtered by act prefix, object, a part of the person's name, or number."""
    viewer.require("audit.read")
    clauses, values = ["true"], []  # type: tuple[list[str], list[Any]]
    for clause, value in (
        ("act LIKE %s", f"{act}%" if act else ""),
        ("what = %s", what),
        ("ref = %s", ref),
        ("strpos(lower(actor_name), lower(%s)) > 0", person),
        ("seq = %s", seq),
        ("seq < %s", before_seq),
    ):
        if value not in ("", None):
            clauses.append(clause)
            values.append(value)
    with transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT seq, at, actor_kind, actor_id, actor_name, act, what, ref, reason, detail, encode(hash, 'hex'), encode(previous_hash, 'hex'), request_id FROM audit_entry "  # noqa: S608 - clauses are the constants above
            f"WHERE {' AND '.join(clauses)} ORDER BY seq DESC LIMIT %s",
            [*values, limit],
        )
        names = [
            "seq",
            "at",
            "actor_kind",
            "actor_id",
            "actor_name",
            "act",
            "what",
            "ref",
            "reason",
            "detail",
            "hash",
            "previous_hash",
            "request_id",
        ]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        if isinstance(row["detail"], str):
            row["detail"] = json.loads(row["detail"])
    return rows
