from __future__ import annotations

from django.apps import AppConfig


class PlacementConfig(AppConfig):
    name = "weituo.domain.placement"
    label = "placement"
