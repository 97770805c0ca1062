"""Every write of progress tracking."""

from __future__ import annotations

from weituo.domain.tracking.services.alerts import close_alert, raise_alerts
from weituo.domain.tracking.services.promises import (
    PromiseAnswer,
    PromiseReport,
    decide_promises,
    record_promises,
)
from weituo.domain.tracking.services.reviews import hold_review

__all__ = [
    "PromiseAnswer",
    "PromiseReport",
    "close_alert",
    "decide_promises",
    "hold_review",
    "raise_alerts",
    "record_promises",
]
