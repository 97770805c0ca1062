"""The API cannot change unknowingly: its OpenAPI text is kept, and rewritten only by `make snapshots`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from weituo.api.api import api

KEPT = Path(__file__).with_name("openapi.json")


def current() -> str:
    """Give the API's OpenAPI document as stable text."""
    return (
        json.dumps(api.get_openapi_schema(), indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n"
    )


def test_the_api_is_as_kept() -> None:
    text = current()
    if os.environ.get("WEITUO_WRITE_SNAPSHOTS") == "1":
        KEPT.write_text(text, encoding="utf-8")
    assert KEPT.read_text(encoding="utf-8") == text


def test_every_operation_names_itself_and_its_problems() -> None:
    operations = [one for path in api.get_openapi_schema()["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names))
    for one in operations:
        assert one["summary"]
        assert {200, 401, 403, 404, 409, 422} <= set(one["responses"])
