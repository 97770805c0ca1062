"""Sign-in rules: nobody registers by themselves; administrators make users."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Close public registration."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
