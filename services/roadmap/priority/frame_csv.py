"""A customer base, or accounts, as somebody's table: read whole, with everything that is wrong told by its line."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO

from services.roadmap.priority.frame import Frame
from services.roadmap.priority.segments import DIMENSIONS, cell, part_of, parts_of
from shared.ui.sentences import Sentence

MOST_ROWS = 10_000
MOST_PEOPLE = 100_000
MOST_CHARACTERS = 5_000_000
MOST_TOLD = 50
THOUSANDS = re.compile(r"[1-9]\d{0,2}([.,'\u00a0\u202f ]\d{3})+")
SHARES_MEET = 0.01
"""Shares are rounded when they are written down; together they must be 1 (or 100) as nearly as this."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What to mend in which line, the first is 1; line 0 is the whole table."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class ReadFrame:
    """The frame, or what is wrong; `rows` are those that were read, as they will count: segment and customers."""

    frame: Frame | None
    rows: tuple[tuple[str, float], ...] = ()
    wrong: tuple[Wrong, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadAccounts:
    """People as (person, account, what the account is worth), or what is wrong."""

    people: tuple[tuple[str, str, float], ...] = ()
    wrong: tuple[Wrong, ...] = ()


@dataclass(slots=True)
class _Errors:
    found: list[Wrong] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        self.found.append(Wrong(line, message))

    def told(self) -> tuple[Wrong, ...]:
        if len(self.found) <= MOST_TOLD:
            return tuple(self.found)
        rest = len(self.found) - MOST_TOLD
        return (
            *self.found[:MOST_TOLD],
            Wrong(0, Sentence("%(rest)s more lines are wrong in the same or other ways.", rest=rest)),
        )


def decoded(file: bytes) -> str | None:
    """The text of a file that a spreadsheet wrote; None for anything but UTF-8 or UTF-16."""
    encoding = "utf-16" if file[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return file.decode(encoding)
    except UnicodeDecodeError:
        return None


def read_frame(text: str, customers: float | None = None) -> ReadFrame:
    """Read a table of customers by cells (columns loyalty, plan, region) or by margins (columns dimension, value).

    The last column is `customers`, a count, or `share`, parts of 1 or of 100, which need the number of all `customers`.
    """
    errors = _Errors()
    try:
        columns, lines = _table(text, MOST_ROWS)
        size = _size_column(columns, customers)
        by_margin = {"dimension", "value"} <= set(columns)
        if not by_margin and not set(columns) & set(DIMENSIONS):
            raise ValueError(
                Sentence("Give the columns loyalty, plan and region (any of them), or dimension and value.")
            )
        if unknown := [name for name in columns if name not in {*DIMENSIONS, "dimension", "value", size}]:
            raise ValueError(
                Sentence("The column %(name)r is none of ours; take it out or rename it.", name=unknown[0])
            )
    except ValueError as wrong:
        return ReadFrame(None, wrong=(Wrong(1, wrong.args[0]),))
    counted: dict[tuple[str, str], float] = {}
    for line, row in lines:
        key = _margin(row, line, errors) if by_margin else ("", cell(*(row.get(name) for name in DIMENSIONS)))
        number = _number(row[size], size, line, errors)
        if key is None or number is None:
            continue
        if key in counted:
            errors.add(line, Sentence("This segment was given before; add its customers up and give it once."))
        counted[key] = number
    if not errors.found:
        _scale(counted, size, customers, errors)
    if errors.found:
        return ReadFrame(None, wrong=errors.told())
    return ReadFrame(_frame(counted, by_margin=by_margin), _rows(counted))


def written(frame: Frame) -> str:
    """The customers of a frame as a table that `read_frame` reads; empty where nobody is known."""
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    if frame.cells:
        rows.writerow([*DIMENSIONS, "customers"])
        rows.writerows(
            [*(part or "" for part in parts_of(name).values()), repr(size)] for name, size in frame.cells.items()
        )
    elif frame.margins:
        rows.writerow(["dimension", "value", "customers"])
        rows.writerows(
            [name, value, repr(size)] for name, totals in frame.margins.items() for value, size in totals.items()
        )
    return text.getvalue()


def read_accounts(text: str) -> ReadAccounts:
    """Read a table with the columns person, account and value."""
    errors = _Errors()
    try:
        columns, lines = _table(text, MOST_PEOPLE)
        if missing := [name for name in ("person", "account", "value") if name not in columns]:
            raise ValueError(
                Sentence("The column %(name)r is missing; give the columns person, account and value.", name=missing[0])
            )
    except ValueError as wrong:
        return ReadAccounts(wrong=(Wrong(1, wrong.args[0]),))
    people: dict[str, tuple[str, str, float]] = {}
    values: dict[str, float] = {}
    for line, row in lines:
        person, account = row["person"], row["account"]
        value = _number(row["value"], "value", line, errors)
        if not person or not account:
            errors.add(line, Sentence("Give both the person and the account."))
        elif person in people:
            errors.add(
                line, Sentence("The person %(id)r was given before; name each once, with one account.", id=person)
            )
        elif value is not None and values.setdefault(account, value) != value:
            errors.add(
                line,
                Sentence(
                    "The account %(id)r was worth %(value)s before; give it one value.",
                    id=account,
                    value=f"{values[account]:g}",
                ),
            )
        elif value is not None:
            people[person] = person, account, value
    return ReadAccounts(wrong=errors.told()) if errors.found else ReadAccounts(tuple(people.values()))


def _table(text: str, most: int) -> tuple[list[str], Iterator[tuple[int, Mapping[str, str]]]]:
    """Column names in lower case, and (line, row) of each row that is not empty."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError(
            Sentence(
                "The table has more than %(most)s characters; leave out what is not asked for.",
                most=f"{MOST_CHARACTERS:,}",
            )
        )
    if "\0" in text:
        raise ValueError(Sentence("This is no table; save it as CSV."))
    head = text.lstrip("\ufeff").split("\n", 1)[0]
    if not head.strip():
        raise ValueError(Sentence("The table is empty; its first line names the columns."))
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(StringIO(text.lstrip("\ufeff")), delimiter=delimiter, strict=True))
    except csv.Error as wrong:
        raise ValueError(Sentence("This is no CSV: %(why)s.", why=str(wrong))) from None
    columns = [name.strip().casefold() for name in rows[0]]
    if len(set(columns)) < len(columns):
        raise ValueError(Sentence("Two columns have the same name."))
    if len(rows) - 1 > most:
        raise ValueError(Sentence("The table has more than %(most)s rows.", most=f"{most:,}"))
    return columns, _filled(columns, rows[1:])


def _filled(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[tuple[int, Mapping[str, str]]]:
    for line, row in enumerate(rows, start=2):
        if any(text.strip() for text in row):
            yield line, {name: text.strip() for name, text in zip(columns, [*row, *[""] * len(columns)], strict=False)}


def _size_column(columns: Sequence[str], customers: float | None) -> str:
    named = [name for name in ("customers", "share") if name in columns]
    if len(named) != 1:
        raise ValueError(
            Sentence("Give one column of numbers, called customers (counts) or share (parts of 1 or of 100).")
        )
    if named == ["share"] and customers is None:
        raise ValueError(Sentence("Shares need the number of all customers, so that reach is a number of people."))
    return named[0]


def _margin(row: Mapping[str, str], line: int, errors: _Errors) -> tuple[str, str] | None:
    dimension = row["dimension"].casefold()
    if dimension not in DIMENSIONS:
        errors.add(
            line,
            Sentence(
                "The dimension %(name)r is none of %(known)s.", name=row["dimension"], known=", ".join(DIMENSIONS)
            ),
        )
        return None
    return dimension, part_of(row["value"])


def _number(text: str, column: str, line: int, errors: _Errors) -> float | None:
    plain = text.removesuffix("%").strip()
    if not plain:
        errors.add(line, Sentence("Fill in %(column)s.", column=column))
        return None
    if THOUSANDS.fullmatch(plain):
        errors.add(
            line,
            Sentence("%(text)r may be thousands or a fraction; write it without marks between thousands.", text=text),
        )
        return None
    try:
        number = float(plain.replace(",", "."))
    except ValueError:
        errors.add(line, Sentence("%(text)r is no number; write %(column)s as 1200 or 12.5.", text=text, column=column))
        return None
    if not math.isfinite(number) or number < 0:
        errors.add(line, Sentence("%(text)r cannot be; %(column)s is 0 or more.", text=text, column=column))
        return None
    return number


def _scale(counted: dict[tuple[str, str], float], size: str, customers: float | None, errors: _Errors) -> None:
    """Shares become counts, by each dimension for itself; a base of nobody is none."""
    for dimension in {name for name, _ in counted} or {""}:
        keys = [key for key in counted if key[0] == dimension]
        total = math.fsum(counted[key] for key in keys)
        if total <= 0:
            errors.add(0, Sentence("The customers add up to 0; give the number of customers in each segment."))
        elif size == "share" and customers is not None:
            whole = 100 if total > 1 + SHARES_MEET else 1
            if abs(total / whole - 1) > SHARES_MEET:
                sums = (
                    Sentence(
                        "The shares by %(dimension)s add up to %(total)s, not to 1 or 100.",
                        dimension=dimension,
                        total=f"{total:g}",
                    )
                    if dimension
                    else Sentence("The shares add up to %(total)s, not to 1 or 100.", total=f"{total:g}")
                )
                errors.add(0, sums)
            for key in keys:
                counted[key] *= customers / total


def _frame(counted: Mapping[tuple[str, str], float], *, by_margin: bool) -> Frame:
    if not by_margin:
        return Frame({name: size for (_, name), size in counted.items()})
    margins: dict[str, dict[str, float]] = {}
    for (dimension, value), size in counted.items():
        margins.setdefault(dimension, {})[value] = size
    return Frame(margins=margins)


def _rows(counted: Mapping[tuple[str, str], float]) -> tuple[tuple[str, float], ...]:
    return tuple((f"{dimension}: {name}" if dimension else name, size) for (dimension, name), size in counted.items())
