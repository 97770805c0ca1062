"""The one table: event → what other rooms do, in the same transaction; files and messages follow its commit by themselves."""

from __future__ import annotations

from weituo.domain.book import events as book_events
from weituo.domain.care import events as care_events
from weituo.domain.contact import events as contact_events
from weituo.domain.contact.services import preferences, voiding
from weituo.domain.evaluation import events as evaluation_events
from weituo.domain.ledger import events as ledger_events
from weituo.domain.ledger.services import refreshed
from weituo.domain.partners import events as partners_events
from weituo.domain.placement import events as placement_events
from weituo.domain.plans import events as plans_events
from weituo.domain.sharing import events as sharing_events
from weituo.domain.sharing.services import revocation
from weituo.foundation.events import react

AGENCY_SUSPENDED = "AGENCY_SUSPENDED"
AGREEMENT_ENDED = "AGREEMENT_ENDED"


def _decide_again(event: book_events.HoldPlaced) -> None:
    voiding.decide_again(borrower_id=event.borrower_id, at=event.placed_at, because=event.kind)


def _book_what_changed(event: book_events.BalancesRefreshed) -> None:
    refreshed.follow_book(import_id=event.import_id, at=event.refreshed_at)


def _tell_the_gate(event: care_events.WishSet) -> None:
    preferences.set_preference(
        borrower_id=event.borrower_id,
        channels=event.channels,
        hour_from=event.hour_from,
        hour_to=event.hour_to,
        at=event.set_at,
    )


def _end_work_of_suspended(event: partners_events.AgencySuspended) -> None:
    voiding.void_groundless(agency_id=event.agency_id, at=event.suspended_at, because=AGENCY_SUSPENDED)


def _end_work_without_agreement(event: partners_events.AgreementEnded) -> None:
    voiding.void_groundless(agency_id=event.agency_id, at=event.ended_at, because=AGREEMENT_ENDED)


def _end_work_of_collector(event: partners_events.CollectorChanged) -> None:
    voiding.void_groundless(
        agency_id=event.agency_id, collector_id=event.collector_id, at=event.changed_at, because=event.change
    )


def _take_back_packages(event: partners_events.AgencySuspended) -> None:
    revocation.revoke_packages(agency_id=event.agency_id, reason=AGENCY_SUSPENDED, at=event.suspended_at)


def _take_back_packages_without_ground(event: partners_events.AgreementEnded) -> None:
    if event.kind == "CONFIDENTIALITY":
        revocation.revoke_packages(agency_id=event.agency_id, reason=AGREEMENT_ENDED, at=event.ended_at)


def _end_work_on_recalled(event: placement_events.PlacementsRecalled) -> None:
    voiding.void_groundless(placement_ids=event.placement_ids, at=event.recalled_at, because=event.reason)
    revocation.take_back_cases(placement_ids=event.placement_ids, reason=event.reason, at=event.recalled_at)


react(
    ledger_events.PaymentsBooked,
    because="balances are lowered inside the booking act itself; promises are decided by the tracking job from booked money",
)
react(
    ledger_events.StatementApproved,
    because="the payout is booked inside the act; the agency reads the state of its statement through API and portal",
)
react(
    care_events.CaseOpened,
    because="the act itself puts the hold on; HoldPlaced then decides unused permits again in the same transaction",
)
react(
    care_events.CaseDecided,
    because="the act itself lifts the hold; the answer is read on the borrower's page, the scorecard counts the case",
)
react(
    book_events.BalancesRefreshed,
    same_transaction=(_book_what_changed,),
    because="ledger and book agree at every commit: what a file states anew is an entry",
)
react(
    book_events.HoldLifted,
    because="permits are asked anew for every contact; nothing has to be restored",
)
react(
    book_events.HoldPlaced,
    same_transaction=(_decide_again,),
    because="no contact may follow a dispute, a death or a cease request, not even on a permit granted a minute before",
)
react(
    care_events.WishSet,
    same_transaction=(_tell_the_gate,),
    because="a wish binds before the borrower has left the page, permits that were granted before it as well",
)
react(
    contact_events.ViolationsFound,
    because="the violation stands in compliance's queue with its clock; the scorecard counts it",
)
react(
    partners_events.AgencyApproved,
    because="an approved agency waits for its plan and the next placement run; nothing follows by itself",
)
react(
    partners_events.AgencySuspended,
    same_transaction=(_end_work_of_suspended, _take_back_packages),
    because="a stopped agency contacts nobody, on no permit granted before, and no file stays open to it",
)
react(
    partners_events.AgreementEnded,
    same_transaction=(_end_work_without_agreement, _take_back_packages_without_ground),
    because="without live agreements nobody is contacted, and without one on confidentiality no file may stay",
)
react(
    partners_events.CollectorChanged,
    same_transaction=(_end_work_of_collector,),
    because="a collector who has left or whose training is over contacts nobody, on no permit granted before",
)
react(
    placement_events.PlacementsMade,
    because="packages are sealed agency by agency by an act of their own; the agency's system lists its new cases",
)
react(
    placement_events.PlacementsOffered,
    because="an offer is read in the agency's portal and by its system; nothing is shared before it is accepted",
)
react(
    placement_events.PlacementsAccepted,
    because="sharing.ready lists what no package holds yet, and a package that lacks accepted cases may be replaced",
)
react(
    placement_events.PlacementsDeclined,
    because="nothing was shared of an offer, so nothing is taken back; refilling the run is an act of its own",
)
react(
    placement_events.RunRefilled,
    because="a refill makes offers and placements like an approval; packages are sealed by an act of their own",
)
react(
    placement_events.RecallNoticed,
    because="the placements stay active until the recall is final; the agency reads the notice at once",
)
react(
    placement_events.RecallNoticesEnded,
    because="nothing was taken away by the notice, so nothing has to be restored",
)
react(
    placement_events.RecallObjected,
    because="the objection stands in the lender's queue, and the recall waits for its decision",
)
react(
    placement_events.ObjectionsDecided,
    because="the act itself moves the recall's day or makes it final; PlacementsRecalled then ends the work",
)
react(
    placement_events.PlacementsRetained,
    because="permits are asked anew for every contact and judged by the term that stands then",
)
react(
    placement_events.PlacementsRecalled,
    same_transaction=(_end_work_on_recalled,),
    because="no contact may be made and no file with it be handed out for a case that the agency has no longer",
)
react(
    plans_events.PlanSigned,
    because="curves are drawn against the plan in force when they are read",
)
react(
    plans_events.StrategyPublished,
    because="a strategy is applied to the book by an act of its own, so that a person sees the counts first",
)
react(
    sharing_events.PackageBuilt,
    because="the agency's system lists its packages; the row and its file are there from this commit on",
)
react(
    sharing_events.PackagesRevoked,
    because="the revoking act itself destroys the files after its commit; a sweep removes what a crash left",
)
react(
    evaluation_events.AgenciesEvaluated,
    because="scorecards are read where they stand; a person draws the consequences",
)
react(
    evaluation_events.DecisionTaken,
    because="tier, capacity and standing are changed inside the deciding act itself",
)
