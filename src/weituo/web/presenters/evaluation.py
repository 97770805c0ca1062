"""Evaluation as people read it: who is better, who cannot be told apart, on how many cases, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.foundation.tenancy.actors import Actor
from weituo.web import posted
from weituo.web.presenters.naming import name_of
from weituo.web.templatetags.weituo import day as day_text

VERDICTS = {
    "BETTER": (gettext_lazy("better than its peers"), "good"),
    "WORSE": (gettext_lazy("worse than its peers"), "bad"),
    "CANNOT_BE_TOLD_APART": (gettext_lazy("cannot be told apart"), "none"),
    "TOO_EARLY": (gettext_lazy("too early to say"), "none"),
}
DECISIONS = {
    "TIER": gettext_lazy("change the tier"),
    "CAPACITY": gettext_lazy("change the capacity"),
    "IMPROVE": gettext_lazy("agree an improvement plan"),
    "RENEW": gettext_lazy("renew the contract"),
    "EXIT": gettext_lazy("end the cooperation"),
}
PERIOD_DAYS = 182


def finding(cards: Sequence[Mapping[str, Any]]) -> str:
    """Say what a comparison found, in one sentence that claims no more than the verdicts."""
    by_verdict = {code: [name_of(card) for card in cards if card["verdict"] == code] for code in VERDICTS}
    better, worse = by_verdict["BETTER"], by_verdict["WORSE"]
    comma = _(", ")
    if not cards or len(by_verdict["TOO_EARLY"]) == len(cards):
        return _("Too early to say how the agencies compare")
    if better and worse:
        return _("%(better)s: better than their peers; %(worse)s: worse") % {"better": comma.join(better), "worse": comma.join(worse)}  # fmt: skip
    if better:
        return ngettext("%(names)s is better than its peers", "%(names)s are better than their peers", len(better)) % {"names": comma.join(better)}  # fmt: skip
    if worse:
        return ngettext("%(names)s is worse than its peers", "%(names)s are worse than their peers", len(worse)) % {"names": comma.join(worse)}  # fmt: skip
    return _("The agencies cannot be told apart")


def league_chart(cards: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Draw each agency's fair net recovery with its interval; those too early to judge are named, not drawn."""
    judged = [card for card in cards if card["verdict"] != "TOO_EARLY"]
    early = [card for card in cards if card["verdict"] == "TOO_EARLY"]
    if not judged:
        return None
    note = " · ".join(f"{name_of(card)} (n = {card['figures']['placements']})" for card in judged)
    if early:
        names = _(", ").join(f"{name_of(card)} (n = {card['figures']['placements']})" for card in early)
        note += " · " + _("too early to say: %(names)s") % {"names": names}
    fair = [card["figures"]["fair_net"] for card in judged]
    return {
        "id": "league",
        "kind": "scatter",
        "title": finding(cards),
        "subtitle": _("Net recovery as a share of what was placed, had every agency worked the same cases; 95%% interval") % {},
        "note": note,
        "x": {"name": _("Agency"), "values": [name_of(card) for card in judged]},
        "y": {"name": _("Fair net recovery"), "format": "percent"},
        "series": [
            {
                "name": _("Fair net recovery"),
                "values": [one["value"] for one in fair],
                "low": [one["low"] for one in fair],
                "high": [one["high"] for one in fair],
                "style": "solid",
            }
        ],
    }  # fmt: skip


def card_row(card: Mapping[str, Any]) -> dict[str, Any]:
    """Give one scorecard as a row of the league."""
    label, tone = VERDICTS.get(card["verdict"], (card["verdict"], "none"))
    early = card["verdict"] == "TOO_EARLY"
    rank = (
        str(card["rank_low"])
        if card["rank_low"] == card["rank_high"]
        else f"{card['rank_low']}–{card['rank_high']}"
    )
    return dict(card) | {
        "agency": name_of(card),
        "verdict_label": label,
        "tone": tone,
        "early": early,
        "rank": "–" if early else rank,
    }  # fmt: skip


def index(
    *,
    evaluations: Sequence[Mapping[str, Any]],
    chosen: Mapping[str, Any] | None,
    decisions: Sequence[Mapping[str, Any]],
    form: Mapping[str, date],
    actor: Actor,
) -> dict[str, Any]:
    """Give the first page: the chosen evaluation's league, the others, the decisions, and the form for a new one."""
    # those that can be judged first, by rank; the rest after them
    cards = sorted(chosen["scorecards"], key=lambda card: card["verdict"] == "TOO_EARLY") if chosen else []
    decided = {row["scorecard_id"] for row in decisions}
    waiting = [card for card in cards if card["verdict"] in {"BETTER", "WORSE"} and card["id"] not in decided]
    return {
        "state": _state(chosen, waiting=waiting),
        "chosen": None if chosen is None else dict(chosen) | {"last_day": _last(chosen)},
        "league": [card_row(card) | {"decided": card["id"] in decided} for card in cards],
        "chart": league_chart(cards),
        "rules": chosen["parameters"]["rules"] if chosen else {},
        "evaluations": [dict(row) | {"last_day": _last(row), "here": chosen is not None and row["id"] == chosen["id"]} for row in evaluations],
        "decisions": [decision(row) for row in decisions],
        "form": form,
        "may_evaluate": actor.may("evaluation.evaluate"),
    }  # fmt: skip


def _last(row: Mapping[str, Any]) -> date:
    return row["period_to"] - timedelta(days=1)  # type: ignore[no-any-return]


