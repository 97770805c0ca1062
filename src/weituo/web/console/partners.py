"""Agencies 机构: the pipeline board and, per agency, the dossier with every act from prospect to partner."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weituo.core.recovery.buckets import BUCKETS
from weituo.domain.partners import queries, scoring, services
from weituo.domain.tracking import queries as tracking
from weituo.foundation import clock, days
from weituo.foundation.errors import BadInput, Refusal
from weituo.web import access
from weituo.web.console import relations
from weituo.web.posted import Posted
from weituo.web.presenters import dossier
from weituo.web.presenters import partners as presenters

PAPER_BYTES_MAX = 20_000_000


def _active(viewer: Any) -> dict[UUID, int]:
    if not viewer.may("tracking.read"):
        return {}
    return {row["agency_id"]: row["active"] for row in tracking.coverage(viewer)}


@access.page(permission="partners.read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show every agency in its state, with what it lacks and what waits."""
    return _board(request, typed={})


def _board(request: HttpRequest, *, typed: dict[str, Any], status: int = 200) -> HttpResponse:
    viewer, today = request.actor, days.day_of(clock.now())  # type: ignore[attr-defined]
    context = presenters.board(
        queries.pipeline(viewer, on=today),
        lacking=queries.lacking(viewer, on=today),
        stopped=queries.stopped(viewer, on=today),
        proposals=queries.open_proposals(viewer),
        active=_active(viewer),
        actor=viewer,
        today=today,
    )
    return render(request, "console/partners/index.html", context | {"typed": typed}, status=status)


