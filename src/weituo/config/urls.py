"""Every address of the program: console, agency portal, borrower pages, API, sign-in."""

from __future__ import annotations

from django.urls import include, path

from weituo.api.api import api

urlpatterns = [
    path("", include("weituo.web.urls")),
    path("api/v1/", api.urls),
]
