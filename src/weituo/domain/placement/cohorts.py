"""Reading a cohort: placed accounts with known outcomes, as a file that an analyst drew up."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from weituo.core.recovery.features import FEATURES
from weituo.domain.placement.errors import CohortRefused
from weituo.foundation.texts import worded


def read(path: Path) -> pl.DataFrame:
    """Read a cohort from Parquet, or from CSV with the registry's types. Raises `CohortRefused` naming the file."""
    types = {feature.name: feature.dtype for feature in FEATURES} | {"paid_fraction": pl.Float64()}
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, schema_overrides=types)
    except (OSError, pl.exceptions.PolarsError) as wrong:
        raise CohortRefused(
            problem=worded("it is no table: %(fault)s", fault=str(wrong).split("\n")[0]), where=path.name
        ) from wrong
