"""What verbs say to people, in the language of the terminal; Django is loaded when the first sentence is needed."""

from __future__ import annotations

from typing import Any


def reads_chinese() -> bool:
    """Tell whether the terminal is read in Chinese."""
    from django.utils.translation import get_language

    return (get_language() or "").startswith("zh")


def worded(template: str, /, **facts: Any) -> str:
    """Give a sentence in the terminal's language with its facts filled in; `template` is a literal that is translated."""
    from django.utils.translation import gettext

    text = gettext(template)
    return text % facts if facts else text
