"""Refusals of the care desk."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict, NotAllowed, NotFound


class CodeRefused(NotAllowed):
    """The code and the last four characters of the identity number do not belong together."""

    code = "code_refused"
    status = 403
    remedy = "Check the letter; after five wrong answers the code rests for an hour."


class CodeResting(NotAllowed):
    """This code rests after too many wrong answers."""

    code = "code_resting"
    status = 429
    remedy = "Try again in an hour, or call the lender's published number."


class CaseNotFound(NotFound):
    """There is no such case."""

    code = "case_not_found"


class CaseDecided(Conflict):
    """The case was decided before."""

    code = "case_decided"
    remedy = "Open a new case if there are new facts."


class WishRefused(BadInput):
    """The wish is not usable: %(problem)s."""

    code = "wish_refused"
    remedy = "Choose at least one channel and hours between 8:00 and 22:00 with the end after the beginning."


class AccountNotYours(NotFound):
    """There is no such account of this borrower."""

    code = "account_not_found"


class AlreadyStopped(Conflict):
    """Contact with this borrower is stopped everywhere already."""

    code = "already_stopped"
    remedy = "End the hold on the account's page if contact may go on."
