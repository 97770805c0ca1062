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
