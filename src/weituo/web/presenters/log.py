"""The audit log as people read it: sentences, figures, proofs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from weituo.domain import act_texts
from weituo.foundation.tenancy.actors import Actor

PAGE: Final = 50
EXPORT_MAX: Final = 10_000
#: longer details are ids and digests, which stand on the entry's own page
WORD_MAX: Final = 24
#: signs by which a spreadsheet takes a cell for a formula
RUNNABLE: Final = ("=", "+", "-", "@", "\t")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks for."""

    act: str
    what: str
    ref: str
    person: str
    before: int | None

    @property
    def filters(self) -> dict[str, Any]:
        """The filters that the log knows."""
        return {"act": self.act, "what": self.what, "ref": self.ref, "person": self.person}

    @property
    def address(self) -> str:
        """The filters as the tail of an address."""
        return urlencode({key: value for key, value in self.filters.items() if value})


def asked(query: Mapping[str, str]) -> Asked:
    """Read the address; what makes no sense is as if it were not there."""
    before = query.get("before", "")
    return Asked(
        act=query.get("act", "").strip(),
        what=query.get("what", "").strip(),
        ref=query.get("ref", "").strip(),
        person=query.get("person", "").strip(),
        before=int(before) if before.isascii() and before.isdigit() and len(before) <= 18 else None,
    )


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    detail = row["detail"] if isinstance(row["detail"], dict) else {}
    figures = [f"{key} {value}" for key, value in detail.items() if _is_telling(value)]
    return dict(row) | {
        "sentence": act_texts.sentence(row["act"], actor=row["actor_name"]),
        "figures": " · ".join(figures[:4]),
        "ref_short": row["ref"][-12:] if len(row["ref"]) > 14 else row["ref"],
    }


def _is_telling(value: Any) -> bool:
    """Tell whether a detail says something in a line: figures and short words, not ids and digests."""
    return isinstance(value, (int, float)) or (isinstance(value, str) and 0 < len(value) <= WORD_MAX)


def page(rows: Sequence[Mapping[str, Any]], *, asked: Asked, actor: Actor) -> dict[str, Any]:
    """Give one page of the log, its filters, and what to do next."""
    shown = [_shown(row) for row in rows[:PAGE]]
    more = len(rows) > PAGE
    rooms = sorted({name.split(".")[0] for name in act_texts.SENTENCES})
    older = (
        urlencode({**{k: v for k, v in asked.filters.items() if v}, "before": shown[-1]["seq"]})
        if more
        else ""
    )
    steps = (
        [{"label": _("Verify the chain now"), "url": reverse("log:verify")}]
        if actor.may("audit.verify")
        else []
    )
    latest = shown[0] if shown else None
    text = (
        _("The latest entry is number %(seq)s. Every entry holds the hash of the one before it.")
        % {"seq": latest["seq"]}
        if latest
        else _("No act fits this filter.")
    )
    return {
        "state": {"tone": "none", "text": text, "next": steps},
        "entries": shown,
        "acts": [
            {
                "room": room,
                "options": [
                    {"value": name, "chosen": name == asked.act}
                    for name in act_texts.SENTENCES
                    if name.startswith(f"{room}.")
                ],
            }
            for room in rooms
        ],
        "asked": asked,
        "filtered": bool(asked.address),
        "older": older,
        "export": asked.address,
        "export_max": EXPORT_MAX,
    }


def one(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give one entry."""
    detail = row["detail"] if isinstance(row["detail"], dict) else {"": row["detail"]}
    return {
        "entry": _shown(row),
        "details": [
            {"key": key, "value": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}
            for key, value in detail.items()
        ],
        "first": row["seq"] == 1,
    }


def verdict(found: Mapping[str, Any]) -> dict[str, Any]:
    """Give the verdict on the chain."""
    if found["altered_seq"] is None:
        text = ngettext(
            "%(n)s entry was recomputed. Nothing was altered and nothing is missing.",
            "%(n)s entries were recomputed. Nothing was altered and nothing is missing.",
            found["entries"],
        ) % {"n": found["entries"]}
        return {"state": {"tone": "good", "text": text, "next": []}, "verdict": found, "whole": True}
    text = _(
        "Entry %(seq)s does not fit the chain: %(problem)s. The %(n)s entries before it are sound. Keep the database as it is and call the compliance officer."
    ) % {
        "seq": found["altered_seq"],
        "problem": found["problem"],
        "n": found["entries"],
    }
    steps = [{"label": _("Show the entry"), "url": reverse("log:entry", args=[found["altered_seq"]])}]
    return {"state": {"tone": "bad", "text": text, "next": steps}, "verdict": found, "whole": False}


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write entries as CSV that spreadsheets read as text, with a byte order mark."""
    out = io.StringIO()
    out.write("\ufeff")
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
    ]
    writer = csv.writer(out)
    writer.writerow(names)
    for row in rows:
        values = dict(row) | {
            "at": row["at"].isoformat(),
            "detail": json.dumps(row["detail"], ensure_ascii=False),
        }
        writer.writerow([_plain(values[name]) for name in names])
    return out.getvalue()


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(RUNNABLE) else value
