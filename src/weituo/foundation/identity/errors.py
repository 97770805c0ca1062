"""Refusals about people and keys."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict


class KeyEnded(Conflict):
    """This key has ended already."""

    code = "key_ended"


class WeakPassword(BadInput):
    """The password is too weak: %(problem)s"""

    code = "weak_password"
    remedy = "Use at least 12 characters that are not a common password."


class OwnAccount(Conflict):
    """Nobody changes their own account: a second administrator does it."""

    code = "own_account"


class LastAdministrator(Conflict):
    """%(username)s is the only administrator: without one nobody could be invited any more."""

    code = "last_administrator"
    remedy = "Give another person the role of administrator first."


class StandsAlready(Conflict):
    """This stands already; nothing was changed."""

    code = "stands_already"


class InvitationRefused(Conflict):
    """This invitation is no longer open: it was used, replaced by a newer one, or its time is over."""

    code = "invitation_refused"
    status = 410
    remedy = "Ask your administrator for a new link."
