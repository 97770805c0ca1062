"""Models as an analyst reads them: what a model learnt from, how good it is on accounts it has not seen, whether it still fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weituo.core.recovery.drift import PSI_BAD, PSI_WATCH
from weituo.foundation.tenancy.actors import Actor
from weituo.web.names import listed

STATES = {
    "CANDIDATE": (gettext_lazy("candidate"), "wait"),
    "PROMOTED": (gettext_lazy("in use"), "good"),
    "RETIRED": (gettext_lazy("retired"), "none"),
}
FEATURES = {
    "months_late": gettext_lazy("Months late"),
    "days_past_due": gettext_lazy("Days past due"),
    "balance_minor": gettext_lazy("Balance"),
    "credit_limit_minor": gettext_lazy("Credit limit"),
    "product": gettext_lazy("Product"),
    "province_code": gettext_lazy("Province"),
    "months_on_book": gettext_lazy("Months on book"),
    "paid_months_6": gettext_lazy("Months with a payment, of the last six"),
    "paid_minor_6": gettext_lazy("Paid in the last six months"),
    "worst_months_late_6": gettext_lazy("Worst status of the last six months"),
    "accounts_held": gettext_lazy("Overdue accounts of the borrower"),
}
#: a calibration slope outside these is a reason to look before promoting
SLOPES_FIT = (0.8, 1.25)
#: expected over recovered money this near to 1 counts as agreeing
MONEY_FITS = 0.10


def shown_state(code: str) -> dict[str, Any]:
    """Give a model state's label and tone."""
    label, tone = STATES.get(code, (code, "none"))
    return {"label": label, "tone": tone}


def number(value: float | None, digits: int = 3) -> str:
    """Show a statistic without a unit; a missing one as a dash."""
    return "–" if value is None else f"{value:.{digits}f}"


