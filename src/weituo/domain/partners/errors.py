"""Refusals of screening and agreements."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict, NotFound


class AgencyNotFound(NotFound):
    """There is no agency %(what)s."""

    code = "agency_not_found"


class AgencyExists(Conflict):
    """An agency %(agency)s stands already."""

    code = "agency_exists"


class NotAdmissible(Conflict):
    """%(agency)s cannot be approved: %(lacking)s."""

    code = "not_admissible"
    rule = "GB/T 45251-2025 5.4"
    remedy = "Add and verify what is missing, then propose again."


class SecondPersonNeeded(Conflict):
    """Whoever proposed a change cannot decide it."""

    code = "second_person_needed"
    rule = "two-person approval"
    remedy = "Ask a colleague with the permission “partners.decide”."


class WrongState(Conflict):
    """%(agency)s is %(state)s; this step is not possible from there."""

    code = "wrong_state"


class NothingProposed(NotFound):
    """There is no open proposal for this agency."""

    code = "nothing_proposed"


class PaperRefused(BadInput):
    """The paper is not usable: %(problem)s."""

    code = "paper_refused"


class AssessmentRefused(BadInput):
    """The assessment is not usable: %(problem)s."""

    code = "assessment_refused"
    remedy = "Score every criterion from 0 to 100 and name the papers it rests on."


class AgreementRefused(BadInput):
    """The agreement is not usable: %(problem)s."""

    code = "agreement_refused"


class AgreementEndedBefore(Conflict):
    """This agreement ended on %(on)s."""

    code = "agreement_ended"


class CollectorRefused(BadInput):
    """The collector cannot be registered: %(problem)s."""

    code = "collector_refused"


class BadgeTaken(Conflict):
    """The badge %(badge)s is another collector's."""

    code = "badge_taken"
    remedy = "Give every collector a badge of their own; one that was used stays with its collector."


class CollectorLeft(Conflict):
    """The collector with badge %(badge)s left on %(on)s."""

    code = "collector_left"


class GroupStands(Conflict):
    """%(agency)s belongs to the group %(group)s already."""

    code = "group_stands"
    remedy = "End that membership first; an agency belongs to one group at a time."


class NoGroup(NotFound):
    """%(agency)s belongs to no group."""

    code = "no_group"


class ConflictRefused(BadInput):
    """The conflict cannot be entered: %(problem)s."""

    code = "conflict_refused"


class ConflictStands(Conflict):
    """The same conflict of %(agency)s is in force already."""

    code = "conflict_stands"
    remedy = "Nothing needs to be done; end it where it stands when its reason is gone."


class ConflictNotFound(NotFound):
    """There is no such conflict in force."""

    code = "conflict_not_found"
