"""Refusals of models, runs and placements."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict, NotFound


class CohortRefused(BadInput):
    """The cohort cannot be learned from: %(problem)s."""

    code = "cohort_refused"
    remedy = (
        "Give the registry's columns and paid_fraction for at least 300 placed accounts with known outcomes."
    )


class ModelNotFound(NotFound):
    """There is no such model."""

    code = "model_not_found"


class ModelPromoted(Conflict):
    """This model is in use already."""

    code = "model_promoted"


class NoModel(Conflict):
    """No model of expected recovery is in use."""

    code = "no_model"
    remedy = "Train a model and put it in use first."


class ModelUnusable(Conflict):
    """The model's file cannot be used: %(problem)s."""

    code = "model_unusable"
    remedy = "Train the model again and put it in use."


class NotTreated(Conflict):
    """The strategy has not been applied to the book."""

    code = "not_treated"
    remedy = "Publish a strategy and apply it to the book first."


class NothingToPlace(Conflict):
    """No account can be placed: %(reasons)s."""

    code = "nothing_to_place"
    remedy = "Look at the reasons counted; change the strategy, lift holds, or approve agencies."


class NoEligibleAgency(Conflict):
    """No approved agency has its required papers, a service agreement and a confidentiality agreement live."""

    code = "no_eligible_agency"
    rule = "agency in good order"
    remedy = "Verify papers and sign agreements under Agencies."


class LimitsRefused(BadInput):
    """The limits are not usable: %(problem)s."""

    code = "limits_refused"


class LimitsBackwards(BadInput):
    """%(agency)s is asked for at least %(asked)s under %(limit)s, but allowed only %(possible)s."""

    code = "limits_backwards"
    remedy = "Lower the least amount or raise the most."


class LimitsTooHigh(Conflict):
    """%(agency)s must get at least %(asked)s, but only %(possible)s can go there; this would do: %(enough)s."""

    code = "limits_too_high"
    remedy = "Lower the least amount, or let more accounts go there."


class LimitsTogether(Conflict):
    """Not all limits of %(agency)s can be kept at once; this would do: %(enough)s."""

    code = "limits_together"
    remedy = "Change the limits named here."


class RunNotFound(NotFound):
    """There is no such run."""

    code = "run_not_found"


class WrongRunState(Conflict):
    """The run is %(state)s; this step is not possible from there."""

    code = "wrong_run_state"


class SecondPersonNeeded(Conflict):
    """Whoever proposed a run cannot decide it."""

    code = "second_person_needed"
    rule = "two-person approval"
    remedy = "Ask a colleague with the permission “placement.decide”."


class ReasonNeeded(BadInput):
    """A rejection needs a reason."""

    code = "reason_needed"


class AlreadyPlaced(Conflict):
    """%(accounts)s accounts of this run have been placed by another run since."""

    code = "already_placed"
    remedy = "Reject this run and solve again."


class CapacityExceeded(Conflict):
    """%(agency)s has room for %(room)s more accounts; this run would place %(accounts)s."""

    code = "capacity_exceeded"
    rule = "capacity of the agency"
    remedy = "Raise the capacity, or reject this run and solve again."


class AgencyNotInOrder(Conflict):
    """%(agency)s has lost its approval, a required paper or an agreement since the run was solved."""

    code = "agency_not_in_order"
    rule = "agency in good order"
    remedy = "Renew what is missing, or reject this run and solve again."


class PlacementNotFound(NotFound):
    """There is no such placement."""

    code = "placement_not_found"


class RecallRefused(BadInput):
    """%(reason)s is not a reason for recall."""

    code = "recall_refused"
    remedy = "Choose one of the coded reasons."


class NoticeNeeded(Conflict):
    """A recall for %(reason)s is told first and becomes final on a day."""

    code = "notice_needed"
    rule = "recall in two steps"
    remedy = "Give notice; reasons that protect the customer are final at once."


class OfferNotYours(NotFound):
    """There is no offer %(what)s, or it is not yours."""

    code = "offer_not_yours"


class OfferAnswered(Conflict):
    """This offer is not open any more: %(state)s."""

    code = "offer_answered"


class AnswerTooLate(Conflict):
    """This offer was to be answered before %(deadline)s."""

    code = "answer_too_late"
    remedy = "The lender places the account again; a later offer may come."


class AnswerRefused(BadInput):
    """The answer is not usable: %(problem)s."""

    code = "answer_refused"


class NotRefillable(Conflict):
    """Only an approved run is filled again; this one is %(state)s."""

    code = "not_refillable"


class NoticeRefused(BadInput):
    """The notice is not usable: %(problem)s."""

    code = "notice_refused"


class NoticeNotFound(NotFound):
    """There is no open recall notice for %(what)s, or it is not yours."""

    code = "notice_not_found"


class ObjectionRefused(BadInput):
    """The objection is not usable: %(problem)s."""

    code = "objection_refused"


class ObjectionTooLate(Conflict):
    """The recall of %(case)s is final on %(day)s; an objection had to come before."""

    code = "objection_too_late"


class ObjectionStands(Conflict):
    """An objection for %(case)s waits for the lender's decision already."""

    code = "objection_stands"


class ObjectionNotFound(NotFound):
    """There is no such objection."""

    code = "objection_not_found"


class ObjectionDecided(Conflict):
    """This objection is not open any more: %(state)s."""

    code = "objection_decided"


class RetentionRefused(BadInput):
    """The extension is not usable: %(problem)s."""

    code = "retention_refused"


class NotRetainable(Conflict):
    """%(case)s cannot be kept longer: %(problem)s."""

    code = "not_retainable"
    rule = "the lender's terms of retention"


class TermsRefused(BadInput):
    """The terms are not usable: %(problem)s."""

    code = "terms_refused"
