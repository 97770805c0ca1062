"""Placements in a list, one with its history, and recall with its numbers said first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import polars as pl
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.book import queries as book
from weituo.domain.contact import queries as contact
from weituo.domain.ledger import queries as ledger
from weituo.domain.partners import queries as partners
from weituo.domain.placement import answers, queries, services, terms
from weituo.domain.sharing import queries as sharing
from weituo.domain.tracking import queries as tracking
from weituo.foundation import clock
from weituo.foundation.errors import Refusal
from weituo.foundation.tenancy.actors import Actor
from weituo.web import access
from weituo.web.console.answers import earliest_final
from weituo.web.posted import Posted
from weituo.web.presenters import placements as presenters
from weituo.web.presenters.placement_words import happened

#: notices among which a recall of what is under notice chooses
NOTICES_MAX = 1_000_000


@access.page(permission="placement.read")
@require_safe
def placements(request: HttpRequest) -> HttpResponse:
    """List placements that pass the filter."""
    viewer, asked = request.actor, presenters.asked(request.GET)  # type: ignore[attr-defined]
    return render(
        request,
        "console/placement/placements.html",
        presenters.listing(
            queries.placements_page(
                viewer, filters=presenters.as_query(asked["filters"]), page=asked["page"]
            ),
            asked=asked,
            agencies=partners.agencies(viewer),
            runs=queries.runs(viewer),
            buckets=BUCKETS,
            actor=viewer,
        ),
    )


@access.page(permission="placement.read")
@require_safe
def placement(request: HttpRequest, placement_id: UUID) -> HttpResponse:
    """Show one placement with everything that happened under it."""
    viewer = request.actor  # type: ignore[attr-defined]
    row = queries.placement(viewer, placement_id=placement_id)
    number = book.numbers(viewer, account_ids=[row["account_id"]]).get(str(row["account_id"]), "")
    return render(
        request,
        "console/placement/placement.html",
        presenters.one(
            row,
            contact=contact.of_placement(viewer, placement_id=placement_id),
            promises=tracking.promises_frame(viewer),
            payments=ledger.payments_frame(viewer, account_id=row["account_id"]),
            actor=viewer,
        )
        | {
            "number": number,
            "origin": presenters.origin(answers.origin(viewer, placement_id=placement_id)),
            "life": [happened(one) for one in answers.history(viewer, placement_id=placement_id)],
        },
    )


def _chosen(viewer: Actor, query: Mapping[str, str]) -> pl.DataFrame:
    """Give the active placements that an address chooses: one by id, or all that pass the filters."""
    asked = presenters.asked(query)["filters"]
    one = query.get("placement", "")
    if not one and not asked:
        return queries.placements_frame(viewer).clear()  # nothing chosen is nothing, never everything
    found = queries.placements_frame(viewer, agency_id=UUID(asked["agency"]) if "agency" in asked else None)
    found = found.filter(pl.col("state") == "ACTIVE")
    if one:
        found = found.filter(pl.col("placement_id") == one)
    for key, column in (("bucket", "bucket"), ("run", "run_id")):
        if key in asked:
            found = found.filter(pl.col(column) == asked[key])
    if asked.get("state", "ACTIVE") not in {"ACTIVE", "RECALL_NOTICE"}:
        return found.clear()
    if asked.get("state") == "RECALL_NOTICE":
        noticed = [str(row["placement_id"]) for row in answers.notices(viewer, limit=NOTICES_MAX)]
        found = found.filter(pl.col("placement_id").is_in(noticed))
    if "case" in asked:
        found = found.filter(pl.col("case_ref") == asked["case"].upper())
    return found


def _packages(viewer: Actor, chosen: pl.DataFrame) -> list[dict[str, Any]]:
    """Give the live packages that hold one of these placements: a recall takes the cases out, and their files away."""
    first = {
        (row["run_id"], row["agency_id"]): row["placed_at"]
        for row in chosen.group_by("run_id", "agency_id").agg(pl.col("placed_at").min()).to_dicts()
    }
    return [
        row
        for row in sharing.packages(viewer)
        if row["state"] != "REVOKED"
        and (key := (str(row["run_id"]), str(row["agency_id"]))) in first
        and first[key] <= row["built_at"]
    ]


@access.page(permission="placement.recall")
@require_http_methods(["GET", "HEAD", "POST"])
def recall(request: HttpRequest) -> HttpResponse:
    """Say what a recall would do; a POST with a coded reason does it or gives notice, if the numbers still are what was shown."""
    viewer = request.actor  # type: ignore[attr-defined]
    chosen, problem = _chosen(viewer, request.GET), ""
    typed = {"reason": request.POST.get("reason", ""), "n": request.POST.get("n", "")}
    if request.method == "POST":
        try:
            if typed["n"] != str(chosen.height):
                problem = _("The numbers have changed since this page was shown: look at them again.")
            elif not typed["reason"]:
                problem = _("Choose a reason.")
            else:
                ids = [UUID(one) for one in chosen["placement_id"].to_list()]
                return _take_back(request, ids, reason=typed["reason"])
        except Refusal as refusal:
            problem = str(refusal)
    return render(
        request,
        "console/placement/recall.html",
        presenters.recall(
            chosen,
            packages=_packages(viewer, chosen),
            reasons=services.RECALL_REASONS,
            agencies=partners.agencies(viewer),
            query=request.GET.urlencode(),
            typed=typed | {"final_on": request.POST.get("final_on", "")},
            earliest=earliest_final(viewer),
            problem=problem,
        ),
        status=400 if problem else 200,
    )


def _take_back(request: HttpRequest, ids: list[UUID], *, reason: str) -> HttpResponse:
    """Give notice where the reason asks for it, else recall at once."""
    actor, at = request.actor, clock.now()  # type: ignore[attr-defined]
    if reason in terms.NOTICED:
        final_on = Posted(request.POST).day_or_none("final_on")
        told = services.give_notice(actor=actor, placement_ids=ids, reason=reason, final_on=final_on, at=at)
        text = ngettext(
            "%(n)s placement is under notice of recall.", "%(n)s placements are under notice of recall.", told
        )
        messages.info(request, text % {"n": f"{told:,}"})
        return redirect("placement:recalls")
    ended = services.recall(actor=actor, placement_ids=ids, reason=reason, at=at)
    text = ngettext("%(n)s placement is recalled.", "%(n)s placements are recalled.", ended)
    messages.info(request, text % {"n": f"{ended:,}"})
    return redirect("placement:placements")


urlpatterns = [
    path("placements/", placements, name="placements"),
    path("placements/<uuid:placement_id>/", placement, name="placement"),
    path("recall/", recall, name="recall"),
]
