"""A new run step by step: batch, value, limits; what was typed is read here and kept in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from weituo.foundation.errors import BadInput, Refusal
from weituo.web.names import listed
from weituo.web.posted import day_within_reach, hundredths
from weituo.web.presenters.naming import name_of
from weituo.web.presenters.regions import region_name
from weituo.web.templatetags.weituo import money

EXCLUSIONS = {
    "NO_BALANCE": gettext_lazy("nothing is owed any more"),
    "ALREADY_PLACED": gettext_lazy("placed with an agency already"),
    "DECEASED": gettext_lazy("the borrower has died"),
    "MINOR": gettext_lazy("the borrower is a minor"),
    "BANKRUPT": gettext_lazy("the borrower is bankrupt"),
    "SOLD": gettext_lazy("the debt was sold"),
    "LEGAL": gettext_lazy("in legal action"),
    "TIME_BARRED": gettext_lazy("time-barred: the period in which it could be sued for is over"),
    "DISPUTE": gettext_lazy("disputed"),
    "COMPLAINT": gettext_lazy("a complaint is open"),
    "HARDSHIP": gettext_lazy("hardship"),
    "REPRESENTED": gettext_lazy("represented by a lawyer"),
    "CEASED": gettext_lazy("asked to stop contact"),
    "PROMISE": gettext_lazy("a promise to pay is open"),
    "HELD_OUT": gettext_lazy("held out by an earlier run, so that outsourcing can be measured"),
    "NOT_TREATED": gettext_lazy("the strategy has not decided it yet"),
    "OTHER_TREATMENT": gettext_lazy("the strategy sends it elsewhere (self-service, in-house, legal, hold)"),
    "OTHER_CURRENCY": gettext_lazy("another currency than most of the book"),
    "NO_AGENCY": gettext_lazy("no agency may take it: tier, region, fee, conflict, or it was there before"),
    # of runs that were kept before each hold counted for itself
    "ON_HOLD": gettext_lazy(
        "on hold: dispute, hardship, death, lawyer or another reason that stops collection"
    ),
}
HOLD_OUTS = {
    "IN_HOUSE": gettext_lazy("kept in-house"),
    "LEFT_ALONE": gettext_lazy("left alone"),
}
EXPLORATION = "5"
SEED = "7"
HOLD_OUT = "0"
#: hundredths of a per cent
HOLD_OUT_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asked for so far; shares and seed as typed."""

    as_of: date
    exploration: str = EXPLORATION
    seed: str = SEED
    hold_out: str = HOLD_OUT
    hold_out_kind: str = "IN_HOUSE"

    @property
    def query(self) -> str:
        """The same as an address's query."""
        return urlencode(
            {
                "as_of": self.as_of.isoformat(),
                "exploration": self.exploration,
                "seed": self.seed,
                "hold_out": self.hold_out,
                "hold_out_kind": self.hold_out_kind,
            }
        )

    def held_out(self) -> dict[str, Any]:
        """Give what was asked to be held out, for counting it; what makes no sense is none, and refused when solved."""
        share = hundredths(self.hold_out)
        seed = int(self.seed) if self.seed.isascii() and self.seed.isdigit() else 0
        fits = share is not None and share <= HOLD_OUT_MAX
        return {
            "hold_out": (share or 0) / 10_000 if fits else 0.0,
            "hold_out_kind": self.hold_out_kind,
            "seed": seed,
        }


def asked(query: Mapping[str, str], *, today: date) -> Asked:
    """Read what was asked; a day that makes no sense becomes today."""
    try:
        day = day_within_reach(query.get("as_of", ""))
    except ValueError:
        day = today
    return Asked(
        as_of=day,
        exploration=query.get("exploration", EXPLORATION).strip()[:8],
        seed=query.get("seed", SEED).strip()[:9],
        hold_out=query.get("hold_out", HOLD_OUT).strip()[:8],
        hold_out_kind=kind if (kind := query.get("hold_out_kind", "")) in HOLD_OUTS else "IN_HOUSE",
    )