def verdict(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Say in one sentence whether the model may be used: better than the base rate, and its probabilities to be believed."""
    brier, base, slope = (metrics.get(key) for key in ("brier", "brier_baseline", "calibration_slope"))
    if brier is None or base is None:
        return {"tone": "none", "text": _("No held-out accounts were kept, so nothing can be said.")}
    if brier >= base:
        return {
            "tone": "bad",
            "text": _("It is no better than giving everybody the average: not fit for use."),
        }
    if slope is None or not SLOPES_FIT[0] <= slope <= SLOPES_FIT[1]:
        return {"tone": "watch", "text": _("It beats the average, but its probabilities are too bold or too timid: look at the plot.")}  # fmt: skip
    return {"tone": "good", "text": _("It beats the average, and its probabilities can be believed.")}


def overview(rows: Sequence[Mapping[str, Any]], *, actor: Actor) -> dict[str, Any]:
    """Give the list of models, the one in use on top of the page."""
    models = [
        dict(row)
        | {
            "shown": shown_state(row["state"]),
            "verdict": verdict(row["metrics"]),
            "auc": number(row["metrics"].get("auc")),
            "brier": number(row["metrics"].get("brier")),
            "brier_baseline": number(row["metrics"].get("brier_baseline")),
            "slope": number(row["metrics"].get("calibration_slope"), 2),
            "n": row["metrics"].get("n"),
        }
        for row in rows
    ]
    used = next((row for row in models if row["state"] == "PROMOTED"), None)
    waiting = [row for row in models if row["state"] == "CANDIDATE" and (not used or row["version"] > used["version"])]  # fmt: skip
    if used is None:
        newest = models[0] if models else None
        state = {
            "tone": "bad",
            "text": _("No model is in use, so no account can be placed."),
            "next": _open(newest),
        }
    elif waiting:
        state = {"tone": "watch", "text": _("Model %(used)s is in use; %(new)s waits for a person's decision.")
                 % {"used": f"v{used['version']}", "new": f"v{waiting[0]['version']}"}, "next": _open(waiting[0])}  # fmt: skip
    else:
        state = {"tone": used["verdict"]["tone"], "text": _("Model %(version)s is in use. %(verdict)s")
                 % {"version": f"v{used['version']}", "verdict": used["verdict"]["text"]}, "next": _open(used)}  # fmt: skip
    return {
        "models": models,
        "state": state,
        "may_train": actor.may("placement.train"),
        "sources": sources(),
        "invents": settings.WEITUO_DEMO,
        "most_mb": settings.WEITUO_UPLOAD_MB,
    }


def sources() -> list[tuple[str, str]]:
    """Give what a model can learn from, by code; invented accounts in the demonstration only."""
    known = [("PLACEMENTS", _("this book's placements")), ("FILE", _("a file of past placements"))]
    return [*known, ("INVENTED", _("invented accounts"))] if settings.WEITUO_DEMO else known


def _open(row: Mapping[str, Any] | None) -> list[dict[str, str]]:
    if row is None:
        return []
    return [{"label": _("Open %(version)s") % {"version": f"v{row['version']}"}, "url": reverse("models:model", args=[row["id"]])}]  # fmt: skip


def reliability_chart(rows: Sequence[Mapping[str, Any]], *, slope: float | None) -> dict[str, Any] | None:
    """Draw observed against predicted chances of a payment with Wilson intervals; the dashes are perfect calibration."""
    if not rows:
        return None
    off = sum(1 for row in rows if not row["low"] <= row["mean_predicted"] <= row["high"])
    words = {"off": off, "bins": len(rows)}
    return {
        "id": "reliability",
        "kind": "line",
        "title": _("Predicted and observed agree in all %(bins)s groups") % words
        if off == 0
        else _("In %(off)s of %(bins)s groups the prediction lies outside the interval of what happened") % words,
        "subtitle": _("Share of accounts with a payment, by predicted chance; bands are 95% Wilson intervals, dashes perfect calibration"),
        "note": _("n = %(n)s accounts not seen in training; calibration slope %(slope)s (1 is perfect)")
        % {"n": f"{sum(row['n'] for row in rows):,}", "slope": number(slope, 2)},
        "x": {"name": _("Predicted chance of a payment"), "values": [f"{100 * row['mean_predicted']:.1f}%" for row in rows]},
        "y": {"name": _("Share that paid"), "format": "percent"},
        "series": [
            {"name": _("Observed"), "values": [row["observed"] for row in rows], "low": [row["low"] for row in rows],
             "high": [row["high"] for row in rows], "style": "solid"},
            {"name": _("Perfect calibration"), "values": [row["mean_predicted"] for row in rows], "style": "dashed"},
        ],
    }  # fmt: skip


def _money_finding(ratio: float | None) -> str:
    """Say how expected and recovered money compare."""
    if ratio is None:
        return _("Nothing was recovered from these accounts")
    words = {"share": f"{100 * abs(ratio - 1):.0f}%"}
    if abs(ratio - 1) <= MONEY_FITS:
        return _("Expected and recovered money agree within %(share)s") % words
    if ratio > 1:
        return _("The model expected %(share)s more money than came in") % words
    return _("The model expected %(share)s less money than came in") % words


def money_chart(rows: Sequence[Mapping[str, Any]], *, currency: str) -> dict[str, Any] | None:
    """Draw expected and actual money by decile of expected recovery."""
    if not rows:
        return None
    expected, actual = sum(row["expected_minor"] for row in rows), sum(row["actual_minor"] for row in rows)
    ratio = expected / actual if actual else None
    return {
        "id": "deciles",
        "kind": "bar",
        "title": _money_finding(ratio),
        "subtitle": _("Money expected and money recovered, by tenth of accounts from the least to the most promising"),
        "note": _("n = %(n)s accounts; expected over recovered: %(ratio)s (1 is perfect)")
        % {"n": f"{sum(row['n'] for row in rows):,}", "ratio": number(ratio, 2)},
        "x": {"name": _("Tenth"), "values": [str(row["decile"]) for row in rows]},
        "y": {"name": _("Money"), "format": "money", "currency": currency},
        "series": [
            {"name": _("Expected"), "values": [row["expected_minor"] for row in rows], "style": "peer"},
            {"name": _("Recovered"), "values": [row["actual_minor"] for row in rows], "style": "solid"},
        ],
    }  # fmt: skip


def drift_rows(frame: pl.DataFrame | None) -> list[dict[str, Any]]:
    """Give each feature's drift with its tone: the marks, but never below what chance alone gives."""
    if frame is None:
        return []
    found = []
    for row in frame.sort("psi", descending=True, nulls_last=True).iter_rows(named=True):
        psi, chance = row["psi"], row["chance"] or 0.0
        if psi is None:
            tone, text = "none", _("no accounts to compare")
        elif psi <= max(PSI_WATCH, 2 * chance):
            tone, text = "good", _("as in training")
        elif psi <= max(PSI_BAD, 2 * chance):
            tone, text = "watch", _("has moved")
        else:
            tone, text = "bad", _("has moved far")
        found.append(row | {"label": FEATURES.get(row["feature"], row["feature"]), "tone": tone, "text": text, "psi_shown": number(psi), "chance_shown": number(row["chance"])})  # fmt: skip
    return found


#: where a model's outcomes come from
SOURCES = {
    "PLACEMENTS": gettext_lazy("learnt from this book's own placements and the money booked since"),
    "FILE": gettext_lazy("learnt from a file of past placements"),
    "INVENTED": gettext_lazy("learnt from invented placements"),
}


def card(row: Mapping[str, Any], *, drift: pl.DataFrame | None, used: Mapping[str, Any] | None, currency: str, actor: Actor) -> dict[str, Any]:  # fmt: skip
    """Give one model's card."""
    metrics, calibration = row["metrics"], row["calibration"]
    said = verdict(metrics)
    drifts = drift_rows(drift)
    moved = [one for one in drifts if one["tone"] == "bad"]
    state = {"tone": said["tone"], "text": said["text"], "next": []}
    if row["state"] == "PROMOTED" and moved:
        state = {"tone": "watch", "text": _("In use, but the book has moved away from its training in %(features)s: train again on newer accounts.")
                 % {"features": listed(one["label"] for one in moved)}, "next": []}  # fmt: skip
    return {
        "model": dict(row) | {"shown": shown_state(row["state"])},
        "state": state,
        "source": SOURCES.get((row.get("parameters") or {}).get("source", ""), ""),
        "figures": figures(metrics, weeks=(row.get("parameters") or {}).get("horizon_weeks")),
        "auc": metrics.get("auc"),
        "auc_of_hundred": None if metrics.get("auc") is None else round(100 * metrics["auc"]),
        "reliability": reliability_chart(calibration.get("reliability", []), slope=metrics.get("calibration_slope")),
        "money": money_chart(calibration.get("money", []), currency=currency),
        "drift": drifts,
        "used": used if used and used["id"] != row["id"] else None,
        "comparison": comparison(metrics, used["metrics"]) if used and used["id"] != row["id"] else [],
        "may_promote": actor.may("placement.train") and row["state"] != "PROMOTED" and said["tone"] != "bad",
    }  # fmt: skip


def figures(metrics: Mapping[str, Any], *, weeks: int | None) -> list[dict[str, Any]]:
    """Give the figures of a card with what each is measured against."""
    base = metrics.get("brier_baseline")
    return [
        {"label": _("Held-out accounts"), "value": metrics.get("n"), "kind": "count", "note": _("not seen in training")},
        {"label": _("Share that paid"), "value": metrics.get("base_rate"), "kind": "percent", "note": _("within %(weeks)s weeks") % {"weeks": weeks or "–"}},
        {"label": _("AUC"), "value": number(metrics.get("auc")), "kind": "", "note": _("0.5 is chance, 1 is perfect")},
        {"label": _("Brier score"), "value": number(metrics.get("brier"), 4), "kind": "", "note": _("the average for everybody: %(base)s; lower is better") % {"base": number(base, 4)}},
        {"label": _("Calibration slope"), "value": number(metrics.get("calibration_slope"), 2), "kind": "", "note": _("1 is perfect; below 1 too bold, above 1 too timid")},
        {"label": _("R² of the fraction paid"), "value": number(metrics.get("r2"), 2), "kind": "", "note": _("0.04 to 0.43 in the literature")},
    ]  # fmt: skip


def comparison(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[dict[str, str]]:
    """Lay this model's figures beside those of the model in use."""
    names = {"auc": (_("AUC"), 3), "brier": (_("Brier score"), 4), "calibration_slope": (_("Calibration slope"), 2), "r2": (_("R² of the fraction paid"), 2)}  # fmt: skip
    return [
        {"label": label, "this": number(new.get(key), digits), "used": number(old.get(key), digits)}
        for key, (label, digits) in names.items()
    ]
