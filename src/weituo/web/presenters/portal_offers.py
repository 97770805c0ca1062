"""Offers and recall notices as their agency reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from weituo.foundation.tenancy.actors import Actor
from weituo.web.presenters.answers import notice
from weituo.web.presenters.placement_words import DECLINES, OBJECTIONS
from weituo.web.presenters.regions import region_name
from weituo.web.templatetags.weituo import instant

PAGE: Final = 100


def offers(
    rows: Sequence[Mapping[str, Any]],
    *,
    counts: Mapping[str, Any],
    reasons: Sequence[str],
    after: str,
    actor: Actor,
) -> dict[str, Any]:
    """Give a page of offers with the form that answers them."""
    total = counts["offers"]
    if total:
        text = ngettext(
            "%(n)s offer waits for your answer, the first until %(until)s.",
            "%(n)s offers wait for your answer, the first until %(until)s.",
            total,
        ) % {"n": f"{total:,}", "until": instant(counts["answer_by"])}
        state = {"tone": "watch", "text": text, "next": []}
    else:
        state = {"tone": "good", "text": _("No offer waits for your answer."), "next": []}
    return {
        "state": state,
        "offers": [dict(row) | {"region_label": region_name(row["region"])} for row in rows[:PAGE]],
        "total": total,
        "after": after,
        "next_after": rows[PAGE - 1]["case_ref"] if len(rows) > PAGE else "",
        "reasons": [{"value": code, "label": DECLINES[code]} for code in reasons],
        "may_answer": actor.may("placement.answer"),
    }


def accepted(n: int, withdrawn: int) -> str:
    """Say what came of accepting."""
    text = ngettext("%(n)s case is yours.", "%(n)s cases are yours.", n) % {"n": f"{n:,}"}
    if not withdrawn:
        return text
    more = ngettext(
        "%(n)s offer was withdrawn: its account does not go out any more.",
        "%(n)s offers were withdrawn: their accounts do not go out any more.",
        withdrawn,
    ) % {"n": f"{withdrawn:,}"}
    return f"{text} {more}"


def objected(waiting: int, upheld: int) -> str:
    """Say what came of objecting."""
    parts = []
    if upheld:
        text = ngettext(
            "%(n)s objection is upheld by the lender's rule; the recall has moved.",
            "%(n)s objections are upheld by the lender's rule; the recalls have moved.",
            upheld,
        )
        parts.append(text % {"n": f"{upheld:,}"})
    if waiting:
        text = ngettext(
            "%(n)s objection waits for the lender's decision; until then the recall is not final.",
            "%(n)s objections wait for the lender's decision; until then the recalls are not final.",
            waiting,
        )
        parts.append(text % {"n": f"{waiting:,}"})
    return " ".join(parts)


def recalls(
    rows: Sequence[Mapping[str, Any]], *, codes: Sequence[str], at: datetime, everything: bool, actor: Actor
) -> dict[str, Any]:
    """Give the recall notices with the form that objects."""
    today = timezone.localtime(at).date()
    shown = [
        notice(row, today=today)
        | {
            "may_object": row["state"] == "OPEN"
            and row["final_on"] > today
            and row["objection_state"] != "OPEN"
        }
        for row in rows
    ]
    open_rows = [row for row in shown if row["state"] == "OPEN"]
    if open_rows:
        text = ngettext(
            "%(n)s case will be taken back; you may object before its day.",
            "%(n)s cases will be taken back; you may object before their days.",
            len(open_rows),
        ) % {"n": f"{len(open_rows):,}"}
        state = {"tone": "watch", "text": text, "next": []}
    else:
        state = {"tone": "good", "text": _("No recall is announced."), "next": []}
    return {
        "state": state,
        "notices": shown,
        "may_object": actor.may("placement.answer") and any(row["may_object"] for row in shown),
        "codes": [{"value": code, "label": OBJECTIONS[code]} for code in codes],
        "everything": everything,
    }
