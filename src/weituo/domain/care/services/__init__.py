"""Every write of the care desk."""

from __future__ import annotations

from weituo.domain.care.services.access import issue_code, sign_in_borrower
from weituo.domain.care.services.cases import decide_case, open_case
from weituo.domain.care.services.stopping import Stopped, stop_everywhere
from weituo.domain.care.services.wishes import set_wish

__all__ = [
    "Stopped",
    "decide_case",
    "issue_code",
    "open_case",
    "set_wish",
    "sign_in_borrower",
    "stop_everywhere",
]
