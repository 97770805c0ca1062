"""Jobs in page tests: what a page started is done here and now, and its page is opened as the person would see it."""

from __future__ import annotations

from typing import Any

from django.test import Client

from weituo.foundation.jobs import worker


def done(client: Client, answer: Any) -> Any:
    """Let a worker do what `answer` started, and give the job's page."""
    assert answer.status_code == 302, answer.status_code
    assert answer.headers["Location"].startswith("/jobs/"), answer.headers["Location"]
    assert worker.work_off() >= 1
    return client.get(answer.headers["Location"])


def result(client: Client, answer: Any) -> str:
    """Let a worker do what `answer` started, and give the address of what it made."""
    page = done(client, answer)
    assert page.context["job"]["state"] == "DONE", page.context["state"]["text"]
    return str(page.context["job"]["result"])
