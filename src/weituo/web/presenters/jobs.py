"""Jobs as people read them: what goes on, how far it is, what came of it, and where to go next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

#: a job that nobody took for so long waits for a worker that is not there
WORKER_MISSED_SECONDS = 15
STATES = {
    "WAITING": (gettext_lazy("waits for the worker"), "none"),
    "RUNNING": (gettext_lazy("goes on"), "none"),
    "DONE": (gettext_lazy("done"), "good"),
    "REFUSED": (gettext_lazy("refused"), "watch"),
    "FAILED": (gettext_lazy("failed"), "bad"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """How a kind of job is shown: its title, its result's page, and the form that it was started from."""

    title: str | Promise
    result: Callable[[str], str]
    result_label: str | Promise
    form: Callable[[Mapping[str, Any]], str]


def _limits_form(arguments: Mapping[str, Any]) -> str:
    """Give the form of a run as it was typed."""
    asked = {
        "as_of": arguments["as_of"],
        "exploration": f"{arguments['exploration'] * 100:g}",
        "seed": arguments["seed"],
    }
    for code, own in arguments["limits"].get("agencies", {}).items():
        for key, name in (("most", "accounts_max"), ("least", "accounts_min")):
            if name in own:
                asked[f"{key}_{code}"] = own[name]
    return f"{reverse('placement:limits')}?{urlencode(asked)}"


def _period_form(arguments: Mapping[str, Any]) -> str:
    return f"{reverse('evaluation:index')}?{urlencode(dict(arguments))}#run"


KINDS = {
    "book.import": Shown(
        gettext_lazy("Import a book"),
        lambda _ref: reverse("book:imports"),
        gettext_lazy("Open the import"),
        lambda _arguments: reverse("book:imports") + "#import",
    ),
    "placement.solve": Shown(
        gettext_lazy("Solve a run"),
        lambda ref: reverse("placement:compare", args=[ref]),
        gettext_lazy("Open the run"),
        _limits_form,
    ),
    "placement.refill": Shown(
        gettext_lazy("Refill a run"),
        lambda ref: reverse("placement:refills", args=[ref]),
        gettext_lazy("Open the refills"),
        lambda _arguments: reverse("placement:offers"),
    ),
    "placement.lapse": Shown(
        gettext_lazy("End offers that were not answered"),
        lambda _ref: reverse("placement:offers"),
        gettext_lazy("Open the offers"),
        lambda _arguments: reverse("placement:offers"),
    ),
    "placement.finalise": Shown(
        gettext_lazy("Make due recalls final"),
        lambda _ref: reverse("placement:recalls"),
        gettext_lazy("Open the recall notices"),
        lambda _arguments: reverse("placement:recalls"),
    ),
    "evaluation.train": Shown(
        gettext_lazy("Train a model"),
        lambda ref: reverse("models:model", args=[ref]),
        gettext_lazy("Open the model"),
        lambda _arguments: reverse("models:index") + "#train",
    ),
    "sharing.build": Shown(
        gettext_lazy("Build a package"),
        lambda ref: reverse("sharing:package", args=[ref]),
        gettext_lazy("Open the package"),
        lambda _arguments: reverse("sharing:index"),
    ),
    "evaluation.evaluate": Shown(
        gettext_lazy("Run an evaluation"),
        lambda ref: reverse("evaluation:evaluation", args=[ref]),
        gettext_lazy("Open the evaluation"),
        _period_form,
    ),
}


def index(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the list of jobs, what goes on first in mind."""
    still = sum(row["state"] in {"WAITING", "RUNNING"} for row in rows)
    failed = [row for row in rows if row["state"] == "FAILED"]
    state: dict[str, Any] = {"tone": "good", "text": _("No long work is going on."), "next": []}
    if not rows:
        state = {
            "tone": "none",
            "text": _("No long work was started yet: imports, runs, models, packages and evaluations appear here."),
            "next": [],
        }  # fmt: skip
    elif still:
        text = ngettext("%(n)s job is going on or waits.", "%(n)s jobs are going on or wait.", still)
        state = {"tone": "none", "text": text % {"n": still}, "next": []}
    elif rows[0]["state"] == "FAILED":
        state = {"tone": "bad", "text": _("The latest job failed."), "next": [{"label": _("Open it"), "url": reverse("jobs:job", args=[failed[0]["id"]])}]}  # fmt: skip
    return {"state": state, "jobs": [_row(row) for row in rows]}


def job(row: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """Give one job: its state in a sentence, its progress, and the next step."""
    return {"state": _state(row, at=at), "job": _row(row)}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = KINDS.get(row["kind"])
    label, tone = STATES[row["state"]]
    return dict(row) | {
        "title": shown.title if shown else row["kind"],
        "open": row["state"] in {"WAITING", "RUNNING"},
        "label": label,
        "tone": tone,
        "result": shown.result(row["ref"]) if shown and row["state"] == "DONE" else "",
    }


def _state(row: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    shown, refusal = KINDS.get(row["kind"]), row["refusal"] or {}
    back = [{"label": _("Back to the form"), "url": shown.form(row["arguments"])}] if shown else []
    if row["state"] == "DONE":
        next_step = [{"label": shown.result_label, "url": shown.result(row["ref"])}] if shown else []
        return {"tone": "good", "text": _("It is done."), "next": next_step}
    if row["state"] == "REFUSED":
        return {"tone": "watch", "text": _("Nothing was changed: %(why)s") % {"why": _said(refusal)}, "next": back}  # fmt: skip
    if row["state"] == "FAILED":
        return {"tone": "bad", "text": _said(refusal), "next": back}
    if row["state"] == "RUNNING":
        again = row["attempts"] > 1
        text = _("Its worker ended in the middle; another does it again from the start.") if again else _("It goes on; you may leave this page.")  # fmt: skip
        return {"tone": "none", "text": text, "next": []}
    if (at - row["asked_at"]).total_seconds() > WORKER_MISSED_SECONDS:
        return {"tone": "watch", "text": _("It waits. Is a worker running, or busy with another job? “weituo worker” starts one."), "next": []}  # fmt: skip
    return {"tone": "none", "text": _("It waits for the worker; you may leave this page."), "next": []}


def _said(refusal: Mapping[str, Any]) -> str:
    """Give a refusal as one text: message, place, rule, remedy."""
    where = f"[{refusal['where']}]" if refusal.get("where") else ""
    rule = f"({refusal['rule']})" if refusal.get("rule") else ""
    parts = (refusal.get("message", ""), where, rule, refusal.get("remedy", ""))
    return " ".join(part for part in parts if part)