@access.page(permission="partners.read")
@require_safe
def agency(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Show one agency's dossier."""
    return _dossier(request, agency_id, typed={})


def _dossier(
    request: HttpRequest, agency_id: UUID, *, typed: dict[str, Any], status: int = 200
) -> HttpResponse:
    viewer, today = request.actor, days.day_of(clock.now())  # type: ignore[attr-defined]
    found = queries.dossier(viewer, agency_id=agency_id)
    if found is None:
        raise Http404
    context = dossier.agency(
        found,
        lacking=queries.lacking(viewer, on=today, agency_id=agency_id)[agency_id],
        stopped_by=queries.stopped(viewer, on=today, agency_id=agency_id).get(agency_id, {}),
        active=_active(viewer).get(agency_id, 0),
        weights=scoring.WEIGHTS,
        buckets=BUCKETS[1:],
        actor=viewer,
        today=today,
        typed=typed,
    )
    return render(request, "console/partners/agency.html", context, status=status)


def _act(request: HttpRequest, agency_id: UUID, run: Callable[[], object], done: str) -> HttpResponse:
    """Run one act; a refusal shows the dossier again with what was typed."""
    try:
        run()
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _dossier(request, agency_id, typed=Posted(request.POST).typed(), status=refusal.status)
    messages.info(request, done)
    return redirect("partners:agency", agency_id)


@access.page(permission="partners.register")
@require_POST
def register(request: HttpRequest) -> HttpResponse:
    """Enter an agency as a prospect."""
    posted = Posted(request.POST)
    try:
        agency_id = services.register_agency(
            actor=request.actor,  # type: ignore[attr-defined]
            code=posted.needed("code").upper(),
            name_zh=posted.needed("name_zh"),
            name_en=posted.needed("name_en"),
            regions=posted.words("regions"),
            public_phone=posted.text("public_phone"),
            group=posted.text("group"),
            at=clock.now(),
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _board(request, typed=posted.typed(), status=refusal.status)
    messages.info(request, _("The agency is on file as a prospect."))
    return redirect("partners:agency", agency_id)


@access.page(permission="partners.register")
@require_POST
def paper(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Put a paper on file; the digest of the file that was seen goes with it."""
    posted = Posted(request.POST)

    def run() -> None:
        services.add_paper(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=agency_id,
            kind=posted.text("kind"),
            number=posted.needed("number"),
            issuer=posted.needed("issuer"),
            valid_from=posted.day("valid_from"),
            valid_to=posted.day_or_none("valid_to"),
            digest=_digest(request),
            facts=_facts(posted),
            at=clock.now(),
        )

    return _act(request, agency_id, run, _("The paper is on file. It counts once somebody has verified it."))


def _digest(request: HttpRequest) -> str:
    file = request.FILES.get("file")
    if file is None:
        raise BadInput(problem=_("choose the file of the paper"), where="file")
    if (file.size or 0) > PAPER_BYTES_MAX:
        raise BadInput(problem=_("the file is larger than 20 MB"), where="file")
    state = hashlib.sha256()
    for chunk in file.chunks():
        state.update(chunk)
    return state.hexdigest()


def _facts(posted: Posted) -> dict[str, Any]:
    """Read a paper's figures; only what was filled in is kept."""
    facts: dict[str, Any] = {}
    if posted.text("liquidation"):
        facts["liquidation"] = posted.share_bps("liquidation") / 10_000
    if posted.text("complaints_per_1000"):
        facts["complaints_per_1000"] = posted.share_bps("complaints_per_1000") / 100
    if posted.text("rating"):
        facts["rating"] = posted.count("rating")
    if posted.text("client"):
        facts["client"] = posted.text("client")
    if posted.text("adverse_record") == "yes":
        facts["adverse_record"] = True
    return facts


@access.page(permission="partners.verify_paper")
@require_POST
def verify(request: HttpRequest, agency_id: UUID, paper_id: UUID) -> HttpResponse:
    """Confirm that a paper was seen and is genuine."""
    return _act(
        request,
        agency_id,
        lambda: services.verify_paper(actor=request.actor, paper_id=paper_id, at=clock.now()),  # type: ignore[attr-defined]
        _("The paper counts from now on."),
    )


@access.page(permission="partners.assess")
@require_POST
def assess(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Score the agency by criterion, each score resting on verified papers."""
    posted = Posted(request.POST)

    def run() -> None:
        services.assess(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=agency_id,
            scores={name: posted.count(f"score_{name}") for name in scoring.WEIGHTS},
            evidence={name: posted.ids(f"evidence_{name}") for name in scoring.WEIGHTS},
            at=clock.now(),
        )

    return _act(request, agency_id, run, _("The score stands with its derivation."))


@access.page(permission="partners.propose")
@require_POST
def propose(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Propose to let the agency in."""
    posted = Posted(request.POST)

    def run() -> None:
        services.propose_approval(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=agency_id,
            capacity_accounts_max=posted.count("capacity"),
            reason=posted.needed("reason"),
            at=clock.now(),
        )

    return _act(request, agency_id, run, _("The proposal waits for a second person."))


@access.page(permission="partners.decide")
@require_POST
def decide(request: HttpRequest, agency_id: UUID, proposal_id: UUID) -> HttpResponse:
    """Decide a proposal as a second person."""
    posted, approved = Posted(request.POST), request.POST.get("approved") == "yes"

    def run() -> None:
        services.decide_proposal(
            actor=request.actor,  # type: ignore[attr-defined]
            proposal_id=proposal_id,
            approved=approved,
            reason=posted.needed("reason"),
            at=clock.now(),
        )

    done = _("The agency is approved.") if approved else _("The agency is not let in.")
    return _act(request, agency_id, run, done)


@access.page(permission="partners.agree")
@require_POST
def agree(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Put a new version of an agreement in force."""
    posted = Posted(request.POST)
    fees = {bucket: f"fee_{bucket}" for bucket in [*BUCKETS[1:], "default"]}

    def run() -> None:
        services.sign_agreement(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=agency_id,
            kind=posted.text("kind"),
            active_from=posted.day("active_from"),
            active_to=posted.day_or_none("active_to"),
            fields_allowed=posted.texts("fields_allowed"),
            fee_bps_by_bucket={bucket: posted.share_bps(key) for bucket, key in fees.items() if posted.text(key)},
            accepts_in_advance=posted.text("accepts_in_advance") != "no",
            at=clock.now(),
        )  # fmt: skip

    return _act(request, agency_id, run, _("The agreement is signed."))


@access.page(permission="partners.agree")
@require_POST
def end_agreement(request: HttpRequest, agency_id: UUID, agreement_id: UUID) -> HttpResponse:
    """End an agreement today."""
    return _act(
        request,
        agency_id,
        lambda: services.end_agreement(
            actor=request.actor,  # type: ignore[attr-defined]
            agreement_id=agreement_id,
            reason=Posted(request.POST).needed("reason"),
            at=clock.now(),
        ),
        _("The agreement has ended; nothing is shared or worked under it from now on."),
    )


@access.page(permission="partners.register")
@require_POST
def collector(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Register a collector under a public badge number."""
    posted = Posted(request.POST)

    def run() -> None:
        services.register_collector(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=agency_id,
            badge=posted.needed("badge").upper(),
            alias=posted.needed("alias"),
            registered_on=days.day_of(clock.now()),
            trained_until=posted.day("trained_until"),
            at=clock.now(),
        )

    return _act(request, agency_id, run, _("The collector is registered; borrowers can check the badge."))


@access.page(permission="partners.register")
@require_POST
def change_collector(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Let a collector go, or write down until when their training is valid; permits without ground are void at once."""
    posted = Posted(request.POST)
    leaves = posted.text("change") == "LEFT"

    def run() -> None:
        actor, at = request.actor, clock.now()  # type: ignore[attr-defined]
        posted.needed("collector")
        collector_id, reason = posted.ids("collector")[0], posted.needed("reason")
        if leaves:
            services.end_collector(actor=actor, collector_id=collector_id, reason=reason, at=at)
        else:
            day = posted.day("trained_until")
            services.set_training(
                actor=actor, collector_id=collector_id, trained_until=day, reason=reason, at=at
            )

    done = _("The collector has left.") if leaves else _("The training is written down.")
    return _act(request, agency_id, run, done)


@access.page(permission="partners.set_capacity")
@require_POST
def capacity(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Set how many accounts the agency may hold: surge or shrink within the day."""
    posted = Posted(request.POST)

    def run() -> None:
        services.set_capacity(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=agency_id,
            capacity_accounts_max=posted.count("capacity"),
            reason=posted.needed("reason"),
            at=clock.now(),
        )

    return _act(request, agency_id, run, _("The capacity counts from the next placement run on."))


@access.page(permission="partners.suspend")
@require_POST
def suspend(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Stop the agency at once."""
    return _act(
        request,
        agency_id,
        lambda: services.suspend(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=agency_id,
            reason=Posted(request.POST).needed("reason"),
            at=clock.now(),
        ),
        _("The agency is suspended: it gets no permit, no package and no placement."),
    )


@access.page(permission="partners.decide")
@require_POST
def reinstate(request: HttpRequest, agency_id: UUID) -> HttpResponse:
    """Let a suspended agency work again, as a second person."""
    return _act(
        request,
        agency_id,
        lambda: services.reinstate(
            actor=request.actor,  # type: ignore[attr-defined]
            agency_id=agency_id,
            reason=Posted(request.POST).needed("reason"),
            at=clock.now(),
        ),
        _("The agency works again."),
    )


urlpatterns = [
    path("", index, name="index"),
    path("register/", register, name="register"),
    path("<uuid:agency_id>/", agency, name="agency"),
    path("<uuid:agency_id>/papers/", paper, name="paper"),
    path("<uuid:agency_id>/papers/<uuid:paper_id>/verify/", verify, name="verify"),
    path("<uuid:agency_id>/assess/", assess, name="assess"),
    path("<uuid:agency_id>/propose/", propose, name="propose"),
    path("<uuid:agency_id>/proposals/<uuid:proposal_id>/decide/", decide, name="decide"),
    path("<uuid:agency_id>/agreements/", agree, name="agree"),
    path("<uuid:agency_id>/agreements/<uuid:agreement_id>/end/", end_agreement, name="end_agreement"),
    path("<uuid:agency_id>/collectors/", collector, name="collector"),
    path("<uuid:agency_id>/collectors/change/", change_collector, name="change_collector"),
    path("<uuid:agency_id>/capacity/", capacity, name="capacity"),
    path("<uuid:agency_id>/suspend/", suspend, name="suspend"),
    path("<uuid:agency_id>/reinstate/", reinstate, name="reinstate"),
    *relations.urlpatterns,
]
