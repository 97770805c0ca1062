"""What a worker tidies up now and then: files that no open job needs any more, answers whose time is over."""

from __future__ import annotations

from datetime import datetime

from weituo.foundation import transactions
from weituo.foundation.files import uploads
from weituo.foundation.idempotency import keeper
from weituo.foundation.jobs.models import Job
from weituo.foundation.jobs.queue import WORKER


def sweep(*, at: datetime) -> int:
    """Remove uploads that killed processes left behind and kept answers that are too old; give how many of both."""
    with transactions.reading(WORKER):
        wanted = [
            arguments.get("file", "")
            for arguments in Job.objects.filter(state__in=["WAITING", "RUNNING"]).values_list("arguments", flat=True)
        ]  # fmt: skip
    return uploads.sweep(wanted=wanted) + keeper.sweep(at=at)
