"""Names that pages and their filters share: buckets, and several words as one list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

#: codes of buckets that are no names of their own; M1 … M7+ are what lender and agency call them
_BUCKETS = {"CURRENT": gettext_lazy("not overdue"), "default": gettext_lazy("any other")}


def bucket_name(code: str) -> str:
    """Give a bucket's name in the reader's language."""
    return str(_BUCKETS.get(code, code))


def listed(values: Iterable[Any]) -> str:
    """Give several words as one list: “a, b” or “甲、乙”."""
    return _(", ").join(str(value) for value in values)
