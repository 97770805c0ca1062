"""Every write of the compliance gate."""

from __future__ import annotations

from weituo.domain.contact.services.attempts import AttemptAnswer, AttemptReport, log_attempts
from weituo.domain.contact.services.permits import PermitAnswer, PermitRequest, ask_permits
from weituo.domain.contact.services.preferences import set_preference
from weituo.domain.contact.services.violations import close_violation
from weituo.domain.contact.services.voiding import decide_again, void_groundless

__all__ = [
    "AttemptAnswer",
    "AttemptReport",
    "PermitAnswer",
    "PermitRequest",
    "ask_permits",
    "close_violation",
    "decide_again",
    "log_attempts",
    "set_preference",
    "void_groundless",
]
