"""Refusals of the compliance gate. That a contact may not be made is an answer (a refused permit), not an error."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict, NotFound


class PlacementNotYours(NotFound):
    """There is no case %(what)s of your agency."""

    code = "case_not_found"
    remedy = "Fetch your cases with GET /placements; a recalled case stays yours, another agency's never was."


class CollectorUnknown(NotFound):
    """There is no collector with badge %(what)s in your agency."""

    code = "collector_not_found"
    remedy = "Register the collector with the lender first; GET /me lists the badges."


class PointUnknown(NotFound):
    """There is no contact point %(what)s in this case."""

    code = "contact_point_not_found"
    remedy = "Use a reference from the case's contact_points."


class BatchRefused(BadInput):
    """The batch is not usable: %(problem)s."""

    code = "batch_refused"
    remedy = "Send 1 to 500 items, each with known codes and instants that carry an offset."


class ReferenceReused(Conflict):
    """The reference %(what)s was used before for another contact."""

    code = "sender_ref_reused"
    remedy = "Give every contact a reference of its own; repeat one only with the same content."


class ViolationNotFound(NotFound):
    """There is no such violation."""

    code = "violation_not_found"


class ViolationClosed(Conflict):
    """The violation was closed before."""

    code = "violation_closed"


class PermitNotFound(NotFound):
    """There is no such permit."""

    code = "permit_not_found"
