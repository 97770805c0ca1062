"""Addresses of the web faces. Console rooms live at the root, in process order."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from allauth.account import urls as account_urls
from django.urls import URLPattern, include, path
from django.views.i18n import set_language

from weituo.web.invited import invited

#: address → module with `urlpatterns` (and `app_name`) of each console room
CONSOLE = {
    "": "today",
    "book/": "book",
    "agencies/": "partners",
    "plans/": "plans",
    "placement/": "placement",
    "models/": "models",
    "sharing/": "sharing",
    "conduct/": "contact",
    "progress/": "tracking",
    "money/": "ledger",
    "care/": "care",
    "evaluation/": "evaluation",
    "business-case/": "business_case",
    "log/": "log",
    "jobs/": "jobs",
    "settings/": "settings",
}


#: what people need of the sign-in library; nobody registers, and there is no mail to reset by
SIGN_IN = frozenset(
    {
        "account_login",
        "account_logout",
        "account_inactive",
        "account_signup",
        "account_reauthenticate",
        "account_change_password",
        "account_set_password",
    }
)


def _sign_in() -> list[URLPattern]:
    return [found for found in account_urls.urlpatterns if getattr(found, "name", "") in SIGN_IN]


def _rooms() -> list[Any]:
    found: list[Any] = []
    for address, module in CONSOLE.items():
        name = f"weituo.web.console.{module}"
        if find_spec(name) is not None:
            found.append(path(address, include((import_module(name).urlpatterns, module))))
    for address, module in {"agency/": "weituo.web.agency.urls", "my/": "weituo.web.borrower.urls"}.items():
        if find_spec(module) is not None:
            found.append(path(address, include(module)))
    return found


urlpatterns = [
    *_rooms(),
    path("language/", set_language, name="set_language"),
    path("accounts/invited/<str:token>/", invited, name="invited"),
    path("accounts/", include(_sign_in())),
    path("accounts/2fa/", include("allauth.mfa.urls")),
]
