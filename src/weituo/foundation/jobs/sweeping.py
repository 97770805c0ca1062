"""What a worker tidies up when it starts: files that no open job needs any more."""

from __future__ import annotations

from weituo.foundation import transactions
from weituo.foundation.files import uploads
from weituo.foundation.jobs.models import Job
from weituo.foundation.jobs.queue import WORKER


def sweep() -> int:
    """Remove uploads that killed processes left behind, and give how many."""
    with transactions.reading(WORKER):
        wanted = [
            arguments.get("file", "")
            for arguments in Job.objects.filter(state__in=["WAITING", "RUNNING"]).values_list("arguments", flat=True)
        ]  # fmt: skip
    return uploads.sweep(wanted=wanted)
