"""Models 模型: what was learnt, how good it is, whether it still fits, and which one is in use."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weituo.domain.book import queries as book
from weituo.domain.evaluation import jobs
from weituo.domain.placement import batches, queries, services
from weituo.foundation import clock, days
from weituo.foundation.errors import BadInput, Refusal
from weituo.web import access, uploading
from weituo.web.console.jobs import begin_with_file
from weituo.web.posted import Posted
from weituo.web.presenters import models as presenters


@access.page(permission="placement.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the versions, the one in use first in mind."""
    viewer = request.actor  # type: ignore[attr-defined]
    return render(
        request, "console/models/index.html", presenters.overview(queries.models(viewer), actor=viewer)
    )


@access.page(permission="placement.train")
@require_POST
def train(request: HttpRequest) -> HttpResponse:
    """Start training on the book's own placements, on a file of past ones, or in the demonstration on invented ones."""
    try:
        uploading.check(request)
        form = Posted(request.POST)
        source = form.needed("source")
        if source not in {key for key, _label in presenters.sources()}:
            raise BadInput(problem=_("choose from the list"), where="source")
        order = {
            "source": source,
            "seed": form.count("seed"),
            "horizon_weeks": form.count("horizon_weeks"),
            "invented": form.count("invented") if source == "INVENTED" else 0,
        }
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("models:index")
    return begin_with_file(request, jobs.TRAIN, order, optional=source != "FILE", otherwise="models:index")


@access.page(permission="placement.read")
@require_safe
def model(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Show one model's card."""
    viewer = request.actor  # type: ignore[attr-defined]
    row = queries.model(viewer, model_id=model_id)
    buckets = book.buckets(viewer, on=days.day_of(clock.now()))
    return render(
        request,
        "console/models/model.html",
        presenters.card(
            row,
            drift=batches.drift(viewer, model_id=model_id),
            used=next((one for one in queries.models(viewer) if one["state"] == "PROMOTED"), None),
            currency=buckets[0]["currency"] if buckets else "CNY",
            actor=viewer,
        ),
    )


@access.page(permission="placement.train")
@require_POST
def promote(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Put a model in use; the one before retires."""
    try:
        services.promote_model(actor=request.actor, model_id=model_id, at=clock.now())  # type: ignore[attr-defined]
        messages.info(request, _("The model is in use from the next run on."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("models:model", model_id)


urlpatterns = [
    path("", index, name="index"),
    path("train/", train, name="train"),
    path("<uuid:model_id>/", model, name="model"),
    path("<uuid:model_id>/promote/", promote, name="promote"),
]
