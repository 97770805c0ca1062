"""Every address of the program: console, agency portal, borrower pages, API, sign-in."""

from __future__ import annotations

from django.urls import include, path

from weituo.api.api import api

handler403 = "weituo.web.errors.forbidden"
handler404 = "weituo.web.errors.not_found"
handler500 = "weituo.web.errors.broken"

urlpatterns = [
    path("", include("weituo.web.urls")),
    path("api/v1/", api.urls),
]
