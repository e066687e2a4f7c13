"""Columns of many rows as array literals: asyncpg looks at every element of a list for eight times as long.

In SQL a column of texts is `$1::text::text[]`, one of times `$1::text::bigint[]`, microseconds since 1970.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def texts(values: Sequence[str | None]) -> str:
    """Any texts that PostgreSQL can hold; a column of nothing but nulls is empty, which `unnest` fills up again."""
    if not any(values):
        return "{}" if "" not in values else _one_by_one(values)
    try:
        joined = '","'.join(values)  # type: ignore[arg-type] # nulls are seldom, and found this way
    except TypeError:
        return _one_by_one(values)
    if "\\" in joined or joined.count('"') != 2 * (len(values) - 1):
        return _one_by_one(values)
    return f'{{"{joined}"}}'


def times(values: Iterable[datetime]) -> str:
    """`'epoch'::timestamptz + microseconds * interval '1 microsecond'` makes a time of each.

    Exact from 1685 to 2255, to within 64 microseconds in other years: PostgreSQL multiplies intervals by doubles.
    """
    return f"{{{','.join([str((value - _EPOCH) // _MICROSECOND) for value in values])}}}"


def _one_by_one(values: Iterable[str | None]) -> str:
    return f"{{{','.join(['NULL' if value is None else _quoted(value) for value in values])}}}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
