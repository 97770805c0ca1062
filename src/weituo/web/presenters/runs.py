"""Runs as a vendor manager reads them: the proof, the price of each limit, the comparison, one account explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.foundation.tenancy.actors import Actor
from weituo.web.names import bucket_name
from weituo.web.posted import whole
from weituo.web.presenters.left_out import held_out
from weituo.web.presenters.naming import name_of
from weituo.web.presenters.placement_words import RUN_STATES, labelled
from weituo.web.presenters.placing import HOLD_OUTS, barred, exclusions, steps
from weituo.web.presenters.regions import region_name
from weituo.web.templatetags.weituo import money

LIMITS = {
    "accounts_min": gettext_lazy("least accounts"),
    "accounts_max": gettext_lazy("most accounts"),
    "balance_min": gettext_lazy("least balance"),
    "balance_max": gettext_lazy("most balance"),
    "bucket_share_min": gettext_lazy("least share of a bucket"),
    "bucket_share_max": gettext_lazy("greatest share of a bucket"),
    "eligible": gettext_lazy("agency not eligible"),
    "one_agency_a_borrower": gettext_lazy("one agency a borrower"),
}
WHY_NOT = {
    "HAD_IT_BEFORE": gettext_lazy("had this account before"),
    "TIER": gettext_lazy("its tier is not admitted by the strategy"),
    "REGION": gettext_lazy("does not work in this region"),
    "NO_FEE": gettext_lazy("no fee is agreed for this bucket"),
    "SISTER_HAD_IT": gettext_lazy("a sister agency had this account before"),
    "CONFLICT": gettext_lazy("conflict of interest"),
    "NEXT_TIER": gettext_lazy("the account comes back and goes to a later tier"),
    "ONE_A_BORROWER": gettext_lazy("another agency works for this borrower"),
}
RIVALS = {
    "round_robin": gettext_lazy("Round-robin (in turn)"),
    "greedy": gettext_lazy("Today's rule (best tier first, largest balances)"),
    "last": gettext_lazy("As the last run had them"),
}
#: accounts of a run shown on one page
ROWS_A_PAGE = 50


def worth(run: Mapping[str, Any]) -> dict[str, int]:
    """Give a run's money: above in-house; what could have been had at most more, and of it what the plan itself leaves.

    The rest of the gap is the price of chance: accounts drawn, and room kept free for them.
    """
    proof = run["proof"]
    kept = proof.get("all_in_house_minor", 0)
    gap = run["bound_minor"] - run["expected_net_minor"]
    left = proof.get("planned_bound_minor", 0) - proof.get("planned_minor", 0)
    return {
        "worth_minor": run["expected_net_minor"] - kept,
        "gap_minor": gap,
        "plan_gap_minor": min(left, gap),
        "in_house_minor": kept,
    }


def overview(runs: Sequence[Mapping[str, Any]], *, active: int, actor: Actor) -> dict[str, Any]:
    """Give the list of runs and what waits."""
    listed = [dict(row) | worth(row) | {"shown": labelled(RUN_STATES, row["state"])} for row in runs]
    waiting = [row for row in listed if row["state"] == "PROPOSED"]
    solved = [row for row in listed if row["state"] == "SOLVED"]
    if waiting:
        first = waiting[0]
        state = {"tone": "watch", "text": _("Run %(number)s waits for a second person.") % {"number": first["number"]},
                 "next": [{"label": _("Decide run %(number)s") % {"number": first["number"]}, "url": reverse("placement:approve", args=[first["id"]])}]}  # fmt: skip
    elif solved and (not listed or listed[0]["state"] == "SOLVED"):
        first = solved[0]
        state = {"tone": "watch", "text": _("Run %(number)s is solved and not yet proposed.") % {"number": first["number"]},
                 "next": [{"label": _("Compare run %(number)s") % {"number": first["number"]}, "url": reverse("placement:compare", args=[first["id"]])}]}  # fmt: skip
    elif active:
        text = ngettext(
            "%(n)s account is placed with agencies.", "%(n)s accounts are placed with agencies.", active
        )
        state = {"tone": "good", "text": text % {"n": f"{active:,}"}, "next": []}
    else:
        state = {"tone": "none", "text": _("No account is placed."), "next": []}
    return {"runs": listed, "state": state, "may_solve": actor.may("placement.solve")}


def _price(row: Mapping[str, Any], *, agency: str, currency: str) -> str:
    """Say a limit's price in money: what one more place, or one more yuan of balance, would bring."""
    value = money(round(row["price"]), currency)
    words = {"agency": agency, "money": value, "bucket": bucket_name(row["bucket"] or "")}
    if row["limit"] == "accounts_max":
        return _("One more place at %(agency)s is worth %(money)s.") % words
    if row["limit"] == "accounts_min":
        return _("One place less of the least for %(agency)s would save %(money)s.") % words
    if row["limit"] == "bucket_share_max":
        return _("One more place for %(bucket)s at %(agency)s is worth %(money)s.") % words
    if row["limit"] == "bucket_share_min":
        return _("One place less for %(bucket)s at %(agency)s would save %(money)s.") % words
    words |= {"money": money(round(row["price"] * 100_000), currency), "step": money(100_000, currency)}
    if row["limit"] == "balance_max":
        return _("%(step)s more balance at %(agency)s is worth %(money)s.") % words
    return _("%(step)s less of the least balance for %(agency)s would save %(money)s.") % words