def ordered(given: Asked, fields: Mapping[str, str], *, panel: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Turn a posted form into arguments of `solve_run`. Raises `BadInput` that names the field.

    A limit is handed on only where it is tighter than the agency's room, so that a run keeps no idle limits.
    """
    share = hundredths(given.exploration)
    if share is None or share > 5_000:
        raise BadInput(problem=_("the share lies between 0 and 50 per cent"), where="exploration")
    if not (given.seed.isascii() and given.seed.isdigit()):
        raise BadInput(problem=_("the seed is a whole number"), where="seed")
    held = hundredths(given.hold_out)
    if held is None or held > HOLD_OUT_MAX:
        raise BadInput(problem=_("the share held out lies between 0 and 20 per cent"), where="hold_out")
    agencies: dict[str, dict[str, int]] = {}
    for row in panel:
        if row["lacking"]:
            continue
        own: dict[str, int] = {}
        for name, key in (("accounts_max", f"most_{row['code']}"), ("accounts_min", f"least_{row['code']}")):
            text = str(fields.get(key, "")).strip().replace(",", "")
            if not text:
                continue
            if not (text.isascii() and text.isdigit() and len(text) <= 9):
                raise BadInput(problem=_("a whole number is needed"), where=key)
            own[name] = int(text)
        if own.get("accounts_max", 0) > row["room"]:
            raise BadInput(
                problem=_("%(agency)s has room for %(room)s; a limit can be tightened here, not widened")
                % {"agency": name_of(row), "room": f"{row['room']:,}"},
                where=f"most_{row['code']}",
            )
        if own.get("accounts_max") == row["room"]:
            del own["accounts_max"]
        if own.get("accounts_min") == 0:
            del own["accounts_min"]
        if own:
            agencies[row["code"]] = own
    return {
        "exploration": share / 10_000, "seed": int(given.seed), "limits": {"agencies": agencies} if agencies else {}, "hold_out": held / 10_000,
        "hold_out_kind": given.hold_out_kind,
    }  # fmt: skip


def steps(
    here: str, *, given: Asked | None = None, run: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Give the steps of a run; those that lead somewhere have an address."""
    query = f"?{given.query}" if given else ""
    found = [
        {"key": "batch", "label": _("Batch"), "url": reverse("placement:batch") + query if given else ""},
        {"key": "value", "label": _("Valuation"), "url": reverse("placement:value") + query if given else ""},
        {"key": "limits", "label": _("Limits"), "url": reverse("placement:limits") + query if given else ""},
        {"key": "solve", "label": _("Solution"), "url": reverse("placement:run", args=[run["id"]]) if run else ""},
        {"key": "compare", "label": _("Compare"), "url": reverse("placement:compare", args=[run["id"]]) if run else ""},
        {"key": "approve", "label": _("Approve"), "url": reverse("placement:approve", args=[run["id"]]) if run else ""},
        {"key": "placed", "label": _("Placements"), "url": f"{reverse('placement:placements')}?run={run['id']}" if run and run["state"] == "APPROVED" else ""},
    ]  # fmt: skip
    return [step | {"here": step["key"] == here} for step in found]


def _refused(refusal: Refusal | None) -> dict[str, Any]:
    """Say why there is no batch, and where it is put right."""
    links = {
        "not_treated": (_("Strategies"), reverse("plans:index")),
        "no_model": (_("Models"), reverse("models:index")),
        "model_unusable": (_("Models"), reverse("models:index")),
        "no_eligible_agency": (_("Agencies"), reverse("partners:index")),
        "nothing_to_place": (_("Placements"), reverse("placement:placements")),
    }
    link = links.get(refusal.code) if refusal else None
    return {"tone": "bad", "text": str(refusal), "next": [{"label": link[0], "url": link[1]}] if link else []}


def exclusions(counted: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give reasons in words, the most frequent first."""
    rows = [{"code": code, "label": EXCLUSIONS.get(code, code), "n": n} for code, n in counted.items()]
    return sorted(rows, key=lambda row: (-int(row["n"]), str(row["code"])))


def step(
    here: str, found: Mapping[str, Any] | None, *, given: Asked, refusal: Refusal | None
) -> dict[str, Any]:
    """Give what the first three steps share."""
    base = {"steps": steps(here, given=given), "asked": given, "batch": found}
    if found is None:
        return base | {"state": _refused(refusal)}
    words = {"n": f"{found['accounts']:,}", "left": f"{sum(found['exclusions'].values()):,}"}
    text = _("%(n)s accounts can be placed; %(left)s are left out, each for a reason.") % words
    return base | {"state": {"tone": "good", "text": text, "next": []}}


def batch(found: Mapping[str, Any] | None, *, given: Asked, refusal: Refusal | None) -> dict[str, Any]:
    """Give the first step: who can be placed and who is left out."""
    page = step("batch", found, given=given, refusal=refusal)
    listed_at = f"{reverse('placement:would_leave_out')}?as_of={given.as_of.isoformat()}&reason="
    return page | {
        "exclusions": [row | {"url": listed_at + row["code"]} for row in exclusions(found["exclusions"])] if found else [],
        "barred": barred(found["barred"]) if found else [],
        "hold_outs": _hold_outs(given),
        "held_out": held_out_text(found["hold_out"], currency=found["currency"]) if found and found["hold_out"]["share"] else "",
        "onward": f"{reverse('placement:value')}?{given.query}",
    }  # fmt: skip


def _hold_outs(given: Asked) -> list[dict[str, Any]]:
    return [
        {"value": kind, "label": label, "chosen": kind == given.hold_out_kind}
        for kind, label in HOLD_OUTS.items()
    ]


def held_out_text(told: Mapping[str, Any], *, currency: str) -> str:
    """Say what this share would hold out, and its price at most."""
    words = {
        "n": f"{told['accounts']:,}",
        "units": f"{told['units']:,}",
        "kind": HOLD_OUTS.get(told["kind"], told["kind"]),
        "cost": money(told["cost_minor"], currency),
    }
    return _("%(n)s accounts of %(units)s borrowers would be %(kind)s; at most %(cost)s would be given up.") % words  # fmt: skip


def barred(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say how many accounts rules keep from which agency, and why, a sentence a row."""
    return [
        _barred(str(row["why"]), row["accounts"]) % {"n": f"{row['accounts']:,}", "agency": name_of(row)}
        for row in rows
    ]


def _barred(why: str, n: int) -> str:
    if why == "HAD_IT_BEFORE":
        return ngettext("%(n)s account may not return to %(agency)s, which had it before.", "%(n)s accounts may not return to %(agency)s, which had them before.", n)  # fmt: skip
    if why == "SISTER_HAD_IT":
        return ngettext("%(n)s account may not go to %(agency)s: a sister agency had it before.", "%(n)s accounts may not go to %(agency)s: a sister agency had them before.", n)  # fmt: skip
    if why == "CONFLICT":
        return ngettext("%(n)s account may not go to %(agency)s: conflict of interest.", "%(n)s accounts may not go to %(agency)s: conflict of interest.", n)  # fmt: skip
    return ngettext("%(n)s account comes back and goes to a later tier than %(agency)s.", "%(n)s accounts come back and go to a later tier than %(agency)s.", n)  # fmt: skip


def value(found: Mapping[str, Any] | None, *, given: Asked, refusal: Refusal | None) -> dict[str, Any]:
    """Give the second step: what each bucket is expected to bring, and what things cost."""
    page = step("value", found, given=given, refusal=refusal)
    if found is None:
        return page
    share = found["expected_minor"] / found["balance_minor"] if found["balance_minor"] else None
    text = _("Model %(version)s expects %(share)s of the balance back at an average agency's work.") % {
        "version": f"v{found['model_version']}",
        "share": "–" if share is None else f"{100 * share:.1f}%",
    }
    prices = found["prices"]
    return page | {
        "state": {"tone": "none", "text": text, "next": []},
        "batch": dict(found) | {"share": share},
        "buckets": [row | {"share": row["expected_minor"] / row["balance_minor"] if row["balance_minor"] else None} for row in found["by_bucket"]],
        "prices": [
            {"label": _("Own work on an account kept in-house"), "minor": prices.in_house_minor},
            {"label": _("Handing an account over"), "minor": prices.placing_minor},
            {"label": _("One complaint"), "minor": prices.complaint_minor},
        ],
        "back": f"{reverse('placement:batch')}?{given.query}",
        "onward": f"{reverse('placement:limits')}?{given.query}",
    }  # fmt: skip


def limits(
    found: Mapping[str, Any] | None,
    *,
    panel: Sequence[Mapping[str, Any]],
    given: Asked,
    typed: Mapping[str, str],
    refusal: Refusal | None,
    problem: str = "",
) -> dict[str, Any]:
    """Give the third step: each agency's limits, with what was typed."""
    page = step("limits", found, given=given, refusal=refusal)
    room = sum(row["room"] for row in panel if not row["lacking"])
    state = page["state"]
    if found is not None:
        words = {"room": f"{room:,}", "n": f"{found['accounts']:,}"}
        if room < found["accounts"]:
            text = _("Agencies have room for %(room)s of %(n)s candidates: the rest stays in-house, and room has a price.") % words  # fmt: skip
            state = {"tone": "watch", "text": text, "next": []}
        else:
            state = {"tone": "good", "text": _("Agencies have room for %(room)s accounts; there are %(n)s candidates.") % words, "next": []}  # fmt: skip
    return page | {
        "state": state,
        "problem": problem,
        "hold_outs": _hold_outs(given),
        "agencies": [
            dict(row)
            | {
                "name": name_of(row),
                "n_regions": len(row["regions"]),
                "regions": listed(region_name(code) for code in row["regions"]),
                "lacking": row["lacking"],
                "most": typed.get(f"most_{row['code']}", row["room"]),
                "least": typed.get(f"least_{row['code']}", 0),
            }
            for row in panel
        ],
        "back": f"{reverse('placement:value')}?{given.query}",
    }  # fmt: skip
