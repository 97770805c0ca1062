from __future__ import annotations

from django.apps import AppConfig


class WeituoConfig(AppConfig):
    """Wire reactions, permissions and kinds of jobs once all rooms are loaded."""

    name = "weituo.config"
    label = "config"

    def ready(self) -> None:
        from importlib import import_module
        from importlib.util import find_spec

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
            if find_spec(f"weituo.domain.{room}.jobs") is not None:
                import_module(f"weituo.domain.{room}.jobs")
        import_module("weituo.domain.reactions")
