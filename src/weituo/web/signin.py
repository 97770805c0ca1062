"""Sign-in rules: nobody registers by themselves; administrators make users; each kind of user has a start page."""

from __future__ import annotations

import time

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

from weituo.web import access


class AccountAdapter(DefaultAccountAdapter):
    """Close public registration and lead each person to their own face."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return access.home_of(request)

    def is_reauthentication_required(self, *, app: str, **more: object) -> bool:
        """Ask for the password once more only when the sign-in itself is not fresh: the first set-up follows it at once."""
        records = get_authentication_records(self.request, self.request.user)
        fresh = bool(records) and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT
        return not fresh and super().is_reauthentication_required(app=app)
