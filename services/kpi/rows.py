"""Measurements as a CSV file: `period_start,period_end,value[,sample_size]`, comma-separated, with that header."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, TypeVar

from services.kpi.kpis import MOST

if TYPE_CHECKING:
    from _csv import Reader

T = TypeVar("T")

REQUIRED = ("period_start", "period_end", "value")
COLUMNS = (*REQUIRED, "sample_size")
MOST_ROWS = 10_000
MOST_FAULTS = 10
LARGEST_SAMPLE = 2**53

FIRST_YEAR, LAST_YEAR = 2, 9998
OUTSIDE = f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}; write a day such as 2026-03-02."


class BadFile(ValueError):  # noqa: N818 - says what the file is
    """The file cannot be used; `faults` has a sentence for each place to mend, with line and column."""

    def __init__(self, *faults: str) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file."""

    period_start: datetime
    period_end: datetime
    value: float
    sample_size: int | None


def read(content: bytes) -> list[Row]:
    """All rows of the file.

    Raises:
        BadFile: any part is wrong; then none is to be used.
    """
    lines = csv.reader(_text(content).splitlines(), strict=True)
    try:
        header = _header(next(lines, []))
        rows = _rows(header, lines)
    except csv.Error as fault:
        raise BadFile(f"Line {lines.line_num}: {fault}; check the quotation marks there.") from None
    if not rows:
        raise BadFile("The file has a header but no measurements; add a line for each period.")
    return rows


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content[: fault.start].count(b"\n") + 1
        raise BadFile(f"Line {line} is not UTF-8 text; save the file as CSV in UTF-8.") from None
    if "\x00" in text:
        raise BadFile("The file contains NUL characters; save it as CSV in UTF-8.")
    return text


def _rows(header: list[str], lines: Reader) -> list[Row]:
    rows: list[Row] = []
    faults: list[str] = []
    seen: dict[tuple[datetime, datetime], int] = {}
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            row = _row(header, cells, lines.line_num)
            _once(row, seen, lines.line_num)
            rows.append(row)
        except BadFile as fault:
            faults += fault.faults
        if len(rows) > MOST_ROWS:
            raise BadFile(f"The file has more than {MOST_ROWS:,} rows; split it into several files.")
        if len(faults) >= MOST_FAULTS:
            break
    if faults:
        raise BadFile(*faults)
    return rows


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    wanted = "period_start,period_end,value or period_start,period_end,value,sample_size"
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing:
        raise BadFile(f"Line 1: the column {missing[0]} is missing; the first line must be {wanted}.")
    if unknown:
        raise BadFile(f"Line 1: the column {unknown[0]!r} is unknown; the first line must be {wanted}.")
    if len(set(names)) < len(names):
        raise BadFile(f"Line 1: a column stands there twice; the first line must be {wanted}.")
    return names


def _row(header: list[str], cells: list[str], line: int) -> Row:
    if len(cells) != len(header):
        raise BadFile(
            f"Line {line} has {len(cells)} columns instead of {len(header)}; "
            "write decimals with a point and put quotation marks around text with commas."
        )
    texts = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    faults: list[str] = []

    def cell(column: str, convert: Callable[[str], T]) -> T | None:
        try:
            return convert(texts.get(column, ""))
        except ValueError as fault:
            faults.append(f"Line {line}, column {column}: {fault}")
            return None

    start, end = cell("period_start", _moment), cell("period_end", _moment)
    value, sample_size = cell("value", _value), cell("sample_size", _sample_size)
    if start and end and end <= start:
        faults.append(f"Line {line}, column period_end: {texts['period_end']!r} is not later than period_start.")
    if start is None or end is None or value is None or faults:
        raise BadFile(*faults)
    return Row(start, end, value, sample_size)


def _once(row: Row, seen: dict[tuple[datetime, datetime], int], line: int) -> None:
    first = seen.setdefault((row.period_start, row.period_end), line)
    if first != line:
        raise BadFile(f"Line {line}: the same period stands in line {first}; keep one of them.")


def _moment(text: str) -> datetime:
    """A day means its start in UTC; a time needs its offset."""
    advice = "write a day such as 2026-03-02 or a time such as 2026-03-02T00:00Z."
    is_day = "T" not in text.upper() and " " not in text
    try:
        moment = datetime.combine(date.fromisoformat(text), time(), UTC) if is_day else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{_shown(text)} is no date; {advice}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{_shown(text)} does not say in which time zone; add Z for UTC or an offset such as +02:00.")
    try:
        return _within(moment.astimezone(UTC), text)
    except OverflowError:
        raise ValueError(f"{_shown(text)} {OUTSIDE}") from None


def _within(moment: datetime, text: str) -> datetime:
    """At the very ends a time cannot be shown in every zone."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"{_shown(text)} {OUTSIDE}")
    return moment


def _value(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{_shown(text)} is no number; write for example 72.5.") from None
    if not math.isfinite(value) or abs(value) > MOST:
        raise ValueError(f"{_shown(text)} is larger than 1e100 or not a number; leave out periods without a value.")
    return value


def _sample_size(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_SAMPLE)):
        raise ValueError(f"{_shown(text)} is no number of answers; write a whole number such as 120 or leave it empty.")
    return int(text)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…") if text else "an empty cell"  # noqa: PLR2004 - fits a line
