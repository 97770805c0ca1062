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
from weituo.web.presenters import log_words
from weituo.web.presenters.naming import name_of

PAGE: Final = 50
EXPORT_MAX: Final = 10_000
#: longer details are ids and digests, which stand on the entry's own page
WORD_MAX: Final = 24
ID_LENGTH: Final = 36
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


def _shown(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    detail = row["detail"] if isinstance(row["detail"], dict) else {}
    figures = [_figure(key, detail, names) for key, value in detail.items() if _is_telling(key, value, names)]
    actor = log_words.actor(row["actor_name"])
    return dict(row) | {
        "actor": actor,
        "sentence": act_texts.sentence(row["act"], actor=actor),
        "figures": " · ".join(figures[:4]),
        "object": log_words.object_of(row["what"]),
        "ref_short": _reference(row["ref"], names),
        "reason": str(log_words.VALUES.get(row["reason"], row["reason"])),
    }


def _reference(ref: str, names: Mapping[str, str]) -> str:
    """Show a reference: an agency's name, the tail of an id, an instant on the wall; anything else as it is."""
    if len(ref) == ID_LENGTH:
        return names.get(ref, f"…{ref[-12:]}")
    return log_words.shown(ref)


def _figure(key: str, detail: Mapping[str, Any], names: Mapping[str, str]) -> str:
    shown = log_words.value(key, detail[key], detail=detail, names=names)
    return f"{log_words.label(key, detail)} {shown}"


def _is_telling(key: str, value: Any, names: Mapping[str, str]) -> bool:
    """Tell whether a detail says something in a line: figures, names and short words, not ids and digests."""
    if key == "currency":  # stands in the amounts
        return False
    return (
        value in names
        if isinstance(value, str) and len(value) == ID_LENGTH
        else isinstance(value, (int, float)) or (isinstance(value, str) and 0 < len(value) <= WORD_MAX)
    )


def names_of(agencies: Sequence[Any]) -> dict[str, str]:
    """Give the agencies' names by id, in the reader's language."""
    return {str(one.id): name_of({"name_zh": one.name_zh, "name_en": one.name_en}) for one in agencies}


def page(
    rows: Sequence[Mapping[str, Any]], *, asked: Asked, actor: Actor, names: Mapping[str, str]
) -> dict[str, Any]:
    """Give one page of the log, its filters, and what to do next; `names` are the agencies' names by id."""
    shown = [_shown(row, names) for row in rows[:PAGE]]
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
                "room": log_words.room(room),
                "options": [
                    {
                        "value": name,
                        "label": act_texts.sentence(name, actor="…"),
                        "chosen": name == asked.act,
                    }
                    for name in act_texts.SENTENCES
                    if name.startswith(f"{room}.")
                ],
            }
            for room in rooms
        ],
        "objects": sorted(
            (
                {"value": code, "label": str(label), "chosen": code == asked.what}
                for code, label in log_words.OBJECTS.items()
            ),
            key=lambda one: str(one["label"]),
        ),
        "asked": asked,
        "filtered": bool(asked.address),
        "older": older,
        "export": asked.address,
        "export_max": EXPORT_MAX,
    }


def one(row: Mapping[str, Any], *, names: Mapping[str, str], problem: str | None) -> dict[str, Any]:
    """Give one entry; `names` are the agencies' names by id, `problem` what does not fit (None: not for this reader to check)."""
    detail = row["detail"] if isinstance(row["detail"], dict) else {"": row["detail"]}
    return {
        "entry": _shown(row, names),
        "details": [
            {
                "key": log_words.label(key, detail),
                "value": log_words.value(key, value, detail=detail, names=names),
            }
            for key, value in detail.items()
        ],
        "first": row["seq"] == 1,
        "state": _proof(problem),
    }


def _proof(problem: str | None) -> dict[str, Any] | None:
    """Say whether the entry stands as it was written, recomputed just now."""
    if problem is None:
        return None
    steps = [{"label": _("Check the whole chain"), "url": reverse("log:verify")}]
    if problem:
        return {"tone": "bad", "text": _("This entry does not stand as it was written: %(problem)s.") % {"problem": problem}, "next": steps}  # fmt: skip
    return {"tone": "good", "text": _("Recomputed just now: its content fits its hash, and it follows the entry before it."), "next": steps}  # fmt: skip


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
