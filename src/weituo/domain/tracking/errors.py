"""Refusals of progress tracking."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict, NotFound


class PlacementNotYours(NotFound):
    """There is no case %(what)s of your agency."""

    code = "case_not_found"
    remedy = "Fetch your cases with GET /placements."


class PromiseRefused(BadInput):
    """The promise is not usable: %(problem)s."""

    code = "promise_refused"
    remedy = "Send 1 to 500 promises, each with an amount above zero, the case's currency and a day that is not past."


class PromiseReferenceReused(Conflict):
    """The reference %(what)s was used before for another promise."""

    code = "sender_ref_reused"
    remedy = "Give every promise a reference of its own."


class AlertNotFound(NotFound):
    """There is no such alert."""

    code = "alert_not_found"


class AlertClosed(Conflict):
    """The alert was closed before."""

    code = "alert_closed"


class AgencyUnknown(NotFound):
    """There is no such agency."""

    code = "agency_not_found"
