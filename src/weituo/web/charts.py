"""Charts as data: the specification of a presenter becomes a figure with a table of the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from weituo.core.money import EXPONENTS

Shown = Callable[[float | int | None, str, str], str]
KINDS = frozenset({"line", "bar", "heat", "scatter"})


def figure(spec: dict[str, Any], shown: Shown) -> dict[str, Any]:
    """Give the figure's context: the specification for the script, head and rows for the table."""
    if spec["kind"] not in KINDS:
        raise ValueError(f"unknown kind of chart {spec['kind']!r}")
    form, currency = spec["y"].get("format", "count"), spec["y"].get("currency", "CNY")

    def cell(value: float | int | None) -> str:
        return shown(value, form, currency)

    table = _heat_table(spec, cell) if spec["kind"] == "heat" else _series_table(spec, cell)
    drawn = spec | {"y": spec["y"] | {"digits": EXPONENTS.get(currency, 2)}}
    return {"spec": drawn, "id": spec["id"], "data_id": f"{spec['id']}-data", **table}


def _series_table(spec: dict[str, Any], cell: Callable[[Any], str]) -> dict[str, Any]:
    series = spec.get("series", [])
    return {
        "head": [spec["x"].get("name", ""), *(one["name"] for one in series)],
        "rows": [
            {
                "label": label,
                "url": _at(spec["x"].get("links"), index),
                "cells": [_with_interval(one, index, cell) for one in series],
            }
            for index, label in enumerate(spec["x"]["values"])
        ],
    }


def _with_interval(series: dict[str, Any], index: int, cell: Callable[[Any], str]) -> str:
    value = _at(series["values"], index)
    low, high = _at(series.get("low"), index), _at(series.get("high"), index)
    if value is None or low is None or high is None:
        return cell(value)
    return _("%(value)s (%(low)s to %(high)s)") % {"value": cell(value), "low": cell(low), "high": cell(high)}


def _at(values: list[Any] | None, index: int) -> Any:
    return values[index] if values is not None and index < len(values) else None


def _heat_table(spec: dict[str, Any], cell: Callable[[Any], str]) -> dict[str, Any]:
    known = {(int(column), int(row)): value for column, row, value in spec["cells"]}
    columns = range(len(spec["x"]["values"]))
    return {
        "head": [spec["y"].get("name", ""), *spec["x"]["values"]],
        "rows": [
            {"label": label, "cells": [cell(known.get((column, row))) for column in columns]}
            for row, label in enumerate(spec["y_values"])
        ],
    }
