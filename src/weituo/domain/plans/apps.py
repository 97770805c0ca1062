from __future__ import annotations

from django.apps import AppConfig


class PlansConfig(AppConfig):
    name = "weituo.domain.plans"
    label = "plans"
