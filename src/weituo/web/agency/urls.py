"""Addresses of the agencies' portal."""

from __future__ import annotations

from django.urls import path

from weituo.web.agency import cases, offers, views

app_name = "agency"
urlpatterns = [
    path("", views.start, name="start"),
    path("cases/", cases.worklist, name="cases"),
    path("cases/<str:case_ref>/", cases.case, name="case"),
    path("cases/<str:case_ref>/facts/", cases.facts, name="facts"),
    path("cases/<str:case_ref>/permit/", cases.permit, name="permit"),
    path("cases/<str:case_ref>/attempt/", cases.attempt, name="attempt"),
    path("cases/<str:case_ref>/promise/", cases.promise, name="promise"),
    path("offers/", offers.offers, name="offers"),
    path("offers/answer/", offers.answer, name="answer"),
    path("recalls/", offers.recalls, name="recalls"),
    path("recalls/object/", offers.objection, name="objection"),
    path("promises/", views.promises, name="promises"),
    path("statements/", views.statements, name="statements"),
    path("statements/<uuid:statement_id>/", views.statement, name="statement"),
    path("statements/<uuid:statement_id>/agree/", views.agree, name="agree"),
    path("plan/", views.plan, name="plan"),
    path("plan/<uuid:plan_id>/sign/", views.sign, name="sign"),
    path("packages/", views.packages, name="packages"),
    path("packages/<uuid:package_id>/file/", views.package_file, name="package_file"),
    path("destructions/<uuid:destruction_id>/confirm/", views.destroyed, name="destroyed"),
    path("packages/<uuid:package_id>/acknowledge/", views.acknowledge, name="acknowledge"),
]
