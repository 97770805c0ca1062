"""From a file on disk to blocks of text columns: encodings, compression, formats, broken lines; memory stays bounded."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from weituo.domain.book.errors import FileRefused, NothingToImport
from weituo.foundation.texts import worded

BLOCK_BYTES = 12 << 20
BLOCK_ROWS = 100_000
#: text without a line end this long is no table: a quote was opened and never closed
OPEN_QUOTE_BYTES_MAX = 48 << 20
#: what a workbook may hold unpacked, all its parts together
XLSX_BYTES_MAX = 400 << 20
#: tried in this order; GB18030 reads nearly everything, so it comes last
ENCODINGS = ("utf-8", "gb18030")
#: before the name of every column that comes from the file: a file may call its columns what it likes
FILE = "file:"
_BROKEN: dict[Any, pl.DataType | type[pl.DataType]] = {
    "row": pl.Int64,
    "fields": pl.Int64,
    "expected": pl.Int64,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A block of a file as text columns (names after `FILE`) plus `row` (1 = first line after the header), and lines that are no rows."""

    frame: pl.DataFrame
    #: row, fields found, fields expected
    broken: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that was found readable from end to end."""

    path: Path
    separator: str
    #: csv, parquet or xlsx
    kind: str
    encoding: str


def open_source(path: Path, *, separator: str) -> Source:
    """Find format and encoding, and read text once to its end. Raises `FileRefused`, `NothingToImport`."""
    if not path.is_file():
        raise FileRefused(problem=worded("there is no such file"), where=str(path))
    name = path.name.lower()
    if name.endswith((".parquet", ".xlsx")):
        return Source(path=path, separator=separator, kind=name.rsplit(".", 1)[1], encoding="")
    for encoding in ENCODINGS:
        if _decodes(path, encoding):
            return Source(path=path, separator=separator, kind="csv", encoding=encoding)
    raise FileRefused(problem=worded("neither UTF-8 nor GB18030"), where=path.name)


def blocks(source: Source, *, columns: Sequence[str] | None = None) -> Iterator[Table]:
    """Read the file block by block, all columns or only the named ones that exist. Raises `FileRefused`, `NothingToImport`."""
    row, found = 0, False
    for frame, ragged in {"csv": _csv, "parquet": _parquet, "xlsx": _xlsx}[source.kind](source, columns):
        if frame.height == 0:
            continue
        numbered = (
            frame.rename({name: FILE + name for name in frame.columns})
            .with_row_index("row", offset=row + 1)
            .with_columns(pl.col("row").cast(pl.Int64))
        )
        row += frame.height
        broken = ragged(row - frame.height) if columns is None else pl.DataFrame(schema=_BROKEN)
        if broken.height:
            numbered, broken = _without_blank_lines(numbered, broken)
        found = found or numbered.height > 0
        yield Table(frame=numbered, broken=broken)
    if not found:
        raise NothingToImport(where=source.path.name)


def _without_blank_lines(frame: pl.DataFrame, broken: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    empty = frame.filter(pl.all_horizontal(pl.exclude("row").is_null()))["row"]
    blank = broken.filter((pl.col("fields") == 1) & pl.col("row").is_in(empty.implode()))["row"].implode()
    return frame.filter(~pl.col("row").is_in(blank)), broken.filter(~pl.col("row").is_in(blank))


Block = tuple[pl.DataFrame, Callable[[int], pl.DataFrame]]


def _none(_offset: int) -> pl.DataFrame:
    return pl.DataFrame(schema=_BROKEN)


def _parquet(source: Source, columns: Sequence[str] | None) -> Iterator[Block]:
    try:
        lazy = pl.scan_parquet(source.path)
        names = [name for name in lazy.collect_schema().names() if columns is None or name in columns]
        total = lazy.select(pl.len()).collect().item()
        for start in range(0, total, BLOCK_ROWS):
            yield lazy.select(pl.col(names).cast(pl.String)).slice(start, BLOCK_ROWS).collect(), _none
    except (pl.exceptions.PolarsError, OSError) as broken:
        raise FileRefused(
            problem=worded("no Parquet file: %(fault)s", fault=str(broken).split("\n")[0]),
            where=source.path.name,
        ) from broken


def _xlsx(source: Source, columns: Sequence[str] | None) -> Iterator[Block]:
    """A sheet has at most 1,048,576 rows and cannot be read in parts."""
    import fastexcel

    _check_unpacked(source.path)
    try:
        frame = pl.DataFrame(fastexcel.read_excel(source.path).load_sheet(0, dtypes="string"))
    except fastexcel.FastExcelError as broken:
        raise FileRefused(
            problem=worded("no XLSX file: %(fault)s", fault=str(broken).split("\n")[0]),
            where=source.path.name,
        ) from broken
    if columns is not None:
        frame = frame.select(name for name in frame.columns if name in columns)
    for part in frame.iter_slices(BLOCK_ROWS):
        yield part, _none


def _check_unpacked(path: Path) -> None:
    """Refuse a workbook that would fill the memory: a sheet cannot be read in parts."""
    try:
        with zipfile.ZipFile(path) as book:
            unpacked = sum(part.file_size for part in book.infolist())
    except (OSError, zipfile.BadZipFile) as broken:
        raise FileRefused(problem=worded("no XLSX file: it is no ZIP archive"), where=path.name) from broken
    if unpacked > XLSX_BYTES_MAX:
        raise FileRefused(
            problem=worded(
                "unpacked it has %(given)s bytes, more than %(most)s: save it as CSV",
                given=f"{unpacked:,}",
                most=f"{XLSX_BYTES_MAX:,}",
            ),
            where=path.name,
        )


@contextmanager
def _raw(path: Path) -> Iterator[BinaryIO]:
    """Open the bytes of a file, unpacked where it is a gzip file."""
    try:
        with gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb") as stream:
            yield stream  # type: ignore[misc]
    except (EOFError, zlib.error, gzip.BadGzipFile) as broken:
        raise FileRefused(
            problem=worded("the gzip file is truncated or damaged"), where=path.name
        ) from broken


def _decodes(path: Path, encoding: str) -> bool:
    decoder, position = codecs.getincrementaldecoder(encoding)(), 0
    with _raw(path) as stream:
        while chunk := stream.read(BLOCK_BYTES >> 2):
            if (nul := chunk.find(b"\0")) >= 0:
                raise FileRefused(
                    problem=worded(
                        "a NUL byte at position %(position)s: this is no text file", position=position + nul
                    ),
                    where=path.name,
                )
            position += len(chunk)
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return False
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _texts(source: Source) -> Iterator[bytes]:
    """Give the text as UTF-8 in pieces that end at a line end outside quotes."""
    decoder = None if source.encoding == "utf-8" else codecs.getincrementaldecoder(source.encoding)()
    rest, first, old_mac = b"", True, False
    with _raw(source.path) as stream:
        while chunk := stream.read(BLOCK_BYTES):
            if decoder:
                chunk = decoder.decode(chunk).encode()
            if first:
                chunk, first = chunk.removeprefix(codecs.BOM_UTF8), False
                old_mac = b"\n" not in chunk and b"\r" in chunk
            if old_mac:
                chunk = chunk.replace(b"\r", b"\n")
            rest += chunk
            end = _line_end(rest)
            if end:
                yield rest[:end]
                rest = rest[end:]
            elif len(rest) > OPEN_QUOTE_BYTES_MAX:
                raise FileRefused(
                    problem=worded(
                        "no line ends within %(most)s bytes: a quotation mark is never closed, or this is no table",
                        most=f"{OPEN_QUOTE_BYTES_MAX:,}",
                    ),
                    where=source.path.name,
                )
    if rest:
        yield rest


def _line_end(text: bytes) -> int:
    """Give the position after the last line end with an even number of quotation marks before it; 0 when there is none."""
    end = text.rfind(b"\n") + 1
    odd = text.count(b'"', 0, end) % 2
    while end and odd:
        before = text.rfind(b"\n", 0, end - 1) + 1
        odd = (odd + text.count(b'"', before, end)) % 2
        end = before
    return end


def _csv(source: Source, columns: Sequence[str] | None) -> Iterator[Block]:
    names: list[str] = []
    for text in _texts(source):
        body = text
        try:
            if not names:
                if not body.strip():
                    continue
                end = _header_end(body)
                names = pl.read_csv(
                    io.BytesIO(body[:end].rstrip(b"\r\n") + b"\n"),
                    separator=source.separator,
                    infer_schema=False,
                ).columns
                body = body[end:]
            if not body.strip():
                continue
            lazy = pl.scan_csv(
                io.BytesIO(body), separator=source.separator, has_header=False, schema=dict.fromkeys(names, pl.String), truncate_ragged_lines=True,
                extra_columns="ignore", missing_columns="insert",
            )  # fmt: skip
            frame = lazy.select(
                [name for name in names if columns is None or name in columns] or names[:1]
            ).collect()
        except (pl.exceptions.PolarsError, pl.exceptions.NoDataError):
            raise FileRefused(
                # what the reader says quotes the line, and a line holds personal data
                problem=worded("it is no table: separators or quotation marks do not fit"),
                where=source.path.name,
            ) from None
        yield frame, _ragged_finder(body, separator=source.separator, rows=frame.height, columns=len(names))


def _header_end(text: bytes) -> int:
    end = 0
    while (found := text.find(b"\n", end)) >= 0:
        end = found + 1
        if text.count(b'"', 0, end) % 2 == 0:
            return end
    return len(text)


def _ragged_finder(body: bytes, *, separator: str, rows: int, columns: int) -> Callable[[int], pl.DataFrame]:
    """Find lines with more or fewer fields than the header; separators inside quotes do not count."""

    def find(offset: int) -> pl.DataFrame:
        lines = pl.read_csv(
            io.BytesIO(body),
            has_header=False,
            separator="\x01",
            quote_char=None,
            schema={"line": pl.String},
            truncate_ragged_lines=True,
        )
        line = pl.col("line").str.strip_chars_end("\r")
        if b'"' in body:
            line = (
                pl.when(line.str.contains('"', literal=True))
                .then(line.str.replace_all(r'"[^"]*"', ""))
                .otherwise(line)
            )
        counts = lines.select(fields=(line.str.count_matches(separator, literal=True) + 1).cast(pl.Int64))[
            "fields"
        ]
        if (
            counts.len() != rows
        ):  # line breaks inside quotes: rows are not lines, so each row is read by itself
            text = io.StringIO(body.decode(), newline="")
            counts = pl.Series(
                [max(len(row), 1) for row in csv.reader(text, delimiter=separator)], dtype=pl.Int64
            )
        if counts.len() != rows:
            raise FileRefused(
                problem=worded(
                    "quotation marks do not pair up in rows %(first)s to %(last)s",
                    first=offset + 1,
                    last=offset + rows,
                )
            )
        found = pl.DataFrame(
            {"row": pl.int_range(offset + 1, offset + rows + 1, eager=True), "fields": counts}
        )
        return (
            found.filter(pl.col("fields") != columns)
            .with_columns(expected=pl.lit(columns, dtype=pl.Int64))
            .cast(_BROKEN)
        )

    return find
