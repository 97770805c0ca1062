"""Who may open a page. A view without a rule is denied to everybody.

`@page(permission="placement.read")` for lender pages, `@agency_page(...)`, `@borrower_page`, `@public_page`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from weituo.foundation.errors import Refusal
from weituo.foundation.identity import people
from weituo.foundation.tenancy.actors import Actor, Kind

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
BORROWER_SESSION_KEY = "borrower_id"
SECOND_FACTOR_KEY = "second_factor_ready"
#: start pages of the faces that one signs in to: people type them, or follow a link from another's face
FRONT_DOORS = frozenset({"/", "/agency/"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may open a view."""

    kinds: frozenset[Kind]
    permission: str = ""
    public: bool = False
    #: read the whole page under one snapshot of the viewer; off where a page also asks what only the gate may see
    one_snapshot: bool = True


def _ruled(rule: Rule) -> Callable[[V], V]:
    def mark(view: V) -> V:
        view.weituo_access = rule  # type: ignore[attr-defined]
        return view

    return mark


def page(*, permission: str) -> Callable[[V], V]:
    """Open a console page to the lender's people and auditors who hold `permission`."""
    return _ruled(Rule(frozenset({Kind.LENDER, Kind.AUDITOR}), permission))


def agency_page(*, permission: str) -> Callable[[V], V]:
    """Open a portal page to an agency's people who hold `permission`."""
    return _ruled(Rule(frozenset({Kind.AGENCY}), permission, one_snapshot=False))


def borrower_page(view: V) -> V:
    """Open a page to a borrower who has proved who they are."""
    return _ruled(Rule(frozenset({Kind.BORROWER})))(view)


def public_page(view: V) -> V:
    """Open a page to everybody."""
    return _ruled(Rule(frozenset(), public=True))(view)


#: views of libraries that we mount: module prefix → rule
_LIBRARY_RULES = {
    "allauth.": Rule(frozenset(), public=True),  # allauth asks for sign-in and re-authentication itself
    "ninja.": Rule(frozenset(), public=True),  # the API has its own authentication on every route
    "django.views.static": Rule(frozenset(), public=True),
    "django.contrib.staticfiles": Rule(frozenset(), public=True),
    "django.views.i18n": Rule(frozenset(), public=True),
}


def rule_of(view: Any) -> Rule | None:
    """Give the rule of a resolved view, or None: denied."""
    rule = getattr(view, "weituo_access", None)
    if rule is not None:
        return rule  # type: ignore[no-any-return]
    view = getattr(view, "func", view)  # a library may mount a function with some arguments filled in
    owner = getattr(view, "view_class", None) or getattr(view, "__wrapped__", None) or view
    module = getattr(owner, "__module__", "") or ""
    return next((known for prefix, known in _LIBRARY_RULES.items() if f"{module}.".startswith(prefix)), None)


def actor_of(request: HttpRequest, rule: Rule) -> Actor | None:
    """Give who is asking, as far as this rule is concerned."""
    if rule.kinds == {Kind.BORROWER}:
        stored = request.session.get(BORROWER_SESSION_KEY)
        return people.borrower_actor(borrower_id=UUID(stored)) if stored else None
    user = request.user
    return people.actor_for(user) if user.is_authenticated else None  # type: ignore[arg-type]


def sign_in_for(request: HttpRequest, rule: Rule) -> str:
    """Give the address where the missing actor signs in; a borrower at the console's door is led to their own pages."""
    lost = request.path == "/" and request.session.get(BORROWER_SESSION_KEY)
    if lost or rule.kinds == {Kind.BORROWER}:
        return reverse("borrower:start")
    return f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}"


def home_of(request: HttpRequest) -> str:
    """Give the start page of whoever asks: console, portal, or the borrower's pages."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return "/agency/" if people.actor_for(user).kind is Kind.AGENCY else "/"
    borrower = hasattr(request, "session") and request.session.get(BORROWER_SESSION_KEY)
    return "/my/" if borrower or request.path.startswith("/my/") else "/"


def second_factor_ready(request: HttpRequest) -> bool:
    """Tell whether the signed-in person has a second factor; staff and agencies must."""
    user = request.user
    if not user.is_authenticated or request.session.get(SECOND_FACTOR_KEY):
        return True
    ready = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).exists()
    if ready:
        request.session[SECOND_FACTOR_KEY] = True
    return ready


def forget_second_factor(request: HttpRequest, **_given: Any) -> None:
    """Ask for a second factor again in this session once the old one was removed."""
    request.session.pop(SECOND_FACTOR_KEY, None)


def refusal_page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Show a refusal: what was wrong, where, by which rule, what to do."""
    return render(request, "errors/refusal.html", {"refusal": refusal.as_dict()}, status=refusal.status)
