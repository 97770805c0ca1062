from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "weituo.web"
    label = "web"

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_removed

        from weituo.web import access

        authenticator_removed.connect(access.forget_second_factor, dispatch_uid="weituo.second_factor")
