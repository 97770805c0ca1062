from __future__ import annotations

from django.apps import AppConfig


class WeituoConfig(AppConfig):
    """Wire reactions, permissions and kinds of jobs once all rooms are loaded."""

    name = "weituo.config"
    label = "config"

    def ready(self) -> None:
        from importlib import import_module

        from weituo.foundation.jobs import kinds

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
            kinds.declared_in(room, module=f"weituo.domain.{room}.jobs")
        import_module("weituo.domain.reactions")
