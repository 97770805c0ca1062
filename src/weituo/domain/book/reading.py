"""From a file on disk to a frame of text: encodings, compression, formats, broken lines."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from weituo.domain.book.errors import FileRefused, NothingToImport

CHUNK_BYTES = 1 << 22
#: tried in this order; GB18030 reads nearly everything, so it comes last
ENCODINGS = ("utf-8-sig", "gb18030")
FIELD_CHARACTERS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file as text columns plus `row` (1 = first line after the header), and lines that are no rows."""

    frame: pl.DataFrame
    #: row, fields found, fields expected
    broken: pl.DataFrame
    encoding: str


def read_table(path: Path, *, separator: str) -> Table:
    """Read CSV, CSV.gz, Parquet or XLSX whole as text. Raises `FileRefused`, `NothingToImport`."""
    if not path.is_file():
        raise FileRefused(problem="there is no such file", where=str(path))
    kind = "".join(path.suffixes[-2:]).lower()
    if kind.endswith(".parquet"):
        return _whole(_parquet(path))
    if kind.endswith(".xlsx"):
        return _whole(_xlsx(path))
    raw = _unpacked(path) if kind.endswith(".gz") else path.read_bytes()
    text, encoding = _decoded(raw, path)
    return _csv(text, separator=separator, path=path, encoding=encoding)


def _whole(frame: pl.DataFrame) -> Table:
    if frame.height == 0:
        raise NothingToImport()
    text = frame.with_columns(pl.all().cast(pl.String)).with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64))
    return Table(frame=text, broken=_no_broken(), encoding="")


def _no_broken() -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.Int64, "fields": pl.Int64, "expected": pl.Int64})


def _parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as broken:
        raise FileRefused(problem=f"no Parquet file: {broken}", where=path.name) from broken


def _xlsx(path: Path) -> pl.DataFrame:
    import fastexcel

    try:
        sheet = fastexcel.read_excel(path).load_sheet(0, dtypes="string")
        return pl.DataFrame(sheet)
    except fastexcel.FastExcelError as broken:
        raise FileRefused(problem=f"no XLSX file: {broken}", where=path.name) from broken


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as stream:
            return stream.read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as broken:
        raise FileRefused(problem="the gzip file is truncated or damaged", where=path.name) from broken


def _decoded(raw: bytes, path: Path) -> tuple[bytes, str]:
    """Give the text as UTF-8 bytes without a mark, and the encoding that was found."""
    if b"\0" in raw:
        raise FileRefused(problem=f"a NUL byte at position {raw.index(0)}: this is no text file", where=path.name)
    for encoding in ENCODINGS:
        try:
            if encoding.startswith("utf-8"):
                body = raw.removeprefix(codecs.BOM_UTF8)
                for start in range(0, len(body), CHUNK_BYTES):  # validates without a second copy of the text
                    _validate(body, start)
                return body, "utf-8"
            return raw.decode(encoding).encode(), encoding
        except UnicodeDecodeError:
            continue
    raise FileRefused(problem="neither UTF-8 nor GB18030", where=path.name)


def _validate(body: bytes, start: int) -> None:
    end = min(start + CHUNK_BYTES, len(body))
    while end < len(body) and body[end] & 0xC0 == 0x80:
        end += 1
    while start < end and start and body[start] & 0xC0 == 0x80:
        start += 1
    body[start:end].decode("utf-8")


def _csv(body: bytes, *, separator: str, path: Path, encoding: str) -> Table:
    if not body.strip():
        raise NothingToImport(where=path.name)
    try:
        frame = pl.read_csv(
            io.BytesIO(body), separator=separator, infer_schema=False, truncate_ragged_lines=True
        )
    except (pl.exceptions.PolarsError, pl.exceptions.NoDataError) as broken:
        raise FileRefused(problem=str(broken).split("\n")[0], where=path.name) from broken
    if frame.height == 0:
        raise NothingToImport(where=path.name)
    frame = frame.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64))
    return Table(frame=frame, broken=_ragged(body, separator=separator, rows=frame.height, columns=frame.width - 1), encoding=encoding)


def _ragged(body: bytes, *, separator: str, rows: int, columns: int) -> pl.DataFrame:
    """Find lines with more or fewer fields than the header; separators inside quotes do not count."""
    lines = pl.read_csv(io.BytesIO(body), has_header=False, separator="\x01", quote_char=None, infer_schema=False, new_columns=["line"], truncate_ragged_lines=True)
    lines = lines.filter(pl.col("line").str.strip_chars() != "").slice(1)
    if lines.height != rows:  # quoted line breaks: rows are not lines, the fields themselves are checked by the rules
        return _no_broken()
    bare = pl.when(pl.col("line").str.contains('"', literal=True)).then(pl.col("line").str.replace_all(r'"[^"]*"', "")).otherwise(pl.col("line"))
    return (
        lines.with_row_index("row", offset=1)
        .select(pl.col("row").cast(pl.Int64), fields=(bare.str.count_matches(separator, literal=True) + 1).cast(pl.Int64), expected=pl.lit(columns, dtype=pl.Int64))
        .filter(pl.col("fields") != pl.col("expected"))
    )
