"""Addresses of the borrower's pages: short, so that they can be read out and typed."""

from __future__ import annotations

from django.urls import path

from weituo.web.borrower import views

app_name = "borrower"
urlpatterns = [
    path("", views.start, name="start"),
    path("check/", views.check_collector, name="check"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("accounts/", views.accounts, name="accounts"),
    path("accounts/<uuid:account_id>/", views.account, name="account"),
    path("wishes/", views.wishes, name="wishes"),
    path("tell/<str:kind>/", views.tell, name="tell"),
    path("cases/", views.cases, name="cases"),
]