def _state(chosen: Mapping[str, Any] | None, *, waiting: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    case = {"label": _("Business case"), "url": reverse("business_case:index")}
    if chosen is None:
        return {"tone": "none", "text": _("No evaluation was run yet. Choose a period below."), "next": [case]}  # fmt: skip
    links = [
        {
            "label": _("Decide on %(agency)s") % {"agency": name_of(card)},
            "url": reverse("evaluation:scorecard", args=[card["id"]]) + "#decide",
        }
        for card in waiting[:3]
    ]
    tone = "watch" if waiting else "good"
    return {"tone": tone, "text": finding(chosen["scorecards"]) + _("."), "next": [*links, case]}


def decision(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give one decision: what was decided, what it changed, on which verdict."""
    label, tone = VERDICTS.get(row["verdict"], (row["verdict"], "none"))
    return dict(row) | {
        "agency": name_of(row),
        "decision_label": DECISIONS.get(row["decision"], row["decision"]),
        "verdict_label": label,
        "tone": tone,
        "change": _change(row["decision"], row["detail"]),
        "last_day": _last(row),
    }


def _change(code: str, detail: Mapping[str, Any]) -> str:
    if code == "TIER":
        return _("tier %(before)s → %(after)s") % {"before": detail.get("tier_before") or "–", "after": detail.get("tier")}  # fmt: skip
    if code in {"CAPACITY", "EXIT"}:
        return _("capacity %(before)s → %(after)s accounts") % {"before": detail.get("capacity_before"), "after": detail.get("capacity")}  # fmt: skip
    return ""


def what_would_change(card: Mapping[str, Any]) -> list[str]:
    """Say what would change a verdict: what is missing for one, or how far it is from turning.

    The placements needed follow the square-root law of standard errors: n × (half width / difference)².
    """
    figures, rules = card["figures"], card["parameters"]["rules"]
    if card["verdict"] == "TOO_EARLY":
        lacks = [
            (figures["placements"], rules["placements_min"], _("%(have)s placements, %(need)s are needed")),
            (figures["effective_placements"], rules["effective_min"], _("%(have)s effective placements, %(need)s are needed")),
            (figures["months"] or 0.0, rules["months_min"], _("%(have)s months since placement, %(need)s are needed")),
        ]  # fmt: skip
        return [
            text % {"have": f"{have:.4g}", "need": f"{need:.4g}"} for have, need, text in lacks if have < need
        ]
    gap = figures["against_peers"]
    if gap["value"] is None:
        return [_("There is no other agency to compare with.")]
    half = (gap["high"] - gap["low"]) / 2
    if card["verdict"] == "CANNOT_BE_TOLD_APART":
        said = [_("A difference of %(points)s percentage points would have been seen.") % {"points": f"{100 * half:.1f}"}]  # fmt: skip
        if abs(gap["value"]) > half / 100:
            need = round(gap["n"] * (half / abs(gap["value"])) ** 2)
            said.append(
                _("If the present difference of %(points)s points is real, about %(need)s placements would show it; there are %(have)s.")
                % {"points": f"{100 * gap['value']:+.1f}", "need": f"{need:,}", "have": f"{gap['n']:,}"}
            )  # fmt: skip
        return said
    margin = gap["low"] if card["verdict"] == "BETTER" else -gap["high"]
    return [_("The verdict would fall if the difference shrank by %(points)s percentage points.") % {"points": f"{100 * margin:.1f}"}]  # fmt: skip


def scorecard(
    card: Mapping[str, Any], *, actor: Actor, typed: Mapping[str, str], tiers: Sequence[int]
) -> dict[str, Any]:
    """Give one agency's scorecard, printable, with the form to decide on it."""
    figures = card["figures"]
    prices = card["parameters"]["harm_minor"]
    row = card_row(card)
    text = _("%(agency)s: %(verdict)s, on %(n)s placements from %(from)s to %(to)s") % {
        "agency": row["agency"], "verdict": row["verdict_label"], "n": f"{figures['placements']:,}",
        "from": day_text(card["period_from"]), "to": day_text(_last(card)),
    }  # fmt: skip
    return {
        "state": {
            "tone": {"BETTER": "good", "WORSE": "bad"}.get(card["verdict"], "none"),
            "text": text + _("."),
            "next": [{"label": _("League"), "url": reverse("evaluation:evaluation", args=[card["evaluation_id"]])}],
        },
        "card": row | {"last_day": _last(card)},
        "figures": figures,
        "currency": figures["currency"],
        "prices": [
            {"label": _("a complaint"), "minor": prices["complaint"], "n": figures["complaints"]},
            {"label": _("a complaint upheld, in addition"), "minor": prices["complaint_upheld"], "n": figures["complaints_upheld"]},
            {"label": _("a violation of conduct rules"), "minor": prices["violation"], "n": figures["violations"]},
        ],
        "would_change": what_would_change(card),
        "decisions": [decision(one) for one in card["decisions"]],
        "choices": [{"value": code, "label": label, "chosen": typed.get("decision") == code} for code, label in DECISIONS.items() if code != "EXIT"],
        "tiers": [{"value": tier, "chosen": typed.get("tier", str(card["tier"] or "")) == str(tier)} for tier in tiers],
        "typed": typed,
        "exit_text": ngettext(
            "%(agency)s takes no further account: its capacity goes from %(n)s account to 0.", "%(agency)s takes no further account: its capacity goes from %(n)s accounts to 0.",
            card["capacity_accounts_max"] or 0,
        ) % {"agency": row["agency"], "n": card["capacity_accounts_max"]},
        "may_decide": actor.may("evaluation.decide"),
    }  # fmt: skip


def period_form(query: Mapping[str, str], *, today: date) -> dict[str, date]:
    """Read the period of a new evaluation; by default the half-year before today (period_to is its first day after)."""
    found = {"period_from": today - timedelta(days=PERIOD_DAYS), "period_to": today}
    for name in found:
        try:
            found[name] = posted.day_within_reach(query.get(name, ""))
        except ValueError:
            continue
    return found
