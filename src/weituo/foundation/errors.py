"""Refusals: anticipated failures that say what was wrong, where, by which rule, and what to do.

Refusal
├── NotAllowed      the actor lacks the permission            (403, exit 2)
├── NotFound        no such thing, or not the actor's         (404, exit 2)
├── Conflict        the state or an earlier input forbids it  (409, exit 2)
└── BadInput        the input itself is wrong                 (422, exit 2)
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from django.utils.translation import gettext as _


class Refusal(Exception):
    """The program refused what was asked."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    #: citation of the rule or law article, in English; "" when it is plain logic
    rule: ClassVar[str] = ""
    #: English template of the message; the class docstring's first line when empty
    message: ClassVar[str] = ""
    #: English template of what to do next
    remedy: ClassVar[str] = ""

    def __init__(self, *, where: str = "", rule: str = "", **facts: Any) -> None:
        self.where = where
        self.facts = facts
        self._rule = rule or self.rule
        super().__init__(self.code)

    @property
    def text(self) -> str:
        """The translated message with its facts filled in."""
        template = self.message or (inspect.getdoc(type(self)) or "").split("\n")[0]
        return _(template) % self.facts if self.facts else _(template)

    @property
    def cited(self) -> str:
        """The citation in the reader's language; a code of law that has no other name stays as it is written."""
        return _(self._rule) if self._rule else ""

    @property
    def advice(self) -> str:
        """The translated remedy, or an empty string."""
        if not self.remedy:
            return ""
        return _(self.remedy) % self.facts if self.facts else _(self.remedy)

    def as_dict(self) -> dict[str, Any]:
        """The refusal as plain data: one shape for API, command line and pages."""
        return {
            "code": self.code,
            "message": self.text,
            "where": str(self.where),
            "rule": self.cited,
            "remedy": self.advice,
        }

    def __str__(self) -> str:
        parts = [self.text]
        if self.where:
            parts.append(f"[{self.where}]")
        if self.cited:
            parts.append(f"({self.cited})")
        if self.advice:
            parts.append(self.advice)
        return " ".join(parts)


class NotAllowed(Refusal):
    """Your role does not permit “%(permission)s”."""

    code = "not_allowed"
    status = 403
    remedy = "Ask an administrator for a role that holds this permission."


class NotFound(Refusal):
    """There is no %(what)s with this reference, or it is not yours to see."""

    code = "not_found"
    status = 404


class Conflict(Refusal):
    """The present state does not allow this."""

    code = "conflict"
    status = 409


class BadInput(Refusal):
    """The input is not usable: %(problem)s."""

    code = "bad_input"
    status = 422


class ProgrammerError(AssertionError):
    """A rule of the house was broken by code, not by a person."""
