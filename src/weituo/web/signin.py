"""Sign-in rules: nobody registers by themselves; administrators make users; each kind of user has a start page."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from weituo.web import access


class AccountAdapter(DefaultAccountAdapter):
    """Close public registration and lead each person to their own face."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return access.home_of(request)
