"""The page that an invitation opens: choose a password, then sign in and set up the second factor."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from weituo.foundation import clock
from weituo.foundation.errors import Refusal
from weituo.foundation.identity import staffing
from weituo.foundation.identity.errors import WeakPassword
from weituo.web import access


@access.public_page
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest, token: str) -> HttpResponse:
    """Let the person who was invited choose a password; a link that no longer opens says so."""
    try:
        user = staffing.invited(token, at=clock.now())
    except Refusal as refusal:
        return access.refusal_page(request, refusal)
    problem = ""
    if request.method == "POST":
        password = request.POST.get("password", "")
        if password != request.POST.get("again", ""):
            problem = _("The two passwords differ.")
        else:
            try:
                staffing.accept(token=token, password=password, at=clock.now())
            except WeakPassword as weak:
                problem = str(weak.text)
            except Refusal as refusal:
                return access.refusal_page(request, refusal)
            else:
                messages.info(
                    request, _("The password is set. Sign in with it; then the second factor follows.")
                )
                return redirect("account_login")
    return render(
        request,
        "account/invited.html",
        {"username": user.username, "name": user.name, "problem": problem},
        status=422 if problem else 200,
    )