def agencies(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give what each agency gets, its limits and their prices; in-house last."""
    found = []
    for row in run["by_agency"]:
        name = name_of(row) if row["agency_id"] else _("In-house")
        limits = row["limits"]
        most = limits.get("accounts_max")
        found.append(
            dict(row)
            | {
                "name": name,
                "most": most,
                "least": limits.get("accounts_min") or None,
                "full": most is not None and row["accounts"] >= most,
                "prices": [_price(price, agency=name, currency=run["currency"]) for price in row["prices"]],
            }
        )
    return found


def head(run: Mapping[str, Any], here: str) -> dict[str, Any]:
    """Give what every page of a run shows."""
    return {
        "run": dict(run)
        | worth(run)
        | {
            "shown": labelled(RUN_STATES, run["state"]),
            "exploration": run["parameters"].get("exploration"),
            "explored": run["proof"].get("explored"),
        },
        "steps": steps(here, run=run),
    }


def certificate(run: Mapping[str, Any], *, actor: Actor) -> dict[str, Any]:
    """Give a run's first page: what it is worth, how near it is to the best, by agency, prices."""
    figures, currency = worth(run), run["currency"]
    words = {"worth": money(figures["worth_minor"], currency), "gap": money(figures["gap_minor"], currency)}
    state: dict[str, Any] = {"tone": "good" if figures["gap_minor"] * 20 <= max(figures["worth_minor"], 1) else "watch",
             "text": _("Worth %(worth)s more than keeping every account in-house; at most %(gap)s more could have been had.") % words, "next": []}  # fmt: skip
    follow = {
        "SOLVED": (_("Compare"), "placement:compare"),
        "PROPOSED": (_("Decide"), "placement:approve"),
    }.get(run["state"])
    if follow:
        state["next"] = [{"label": follow[0], "url": reverse(follow[1], args=[run["id"]])}]
    rows = agencies(run)
    names = {
        row["code"]: {"name_zh": row["name_zh"], "name_en": row["name_en"]}
        for row in run["by_agency"]
        if row["agency_id"]
    }
    return head(run, "solve") | {
        "state": state,
        "agencies": rows,
        "prices": [price for row in rows for price in row["prices"]],
        "exclusions": exclusions(run["exclusions"]),
        "held_out": held_out(run),
        "barred": barred([{**names.get(row["code"], {"name_zh": row["code"], "name_en": row["code"]}), **row} for row in run["proof"].get("barred", [])]),
        "assumptions": _assumptions(run),
        "may_propose": run["state"] == "SOLVED" and actor.may("placement.propose"),
        "chart": _chart(rows, currency=currency),
    }  # fmt: skip


def _assumptions(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    prices = run["parameters"].get("prices", {})
    names = {
        "in_house_minor": _("Own work on an account kept in-house"),
        "placing_minor": _("Handing an account over"),
        "complaint_minor": _("One complaint"),
    }
    return [{"label": label, "minor": prices[key]} for key, label in names.items() if key in prices]


def _chart(rows: Sequence[Mapping[str, Any]], *, currency: str) -> dict[str, Any] | None:
    placed = [row for row in rows if row["agency_id"] and row["accounts"]]
    if not placed:
        return None
    best = max(placed, key=lambda row: row["expected_net_minor"])
    return {
        "id": "net-by-agency",
        "kind": "bar",
        "title": _("%(agency)s is expected to bring most") % {"agency": best["name"]},
        "subtitle": _("Expected recovery less commission and cost, by agency"),
        "note": _("n = %(n)s accounts placed") % {"n": f"{sum(row['accounts'] for row in placed):,}"},
        "x": {"name": _("Agency"), "values": [row["name"] for row in placed]},
        "y": {"name": _("Expected net"), "format": "money", "currency": currency},
        "series": [{"name": _("Expected net"), "values": [row["expected_net_minor"] for row in placed], "style": "solid"}],
    }  # fmt: skip


def _verdict(run: Mapping[str, Any], rivals: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Say what the comparison shows: a run may bring less than a lawful rule only by the price of chance."""
    currency, chance = run["currency"], run["parameters"].get("exploration", 0)
    least = min((row["less_minor"] for row in rivals), default=0)
    broken = sum(row["n_broken"] for row in rivals)
    lawful = [row for row in rivals if not row["n_broken"] and row["less_minor"] < 0]
    words = {"money": money(abs(least), currency), "broken": f"{broken:,}", "share": f"{100 * chance:.0f}%"}
    if lawful and chance:
        words["money"] = money(max(-row["less_minor"] for row in lawful), currency)
        return "watch", _("A rule of today keeps all limits and would bring %(money)s more: that is what placing %(share)s by chance costs here. Solve without chance to see.") % words  # fmt: skip
    if lawful:
        return "bad", _(
            "A rule of today keeps all limits and is expected to bring more: do not approve this run."
        )
    if least < 0:
        return "watch", _("A rule of today would bring %(money)s more, but only by breaking limits (both rules together: %(broken)s).") % words  # fmt: skip
    return "good", _("Expected to bring at least %(money)s more than today's rules, which break %(broken)s limits.") % words  # fmt: skip


def _finding(rows: Sequence[Mapping[str, Any]]) -> str:
    """Give the comparison's finding for the chart."""
    own, *rivals = rows
    lawful = [row for row in rivals if not row["n_broken"]]
    if all(row["worth_minor"] <= own["worth_minor"] for row in rivals):
        return _("This run brings most")
    if all(row["worth_minor"] <= own["worth_minor"] for row in lawful):
        return _("Of the rules that break no limit, this run brings most")
    return _("A rule that breaks no limit brings more than this run")


def compare(
    run: Mapping[str, Any], *, earlier: Mapping[str, Any] | None = None, actor: Actor
) -> dict[str, Any]:
    """Lay the run beside round-robin and today's rule on the same accounts, and beside the run before it on its own.

    earlier: the last run that was approved before this one. Money, accounts, limits broken.
    """
    kept = worth(run)["in_house_minor"]
    names = {row["code"]: name_of(row) for row in run["by_agency"] if row["agency_id"]}
    placed = run["proof"].get("placed", sum(row["accounts"] for row in run["by_agency"] if row["agency_id"]))
    rows = [{"name": _("This run"), "net_minor": run["expected_net_minor"], "worth_minor": run["expected_net_minor"] - kept, "accounts": placed, "broken": [], "n_broken": 0, "less_minor": 0, "own": True}]  # fmt: skip
    for key, label in RIVALS.items():
        rival = run["rivals"].get(key)
        if rival is None:
            continue
        broken = [
            one
            | {
                "label": LIMITS.get(one["limit"], one["limit"]),
                "agency": names.get(one["agency"], one["agency"]),
            }
            for one in rival["broken"]
        ]
        rows.append(
            {"name": label, "net_minor": rival["expected_net_minor"], "worth_minor": rival["expected_net_minor"] - kept, "accounts": rival["accounts"],
             "broken": broken, "n_broken": len(broken), "less_minor": run["expected_net_minor"] - rival["expected_net_minor"], "more_minor": rival["expected_net_minor"] - run["expected_net_minor"], "own": False}
        )  # fmt: skip
    tone, text = _verdict(run, rows[1:])
    for row in rows:
        row["each_minor"] = row["worth_minor"] // max(run["accounts"], 1)
    return head(run, "compare") | {
        "earlier": _earlier(earlier),
        "state": {"tone": tone, "text": text, "next": [{"label": _("Approve"), "url": reverse("placement:approve", args=[run["id"]])}]},
        "rows": rows,
        "chart": {
            "id": "rivals",
            "kind": "bar",
            "title": _finding(rows),
            "subtitle": _("Expected net money above keeping every account in-house"),
            "note": _("n = %(n)s accounts") % {"n": f"{run['accounts']:,}"},
            "x": {"name": "", "values": [str(row["name"]) for row in rows]},
            "y": {"name": _("Above in-house"), "format": "money", "currency": run["currency"]},
            "series": [{"name": _("Above in-house"), "values": [row["worth_minor"] for row in rows], "style": "solid"}],
        },
        "may_propose": run["state"] == "SOLVED" and actor.may("placement.propose"),
    }  # fmt: skip


def _earlier(run: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Give the run before: it had other accounts, so that only money an account can be compared."""
    if run is None:
        return None
    kept = run["proof"].get("all_in_house_minor", 0)
    above = run["expected_net_minor"] - kept
    return {
        "id": run["id"], "number": run["number"], "currency": run["currency"], "solved": run["accounts"],
        "accounts": run["proof"].get("placed", run["placements"]), "worth_minor": above,
        "each_minor": above // max(run["accounts"], 1),
    }  # fmt: skip


def approve(
    run: Mapping[str, Any], *, actor: Actor, typed: Mapping[str, str], problem: str = ""
) -> dict[str, Any]:
    """Give the page on which a second person decides."""
    placed = sum(row["accounts"] for row in run["by_agency"] if row["agency_id"])
    handed = sum(1 for row in run["by_agency"] if row["agency_id"] and row["accounts"])
    words = {"n": f"{placed:,}", "agencies": handed, "balance": money(sum(row["balance_minor"] for row in run["by_agency"] if row["agency_id"]), run["currency"])}  # fmt: skip
    own = run["proposed_by"] == actor.id
    texts = {
        "SOLVED": ("none", _("Solved, not yet proposed: propose it, then a second person decides.")),
        "PROPOSED": (
            "watch",
            _("You proposed this run: a second person must decide.")
            if own
            else _("Waits for your decision as the second person."),
        ),
        "APPROVED": ("good", _("Approved; the placements are made.")),
        "REJECTED": ("none", _("Rejected; nothing was placed.")),
    }
    tone, text = texts.get(run["state"], ("none", run["state"]))
    follow = []
    if run["state"] == "APPROVED":
        follow = [{"label": _("Placements"), "url": f"{reverse('placement:placements')}?run={run['id']}"},
                  {"label": _("Offers"), "url": reverse("placement:offers")}, {"label": _("Build packages"), "url": reverse("sharing:index") + "#ready"}]  # fmt: skip
    return head(run, "approve") | {
        "state": {"tone": tone, "text": text, "next": follow},
        "consequence": _("%(n)s accounts with %(balance)s will be placed with %(agencies)s agencies.")
        % words,
        "own": own,
        "may_propose": run["state"] == "SOLVED" and actor.may("placement.propose"),
        "may_decide": run["state"] == "PROPOSED" and actor.may("placement.decide") and not own,
        "typed": typed,
        "problem": problem,
    }


def accounts(run: Mapping[str, Any], items: pl.DataFrame, *, query: Mapping[str, str]) -> dict[str, Any]:
    """List a run's accounts, the most valuable first, by agency and by chance."""
    chosen, explored = query.get("agency", ""), query.get("chance", "") == "1"
    found = items
    if chosen:
        found = found.filter(pl.col("code") == ("" if chosen == "-" else chosen))
    if explored:
        found = found.filter(pl.col("explored"))
    found = found.sort("expected_net_minor", "account_id", descending=[True, False])
    number = query.get("page", "1")
    pages = max(1, -(-found.height // ROWS_A_PAGE))
    page = min(max(whole(number, otherwise=1), 1), pages)
    names = {row["code"]: (name_of(row) if row["agency_id"] else _("In-house")) for row in run["by_agency"]}
    base = f"?agency={chosen}" + ("&chance=1" if explored else "")
    text = ngettext("%(n)s account.", "%(n)s accounts.", found.height) % {"n": f"{found.height:,}"}
    return head(run, "solve") | {
        "state": {"tone": "none", "text": text, "next": []},
        "rows": [row | {"agency": names.get(row["code"], row["code"]), "region_label": region_name(row["region"]), "held": HOLD_OUTS.get(row["held_out"], "")} for row in found.slice((page - 1) * ROWS_A_PAGE, ROWS_A_PAGE).to_dicts()],
        "agencies": [{"value": code or "-", "label": name, "chosen": (code or "-") == chosen} for code, name in names.items()],
        "explored": explored,
        "page": page,
        "pages": pages,
        "previous": f"{base}&page={page - 1}" if page > 1 else "",
        "next": f"{base}&page={page + 1}" if page < pages else "",
    }  # fmt: skip


def explain(run: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Say why one account went where it went."""
    by_code = {row["code"]: row for row in run["by_agency"]}
    choices = [
        dict(row)
        | {
            "name": name_of(by_code.get(row["code"], row)),
            "chosen": row["code"] == found["chosen"],
            "why_label": WHY_NOT.get(row["why_not"], row["why_not"]),
        }
        for row in found["choices"]
    ]
    choices.sort(key=lambda row: (not row["eligible"], -row["margin_minor"]))
    name = next((row["name"] for row in choices if row["chosen"]), _("In-house"))
    words = {"agency": name, "chance": f"{100 * found['probability']:.2f}%"}
    if found["held_out"]:
        words["kind"] = HOLD_OUTS.get(found["held_out"], found["held_out"])
        text = _("Drawn by chance to be held out (its chance was %(chance)s): it is %(kind)s, so that what outsourcing adds can be measured.")  # fmt: skip
    elif found["explored"]:
        text = _("%(agency)s got this account by chance (its chance was %(chance)s), so that agencies can be compared fairly.")  # fmt: skip
    elif found["chosen"]:
        text = _("%(agency)s got this account because it is worth most there after the price of scarce places; its chance was %(chance)s.")  # fmt: skip
    else:
        text = _("It stays in-house: no agency is worth more after fee, cost and the price of scarce places.")
    return head(run, "solve") | {
        "state": {"tone": "none", "text": text % words, "next": []},
        "found": found,
        "choices": choices,
        "stays": not found["chosen"],
    }


def replay(run: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether solving again from what was kept gives the same result."""
    checks = [
        {"label": _("Inputs as they were kept"), "same": found["inputs_same"]},
        {"label": _("Result of solving again"), "same": found["result_same"]},
        {"label": _("Every account's agency and probability"), "same": found["rows_same"]},
    ]
    text = _("Solved again from what was kept: the same result, digest for digest.") if found["same"] else _("Solving again gives another result: something was altered, or the program has changed.")  # fmt: skip
    return head(run, "solve") | {
        "state": {"tone": "good" if found["same"] else "bad", "text": text, "next": []},
        "checks": checks,
        "found": found,
    }
