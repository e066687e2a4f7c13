"""Tables of customers and accounts as people's spreadsheets write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.roadmap.priority.frame import Frame
from services.roadmap.priority.frame_csv import Wrong, decoded, read_accounts, read_frame, written

CELLS = "loyalty,plan,region,customers\nLoyal,Pro,EU,200\nother,pro,eu,800\n"


@pytest.mark.parametrize(
    "text",
    [
        CELLS,
        "\ufeff" + CELLS,
        CELLS.replace(",", ";"),
        CELLS.replace(",", "\t"),
        CELLS.replace("\n", "\r\n") + "\r\n\r\n",
        'Region,Plan,Loyalty,Customers\neu,"pro",loyal,200.0\nEU, pro ,other,8e2\n',
    ],
)
def test_cells_are_read_however_they_were_written(text: str) -> None:
    """Separators, line ends, byte-order marks, order and case of columns make no difference."""
    assert read_frame(text).frame == Frame({"loyal|pro|eu": 200.0, "other|pro|eu": 800.0})


def test_margins_are_read() -> None:
    """A row for each value of a dimension."""
    text = "dimension,value,customers\nplan,Pro,300\nPlan,free,700\nregion,eu,1000\n"
    assert read_frame(text).frame == Frame(margins={"plan": {"pro": 300.0, "free": 700.0}, "region": {"eu": 1000.0}})


@pytest.mark.parametrize("shares", [("0.2", "0.8"), ("20", "80"), ("20%", "80 %"), ("0,2", "0,8")])
def test_shares_become_customers(shares: tuple[str, str]) -> None:
    """Parts of 1 or of 100 are multiplied by the number of all customers."""
    text = f"loyalty;share\nloyal;{shares[0]}\nother;{shares[1]}\n"
    found = read_frame(text, 5000).frame
    assert found is not None
    assert found.cells == pytest.approx({"loyal|–|–": 1000.0, "other|–|–": 4000.0})


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", Wrong(1, "The table is empty; its first line names the columns.")),
        (
            "plan\npro\n",
            Wrong(1, "Give one column of numbers, called customers (counts) or share (parts of 1 or of 100)."),
        ),
        (
            "customers\n12\n",
            Wrong(1, "Give the columns loyalty, plan and region (any of them), or dimension and value."),
        ),
        (
            "plan,colour,customers\npro,red,1\n",
            Wrong(1, "The column 'colour' is none of ours; take it out or rename it."),
        ),
        ("plan,plan,customers\n", Wrong(1, "Two columns have the same name.")),
        (
            "plan,share\npro,1\n",
            Wrong(1, "Shares need the number of all customers, so that reach is a number of people."),
        ),
        ("plan,customers\npro,many\n", Wrong(2, "'many' is no number; write customers as 1200 or 12.5.")),
        ("plan,customers\npro,\n", Wrong(2, "Fill in customers.")),
        ("plan,customers\npro,-1\n", Wrong(2, "'-1' cannot be; customers is 0 or more.")),
        ("plan,customers\npro,inf\n", Wrong(2, "'inf' cannot be; customers is 0 or more.")),
        (
            'plan,customers\npro,"1,200"\n',
            Wrong(2, "'1,200' may be thousands or a fraction; write it without marks between thousands."),
        ),
        (
            "plan,customers\npro,1\nfree,2\nPRO,3\n",
            Wrong(4, "This segment was given before; add its customers up and give it once."),
        ),
        (
            "dimension,value,customers\ncolour,red,1\n",
            Wrong(2, "The dimension 'colour' is none of loyalty, plan, region."),
        ),
        (
            "plan,customers\npro,0\n",
            Wrong(0, "The customers add up to 0; give the number of customers in each segment."),
        ),
        ('plan,customers\n"pro,1\n', Wrong(1, "This is no CSV: unexpected end of data.")),
        ("plan,customers\n\0,1\n", Wrong(1, "This is no table; save it as CSV.")),
    ],
)
def test_what_is_wrong_is_told_by_its_line(text: str, wrong: Wrong) -> None:
    """Nothing is taken of a table with an error, and the error says where and what to do."""
    found = read_frame(text)
    assert (found.frame, found.wrong) == (None, (wrong,))


def test_shares_that_are_not_whole_are_refused() -> None:
    """A forgotten segment would make all others too heavy."""
    assert read_frame("plan,share\npro,0.4\nfree,0.4\n", 10).wrong == (
        Wrong(0, "The shares add up to 0.8, not to 1 or 100."),
    )


def test_all_errors_are_told_at_once() -> None:
    """Each wrong line is named, up to fifty of them."""
    text = "plan,customers\n" + "".join(f"p{number},x\n" for number in range(80))
    found = read_frame(text)
    assert [wrong.line for wrong in found.wrong] == [*range(2, 52), 0]
    assert found.wrong[-1].message == "30 more lines are wrong in the same or other ways."


@pytest.mark.parametrize(
    "frame",
    [
        Frame({"loyal|pro|eu": 200.5, "–|–|us": 800.0}),
        Frame(margins={"plan": {"pro, team": 1200.0}, "region": {"–": 3.0}}),
    ],
)
def test_what_is_shown_for_change_reads_as_the_same(frame: Frame) -> None:
    """The table that the page offers for change, sent back unchanged, changes nothing."""
    assert read_frame(written(frame)).frame == frame
    assert written(Frame()) == ""


def test_a_huge_table_is_refused() -> None:
    """A million rows are no customer base by segment."""
    text = "plan,customers\n" + "x,1\n" * 10_001
    assert read_frame(text).wrong == (Wrong(1, "The table has more than 10,000 rows."),)


def test_accounts_are_read() -> None:
    """A person in a line, with the account and its value."""
    found = read_accounts("person;account;value\nana;acme;1200,5\nben;acme;1200,5\n")
    assert (found.people, found.wrong) == ((("ana", "acme", 1200.5), ("ben", "acme", 1200.5)), ())


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("ana,acme,1\nana,zoo,2", Wrong(3, "The person 'ana' was given before; name each once, with one account.")),
        ("ana,acme,1\nben,acme,2", Wrong(3, "The account 'acme' was worth 1 before; give it one value.")),
        ("ana,,1", Wrong(2, "Give both the person and the account.")),
        ("ana,acme", Wrong(2, "Fill in value.")),
    ],
)
def test_wrong_accounts_are_told(lines: str, wrong: Wrong) -> None:
    """Contradictions are no guess of ours."""
    found = read_accounts(f"person,account,value\n{lines}\n")
    assert (found.people, found.wrong) == ((), (wrong,))


def test_files_of_spreadsheets_are_decoded() -> None:
    """UTF-8 with and without its mark and UTF-16; anything else is no text."""
    assert decoded("plan\n".encode("utf-8-sig")) == "plan\n"
    assert decoded("pläne\n".encode("utf-16")) == "pläne\n"
    assert decoded("pläne\n".encode("latin-1")) is None


@given(st.text(max_size=200), st.none() | st.floats(1, 1e6))
def test_any_text_is_read_or_told(text: str, customers: float | None) -> None:
    """Whatever is uploaded, there is either a frame or a reason."""
    found = read_frame("plan,share\n" + text, customers)
    assert (found.frame is None) == bool(found.wrong)
    assert read_frame(text).frame is None or not read_frame(text).wrong
    assert read_accounts(text).wrong or read_accounts("person,account,value\n" + text) is not None
