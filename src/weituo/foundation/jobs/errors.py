"""Refusals of jobs."""

from __future__ import annotations

from weituo.foundation.errors import Conflict, NotFound


class JobNotFound(NotFound):
    """There is no job with this id."""

    code = "job_not_found"


class JobUnknown(Conflict):
    """This version of the program knows no job “%(kind)s”."""

    code = "job_unknown"
    remedy = "Start the work anew on its page."


class JobGaveUp(Conflict):
    """The job's worker ended %(attempts)s times in the middle of it, so it is not tried again."""

    code = "job_gave_up"
    remedy = "Look at the worker's log and at the memory of the machine, then start the work anew."
