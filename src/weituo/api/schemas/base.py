"""Shapes that every part of the API shares."""

from __future__ import annotations

from typing import Any

from ninja import Schema
from pydantic import ConfigDict, field_validator

#: for text in addresses: what a text column cannot hold is refused
PLAIN = r"^[^\x00]*$"


class Wire(Schema):
    """What comes in is exactly what is described; unknown fields and NUL in text are refused."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="after")
    @classmethod
    def plain_text(cls, value: Any) -> Any:
        """Refuse NUL: no text column can hold it."""
        if isinstance(value, str) and "\0" in value:
            raise ValueError("NUL is no text")
        return value


class Problem(Schema):
    """A failure (RFC 9457): what was wrong, where, by which rule, and what to do."""

    status: int
    type: str
    title: str
    code: str
    message: str = ""
    where: str = ""
    rule: str = ""
    remedy: str = ""
    problems: list[dict[str, Any]] | None = None


def answers(ok: Any, *, status: int = 200) -> dict[int, Any]:
    """Give an explicit response map: the good answer and every problem an endpoint may give."""
    return {status: ok, 401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: Problem, 429: Problem}
