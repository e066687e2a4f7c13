"""Columns as array literals: PostgreSQL reads back what was written, whatever it is."""

import asyncio
import os
from datetime import UTC, datetime

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.runtime import columns
from tests.support.infra import ADMIN_DSN

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8) | st.sampled_from(
    ["", "NULL", "null", '"', "\\", "{}", ",", " a ", '\\"', "a\nb"]
)


@pytest.mark.parametrize(
    ("values", "literal"),
    [
        ([], "{}"),
        (["a", "b"], '{"a","b"}'),
        ([""], '{""}'),
        ([None, None], "{}"),
        (["NULL", None], '{"NULL",NULL}'),
        (['say "yes"', "back\\slash"], '{"say \\"yes\\"","back\\\\slash"}'),
    ],
)
def test_texts_are_written_as_postgresql_reads_arrays(values: list[str | None], literal: str) -> None:
    """Quotes and backslashes are escaped, a null is not the word; a column of nulls is empty."""
    assert columns.texts(values) == literal


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXT | st.none(), max_size=5))
def test_postgresql_reads_the_same_texts(values: list[str | None]) -> None:
    """Whatever texts and nulls a column holds, the database has the same, in their order."""

    async def read_back() -> list[str | None]:
        connection = await asyncpg.connect(os.environ[ADMIN_DSN])
        rows = await connection.fetch(
            "SELECT text FROM unnest($1::text::text[], $2::integer[]) AS given (text, place) ORDER BY place",
            columns.texts(values),
            list(range(len(values))),
        )
        await connection.close()
        return [row["text"] for row in rows]

    assert asyncio.run(read_back()) == values


@pytest.mark.parametrize(
    "time",
    [
        datetime(1685, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 2, 10, 0, 0, 1, tzinfo=UTC),
        datetime(2255, 6, 1, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
async def test_postgresql_reads_the_same_time(time: datetime) -> None:
    """No microsecond is lost on the way, in any year that votes come from."""
    connection = await asyncpg.connect(os.environ[ADMIN_DSN])
    [row] = await connection.fetch(
        """
        SELECT 'epoch'::timestamptz + moment * interval '1 microsecond' AS time
          FROM unnest($1::text::bigint[]) AS moment
        """,
        columns.times([time]),
    )
    await connection.close()
    assert row["time"] == time
