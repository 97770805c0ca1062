from __future__ import annotations

from django.apps import AppConfig


class BookConfig(AppConfig):
    name = "weituo.domain.book"
    label = "book"
