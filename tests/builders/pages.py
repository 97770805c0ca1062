"""Browsers for page tests: a signed-in person of a role, the words of a page, and how many statements it takes."""

from __future__ import annotations

import html
import re
from contextlib import ExitStack
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from weituo.foundation.identity.models import User
from weituo.foundation.identity.roles import Role

LANGUAGES = ("zh-hans", "en")


def browser(
    role: Role = Role.VENDOR_MANAGER,
    *,
    name: str = "lin",
    language: str = "en",
    agency_id: UUID | None = None,
) -> Client:
    """Give a browser in which `name` of this role has signed in with a second factor; faults rise."""
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User.objects.db_manager("owner").create_user(
            username=name, password=None, role=role.value, display_name=name.title(), agency_id=agency_id
        )
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": ""})
    client = Client(headers={"Accept-Language": language})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def words(response: Any) -> str:
    """Give the visible words of a page, blanks folded."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def statements(client: Client, address: str) -> int:
    """Give how many SQL statements a page takes, over all connections, once the session is warm."""
    assert client.get(address).status_code == 200
    with ExitStack() as stack:
        captured = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections]
        response = client.get(address)
    assert response.status_code == 200, response.status_code
    return sum(len(one) for one in captured)
