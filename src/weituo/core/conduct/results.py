"""What can come of a contact: the one list, with what each result counts as under the rules."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: result as it is reported → what the rules count it as; the borrower themselves was spoken to in a conversation
RESULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "NOT_CONNECTED": "not_connected",
        "UNANSWERED": "unanswered",
        "BUSY": "unanswered",
        "VOICEMAIL": "voicemail",
        "SENT": "delivered",
        "WRONG_PARTY": "wrong_party",
        "THIRD_PARTY": "third_party",
        "RIGHT_PARTY": "conversation",
        "PROMISE": "conversation",
        "REFUSED": "conversation",
        "DISPUTE": "conversation",
        "HARDSHIP": "conversation",
        "CEASE_WISH": "conversation",
    }
)
#: results in which the borrower themselves was spoken to
SPOKEN: Final = tuple(result for result, counted in RESULTS.items() if counted == "conversation")
