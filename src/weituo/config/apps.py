from __future__ import annotations

from django.apps import AppConfig


class WeituoConfig(AppConfig):
    """Wire reactions and permissions once all rooms are loaded."""

    name = "weituo.config"
    label = "config"

    def ready(self) -> None:
        from importlib import import_module

        for room in (
            "book",
            "partners",
            "plans",
            "placement",
            "sharing",
            "contact",
            "ledger",
            "tracking",
            "care",
            "evaluation",
        ):
            import_module(f"weituo.domain.{room}.policies")
        import_module("weituo.domain.reactions")
