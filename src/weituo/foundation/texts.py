"""Sentences that wait for their reader: kept as template and facts, put into words in the language of the moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import gettext


def _filled(template: str, facts: dict[str, Any]) -> str:
    text = gettext(template)
    return text % facts if facts else text


def _joined(parts: tuple[str, ...]) -> str:
    return gettext("; ").join(str(part) for part in parts)


_waiting = lazy(_filled, str)
_waiting_list = lazy(_joined, str)


def worded(template: str, /, **facts: Any) -> str:
    """Give a sentence that is translated and filled in whenever it is shown; facts may be such sentences too.

    `template` is a literal with named placeholders, found by `tools/messages.py` like one of gettext.
    """
    return _waiting(template, facts)


def worded_list(parts: Iterable[str]) -> str:
    """Give sentences as one list, separated as the reader's language does it, whenever it is shown."""
    return _waiting_list(tuple(parts))
