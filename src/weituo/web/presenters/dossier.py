"""One agency's dossier: papers, score with its derivation, agreements, people, capacity, and what may be done now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from weituo.foundation.tenancy.actors import Actor
from weituo.web.names import listed
from weituo.web.presenters import partners as words
from weituo.web.presenters.regions import region_name
from weituo.web.templatetags.weituo import day as day_text

FIELDS = {
    "name": gettext_lazy("name"),
    "phone": gettext_lazy("telephone"),
    "address": gettext_lazy("address"),
    "email": gettext_lazy("e-mail"),
    "identity_number": gettext_lazy("identity number"),
    "product": gettext_lazy("product"),
    "balance": gettext_lazy("balance"),
    "components": gettext_lazy("principal, interest and fees apart"),
    "past_due_since": gettext_lazy("past due since"),
    "repayment_history": gettext_lazy("repayment history"),
    "language": gettext_lazy("language"),
    "region": gettext_lazy("region"),
}
#: what a purpose-bound package seldom needs: the form says so
SENSITIVE = frozenset({"identity_number", "address", "email"})
AGREEMENTS = {
    "CONFIDENTIALITY": gettext_lazy("Confidentiality agreement"),
    "SERVICE": gettext_lazy("Service agreement"),
}
CHANGES = {"APPROVE": gettext_lazy("approval"), "SUSPEND": gettext_lazy("suspension")}
#: figures of a paper in the reader's words: key → (label, shape)
FACTS = {
    "period": (gettext_lazy("period"), "plain"),
    "bucket": (gettext_lazy("bucket"), "plain"),
    "liquidation": (gettext_lazy("recovered of placed"), "share"),
    "promises_kept": (gettext_lazy("promises kept"), "share"),
    "accounts": (gettext_lazy("accounts"), "count"),
    "complaints_per_1000": (gettext_lazy("complaints per 1,000 accounts"), "plain"),
    "client_zh": (gettext_lazy("client"), "zh"),
    "client_en": (gettext_lazy("client"), "en"),
    "client": (gettext_lazy("client"), "plain"),
    "rating": (gettext_lazy("rating (1–5)"), "plain"),
    "months": (gettext_lazy("months together"), "count"),
    "adverse_record": (gettext_lazy("record of unlawful collection"), "yes"),
    "title_zh": (gettext_lazy("Paper"), "zh"),
    "title_en": (gettext_lazy("Paper"), "en"),
}
EVIDENCE = frozenset({"PERFORMANCE", "REFERENCE"})


def _facts(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Show a paper's figures; what this house does not know keeps its own key."""
    zh = (get_language() or "").startswith("zh")
    shown = []
    for key in sorted(facts, key=lambda name: list(FACTS).index(name) if name in FACTS else len(FACTS)):
        value = facts[key]
        label, shape = FACTS.get(key, (key.replace("_", " "), "plain"))
        if shape in {"zh", "en"} and (shape == "zh") != zh:
            continue
        if shape == "yes":
            text = _("yes") if value else _("no")
        elif shape == "share" and isinstance(value, int | float):
            text = f"{100 * value:.1f}%"
        elif shape == "count" and isinstance(value, int):
            text = f"{value:,}"
        else:
            text = str(value)
        shown.append({"label": label, "value": text, "bad": shape == "yes" and bool(value)})
    return shown


def _paper(row: Mapping[str, Any], today: date) -> dict[str, Any]:
    live = row["verified_at"] is not None and row["valid_from"] <= today and (row["valid_to"] is None or row["valid_to"] > today)  # fmt: skip
    return {
        "id": row["id"],
        "kind": row["kind"],
        "label": words.PAPERS.get(row["kind"], row["kind"]),
        "number": row["number"],
        "issuer": row["issuer"],
        "valid_from": row["valid_from"],
        "valid_to": row["valid_to"],
        "expiry": words.expiry(row["valid_to"], today),
        "verified": row["verified_at"] is not None,
        "verified_at": row["verified_at"],
        "digest": row["digest"],
        "live": live,
        "facts": _facts(row["facts"] or {}),
    }


