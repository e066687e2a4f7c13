"""Measurements from a CSV file."""

from datetime import UTC, datetime

import pytest

from services.kpi.rows import BadFile, Row, read

HEADER = "period_start,period_end,value,sample_size\n"


def faults(content: str | bytes) -> list[str]:
    with pytest.raises(BadFile) as refused:
        read(content.encode() if isinstance(content, str) else content)
    return list(refused.value.faults)


def test_days_times_and_sizes_are_read() -> None:
    """Days are UTC, times keep their moment, an empty sample size is unknown."""
    rows = read(f"{HEADER}2026-03-02,2026-03-09,72.5,120\n2026-03-09T00:00+01:00,2026-03-16T00:00Z,-3,\n".encode())
    assert rows == [
        Row(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC), 72.5, 120),
        Row(datetime(2026, 3, 8, 23, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC), -3.0, None),
    ]


def test_spreadsheets_save_in_several_ways() -> None:
    """A byte order mark, CRLF, another order of columns, quotation marks, blank lines and spaces are all right."""
    rows = read('\ufeffValue,Period_Start, period_end\r\n"72.5",2026-03-02,2026-03-09\r\n,,\r\n\r\n'.encode())
    assert rows == [Row(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC), 72.5, None)]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("soon,2026-03-09,1,", "Line 2, column period_start: 'soon' is no date"),
        (",2026-03-09,1,", "Line 2, column period_start: an empty cell is no date"),
        ("2026-03-02T08:00,2026-03-09,1,", "Line 2, column period_start: '2026-03-02T08:00' does not say in which"),
        ("2026-03-02,2026-02-30,1,", "Line 2, column period_end: '2026-02-30' is no date"),
        ("2026-03-02,2026-03-02,1,", "Line 2, column period_end: '2026-03-02' is not later than period_start."),
        ("2026-03-02,9999-12-31T23:00-05:00,1,", "Line 2, column period_end: '9999-12-31T23:00-05:00' lies outside"),
        ("2026-03-02,9999-12-31T23:59:59Z,1,", "Line 2, column period_end: '9999-12-31T23:59:59Z' lies outside"),
        ("0001-01-01,2026-03-02,1,", "Line 2, column period_start: '0001-01-01' lies outside"),
        ("2026-03-02,2026-03-09,many,", "Line 2, column value: 'many' is no number"),
        ("2026-03-02,2026-03-09,nan,", "Line 2, column value: 'nan' is larger than 1e100 or not a number"),
        ("2026-03-02,2026-03-09,1e300,", "Line 2, column value: '1e300' is larger than 1e100"),
        ("2026-03-02,2026-03-09,1,-4", "Line 2, column sample_size: '-4' is no number of answers"),
        ("2026-03-02,2026-03-09,1,99999999999999999999", "Line 2, column sample_size: '99999999999999999999' is no"),
        ("2026-03-02,2026-03-09,72,5,", "Line 2 has 5 columns instead of 4; write decimals with a point"),
    ],
)
def test_a_fault_names_line_and_column(line: str, fault: str) -> None:
    """Each fault says where it is, what stands there and what to write instead."""
    (found,) = faults(f"{HEADER}{line}\n")
    assert found.startswith(fault)


def test_all_faults_come_at_once_up_to_ten() -> None:
    """Faults of several lines and columns are told together, so that the file is mended once."""
    assert len(faults(f"{HEADER}a,b,c,d\n2026-03-02,2026-03-09,x,\n")) == 5
    assert len(faults(HEADER + "2026-03-02,2026-03-09,x,\n" * 500)) == 10


def test_a_period_stands_once() -> None:
    """The same period in two lines is a contradiction."""
    found = faults(f"{HEADER}2026-03-02,2026-03-09,1,\n2026-03-02T00:00Z,2026-03-09,2,\n")
    assert found == ["Line 3: the same period stands in line 2; keep one of them."]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "Line 1: the column period_start is missing"),
        ("period_start;period_end;value\n", "Line 1: the column period_start is missing"),
        ("period_start,period_end,value,plan\n", "Line 1: the column 'plan' is unknown"),
        ("period_start,period_end,value,value\n", "Line 1: a column stands there twice"),
        (HEADER, "The file has a header but no measurements"),
        (f'{HEADER}"2026', "Line 2: unexpected end of data"),
        (b"period_start,period_end,value\n\n\xff", "Line 3 is not UTF-8 text"),
        (f"{HEADER}\x00", "The file contains NUL characters"),
        (HEADER + "".join(f"2026-03-02T00:00:00.{n:06}Z,2026-03-09,1,\n" for n in range(10_001)), "The file has more"),
    ],
)
def test_a_file_that_is_no_such_file(content: str | bytes, fault: str) -> None:
    """A file in another form is refused with a sentence that names the form."""
    (found,) = faults(content)
    assert found.startswith(fault)


def test_hostile_cells_are_shown_shortened() -> None:
    """A cell of thousands of characters is quoted with its beginning."""
    (found,) = faults(f"{HEADER}2026-03-02,2026-03-09,{'<script>' * 999},\n")
    assert found == (
        "Line 2, column value: '<script><script><script><script><script>…' is no number; write for example 72.5."
    )