def _expired(papers: Sequence[Mapping[str, Any]], today: date) -> list[str]:
    """Name the papers that have run out and were not followed by a later one of the same kind and issuer, or the same number."""

    def follows(later: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
        same = later["issuer"] == one["issuer"] or later["number"] == one["number"]
        return later["kind"] == one["kind"] and same and later["valid_from"] > one["valid_from"]

    return [
        _("%(paper)s %(number)s (%(day)s)")
        % {"paper": one["label"], "number": one["number"], "day": day_text(one["valid_to"])}
        for one in papers
        if one["valid_to"] is not None
        and one["valid_to"] <= today
        and not any(follows(later, one) for later in papers)
    ]


def _place(criterion: str) -> int:
    """Keep criteria in the house's order: the database does not."""
    return list(words.CRITERIA).index(criterion) if criterion in words.CRITERIA else len(words.CRITERIA)


def _assessment(row: Mapping[str, Any], papers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Show each score × weight = points; the points sum to the total."""
    parts = [
        {
            "label": words.CRITERIA.get(name, name),
            "score": part["score"],
            "weight": part["weight_bps"] / 10_000,
            "points": f"{part['points_bps'] / 100:.2f}",
            "evidence": [f"{papers[key]['label']} {papers[key]['number']}" for key in part["evidence"] if key in papers],
        }
        for name, part in sorted(row["criteria"].items(), key=lambda item: _place(item[0]))
    ]  # fmt: skip
    return {"total": f"{row['total_bps'] / 100:.2f}", "parts": parts, "at": row["assessed_at"]}


def _agreement(row: Mapping[str, Any], today: date) -> dict[str, Any]:
    live = row["active_from"] <= today and (row["active_to"] is None or row["active_to"] > today)
    return {
        "id": row["id"],
        "kind": row["kind"],
        "label": AGREEMENTS.get(row["kind"], row["kind"]),
        "version": row["version"],
        "active_from": row["active_from"],
        "active_to": row["active_to"],
        "live": live,
        "expiry": words.expiry(row["active_to"], today) if live or (row["active_to"] and row["active_to"] <= today) else {"tone": "none", "text": _("not yet in force")},
        "fields": [FIELDS.get(field, field) for field in row["fields_allowed"]],
        "fees": [{"bucket": bucket, "bps": bps} for bucket, bps in row["fee_bps_by_bucket"].items()],
        "answers_each": row["kind"] == "SERVICE" and not row["accepts_in_advance"],
        "ended_reason": row["ended_reason"],
    }  # fmt: skip


def _proposal(row: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    return dict(row) | {
        "label": CHANGES.get(row["change"], row["change"]),
        "open": row["decided_at"] is None,
        "own": row["proposed_by"] == actor.id,
        "capacity": (row["detail"] or {}).get("capacity_accounts_max"),
    }


def agency(
    found: Mapping[str, Any],
    *,
    lacking: Mapping[str, str],
    stopped_by: Mapping[str, str],
    active: int,
    weights: Mapping[str, int],
    buckets: Sequence[str],
    actor: Actor,
    today: date,
    typed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Give the dossier. `typed`: what stood in the form that was refused, so that nothing is typed twice."""
    row = found["agency"]
    standing = words.standing_of(row["state"], stopped_by)
    if standing == "HALTED":
        lacking = dict(stopped_by) | dict(lacking)
    papers = [_paper(paper, today) for paper in found["papers"]]
    by_id = {str(paper["id"]): paper for paper in papers}
    proposals = [_proposal(proposal, actor) for proposal in found["proposals"]]
    waiting = next((one for one in proposals if one["open"] and one["change"] == "APPROVE"), None)
    stopped = next((one for one in proposals if one["open"] and one["change"] == "SUSPEND"), None)
    assessments = [_assessment(one, by_id) for one in found["assessments"]]
    context = {
        "agency": {
            "id": row["id"],
            "code": row["code"],
            "name": words.name_of(row),
            "other_name": row["name_en"] if words.name_of(row) == row["name_zh"] else row["name_zh"],
            "state": row["state"],
            "standing": standing,
            "state_label": words.STATES[standing],
            "since": row["state_since"],
            "tier": row["tier"],
            "capacity": row["capacity_accounts_max"],
            "active": active,
            "used": active / row["capacity_accounts_max"] if row["capacity_accounts_max"] else None,
            "regions": listed(region_name(code) for code in row["regions"]) or _("everywhere"),
            "phone": row["public_phone"],
            "url": row["public_url"],
            "group": next((one["group"] for one in found["memberships"] if one["active_from"] <= today and (one["active_to"] is None or one["active_to"] > today)), ""),
            "conflicts": sum(one["active_from"] <= today and (one["active_to"] is None or one["active_to"] > today) for one in found["conflicts"]),
        },
        "papers": papers,
        "evidence": [paper for paper in papers if paper["kind"] in EVIDENCE],
        "expired": _expired(papers, today),
        "unverified": [paper for paper in papers if not paper["verified"]],
        "assessment": assessments[0] if assessments else None,
        "earlier": assessments[1:],
        "agreements": [_agreement(one, today) for one in found["agreements"]],
        "collectors": [
            dict(one) | {"trained": words.expiry(one["trained_until"], today), "gone": one["active_to"] is not None and one["active_to"] <= today}
            for one in found["collectors"]
        ],
        "staying": [one for one in found["collectors"] if one["active_to"] is None or one["active_to"] > today],
        "proposals": proposals,
        "waiting": waiting,
        "stopped": stopped,
        "lacks": lacking.values(),
        "forms": _forms(papers, weights=weights, buckets=buckets, typed=typed or {}) | {"active_from": (typed or {}).get("active_from") or today.isoformat()},
        "typed": typed or {},
    }  # fmt: skip
    context["may"] = _may(row["state"], actor, lacking=lacking, waiting=waiting, stopped=stopped)
    context["state"] = _state(context, lacking)
    return context


def _forms(
    papers: Sequence[Mapping[str, Any]], *, weights: Mapping[str, int], buckets: Sequence[str], typed: Mapping[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """Give the choices of every form, with what was typed before."""
    chosen = set(typed.get("fields_allowed", ()))
    verified = [paper for paper in papers if paper["verified"]]
    return {
        "kinds": [
            {"value": kind, "label": label, "chosen": typed.get("kind") == kind}
            for kind, label in words.PAPERS.items()
            if kind != "CONFIDENTIALITY"
        ],
        "criteria": [
            {
                "name": name,
                "label": words.CRITERIA.get(name, name),
                "weight": weight / 10_000,
                "score": typed.get(f"score_{name}", ""),
                "papers": [
                    {"id": paper["id"], "label": f"{paper['label']} {paper['number']}", "chosen": str(paper["id"]) in typed.get(f"evidence_{name}", ())}
                    for paper in verified
                ],
            }
            for name, weight in weights.items()
        ],
        "verified": len(verified),
        "fields": [
            {"value": field, "label": label, "chosen": field in chosen, "sensitive": field in SENSITIVE}
            for field, label in FIELDS.items()
        ],
        "fees": [{"bucket": bucket, "name": f"fee_{bucket}", "value": typed.get(f"fee_{bucket}", "")} for bucket in [*buckets, "default"]],
    }  # fmt: skip


def _may(
    state: str,
    actor: Actor,
    *,
    lacking: Mapping[str, str],
    waiting: Mapping[str, Any] | None,
    stopped: Mapping[str, Any] | None,
) -> dict[str, bool]:
    """Say which acts this person can do now; a template shows the others with the reason why not."""
    gone = state in {"REJECTED", "ENDED"}
    return {
        "register": actor.may("partners.register") and not gone,
        "verify": actor.may("partners.verify_paper"),
        "assess": actor.may("partners.assess") and not gone,
        "propose": actor.may("partners.propose") and state == "SCREENED",
        "propose_now": actor.may("partners.propose") and state == "SCREENED" and not lacking,
        "decide": actor.may("partners.decide") and waiting is not None,
        "decide_now": actor.may("partners.decide") and waiting is not None and not waiting["own"],
        "agree": actor.may("partners.agree") and not gone,
        "capacity": actor.may("partners.set_capacity") and state == "APPROVED",
        "suspend": actor.may("partners.suspend") and state == "APPROVED",
        "reinstate": actor.may("partners.decide") and state == "SUSPENDED",
        "reinstate_now": actor.may("partners.decide")
        and state == "SUSPENDED"
        and not lacking
        and not (stopped and stopped["own"]),
    }


def _state(context: Mapping[str, Any], lacking: Mapping[str, str]) -> dict[str, Any]:
    """Answer at the top: what is the state, is it good, what next."""
    may, code = context["may"], context["agency"]["state"]
    lacks = _("; ").join(lacking.values())
    following: list[dict[str, str]] = []
    if context["unverified"] and may["verify"]:
        following.append({"label": _("Verify papers"), "url": "#papers"})
    if "assessment" in lacking and may["assess"]:
        following.append({"label": _("Score the agency"), "url": "#assess"})
    if "licence" in lacking and may["register"]:
        following.append({"label": _("Add the licence"), "url": "#add-paper"})
    if "security" in lacking and may["register"]:
        following.append({"label": _("Add the security certificate"), "url": "#add-paper"})
    if "confidentiality" in lacking and may["agree"]:
        following.append({"label": _("Sign a confidentiality agreement"), "url": "#agree"})
    if "service" in lacking and may["agree"]:
        following.append({"label": _("Sign a service agreement"), "url": "#agree"})
    if may["propose_now"]:
        following.append({"label": _("Propose"), "url": "#standing"})
    if may["decide_now"]:
        following.append({"label": _("Decide"), "url": "#standing"})
    if may["reinstate_now"]:
        following.append({"label": _("Lift the suspension"), "url": "#standing"})
    label = str(context["agency"]["state_label"])
    if context["agency"]["standing"] == "HALTED":
        text = _("Approved, but not at work: no permit, no package, no placement. What is missing: %(lacks)s.") % {"lacks": lacks}  # fmt: skip
        return {"tone": "bad", "text": text, "next": following}
    if code in {"REJECTED", "ENDED"}:
        return {"tone": "none", "text": label, "next": []}
    if lacks:
        tone = "bad" if code == "APPROVED" else "watch"
        return {"tone": tone, "text": _("%(state)s. What is missing: %(lacks)s.") % {"state": label, "lacks": lacks}, "next": following}  # fmt: skip
    text = {
        "SCREENED": _("Screened. Nothing is missing: it can be proposed."),
        "PROPOSED": _("Proposed. A second person decides."),
        "APPROVED": _("Approved. Required papers and agreements are live."),
        "SUSPENDED": _("Suspended: no permit, no package, no placement until a second person lifts it."),
    }.get(code, label)
    tone = {"APPROVED": "good", "SUSPENDED": "bad"}.get(code, "watch")
    if code == "APPROVED" and context["expired"]:
        tone = "watch"
        text += " " + _("Expired and not renewed: %(papers)s.") % {"papers": _("; ").join(context["expired"])}
        if may["register"]:
            following.append({"label": _("Add the renewed paper"), "url": "#add-paper"})
    return {"tone": tone, "text": text, "next": following}
