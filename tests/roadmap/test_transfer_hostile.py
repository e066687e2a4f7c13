"""Files that are broken or meant to break: told line by line, with no more of them in memory than one row."""

import asyncio
import json
import tracemalloc
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from services.roadmap.transfer.rows import lines_of, read, time_of
from tests.roadmap.events import add_idea, drift, supporters, voted
from tests.roadmap.people import move
from tests.roadmap.test_merging import merge
from tests.roadmap.test_transfer import sums, take
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]
HALF = "\ud800"


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    service = await start_service("roadmap")
    await add_idea(service, "export")
    return service


@pytest.mark.parametrize(
    ("kind", "text", "form"),
    [
        ("ideas", "id,title,description\nn,a,b\0c\nok,fine,\n", "csv"),
        ("ideas", "id,title\nn\0,a\nok,fine\n", "csv"),
        ("votes", "idea,person\nexport,p\0\nexport,ok\n", "csv"),
        ("votes", "idea,email,name\nexport,a@example.com,A\0\nexport,b@example.com,B\n", "csv"),
        ("comments", "id,idea,body\nc1,ex\0port,a\nc2,export,b\n", "csv"),
        ("people", "id,plan\np1,p\0ro\np2,pro\n", "csv"),
        ("ideas", json.dumps({"id": HALF, "title": "a"}) + '\n{"id": "ok", "title": "fine"}\n', "jsonl"),
        ("ideas", '{"id": "n\\u0000", "title": "a"}\n{"id": "ok", "title": "fine"}\n', "jsonl"),
        ("ideas", "id,title,created_at\nn,a,0001-01-01T00:00:00+23:59\nok,fine,\n", "csv"),
        ("ideas", "id,title,created_at\nn,a,9999-12-31T23:59:59-23:59\nok,fine,\n", "csv"),
        ("votes", f"idea,email,name\nexport,a@example.com,{'A' * 81}\nexport,b@example.com,B\n", "csv"),
        ("ideas", '{"id": "n", "title": "' + "x" * 1_000_000 + '"}\n{"id": "ok", "title": "fine"}\n', "jsonl"),
    ],
)
async def test_one_bad_row_costs_one_row(roadmap: ServiceUnderTest, kind: str, text: str, form: str) -> None:
    """NULs, halves of characters, times beyond the calendar and endless texts are named; the row after is taken."""
    report = await take(roadmap, kind, text, format=form)
    assert sums(report) == (1, 0, 1)
    assert [fault["number"] for fault in report["faults"]] == [1 if form == "jsonl" else 2]


@pytest.mark.parametrize(
    ("text", "taken", "at"),
    [
        ('id,title\na,ok\nb,"never\nc,ends\nd,x\n', ["a"], 3),
        ('id,title\na,ok\nb,"a"b\nc,x\n', ["a"], 3),
        ("id,title\na,ok\nb," + "x" * 1_000_000 + "\nc,x\n", ["a"], 3),
        ('id,title\na,ok\nb,"' + ("x" * 99 + "\n") * 10_000 + '"\nc,x\n', ["a"], 3),
        ('id,"title\na,ok\n', [], 1),
    ],
)
def test_where_a_csv_breaks_is_the_line_its_row_begins_on(text: str, taken: list[str], at: int) -> None:
    """A quote that never ends and a cell of a megabyte: what stands before is read, and the line is where to look."""
    *rows, last = read("ideas", "csv", lines_of(text))
    assert [row.values["id"] for row in rows] == taken
    assert (last.number, (last.wrong or "")[:29]) == (at, "this is no CSV from here on: ")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(end: str) -> None:
    """With a byte order mark, a line break within quotes and none at the end of the file."""
    text = end.join(["\ufeffid,title,description", 'a,A,"one', 'two"', "", "b,B,"])
    assert [(row.values["id"], row.values.get("description")) for row in read("ideas", "csv", lines_of(text))] == [
        ("a", f"one{end}two"),
        ("b", None),
    ]


def test_lines_together_are_the_text() -> None:
    """Nothing is lost between them, and a line break of two characters is one."""
    text = "a\r\n\r\rb\n\nc"
    assert list(lines_of(text)) == ["a\r\n", "\r", "\r", "b\n", "\n", "c"]


@pytest.mark.parametrize("source", ["earshot", "fider"])
async def test_an_id_that_stands_twice_is_taken_once(roadmap: ServiceUnderTest, source: str) -> None:
    """The first row holds, the second one is known."""
    report = await take(roadmap, "ideas", "id,title\n7,First\n7,Second\n", source=source)
    assert sums(report) == (1, 1, 0)
    rows = await roadmap.database.fetch("SELECT title FROM ideas WHERE feature_id <> 'export'")
    assert [row["title"] for row in rows] == ["First"]


async def test_two_files_with_the_same_people_come_in_at_once(roadmap: ServiceUnderTest) -> None:
    """In whatever order each names them, one finds them new and the other known."""
    people = [f"u{number},u{number}@example.com\n" for number in range(200)]
    files = ["".join(["id,email\n", *rows]) for rows in (people, reversed(people))]
    reports = await asyncio.gather(*(take(roadmap, "people", text) for text in files))
    assert sorted(map(sums, reports)) == [(0, 200, 0), (200, 0, 0)]


async def test_merges_in_a_file_merge_nothing(roadmap: ServiceUnderTest) -> None:
    """Circles among them, and ideas merged into themselves, come in as ideas that stand for themselves."""
    report = await take(roadmap, "ideas", "id,title,merged_into\na,A,b\nb,B,a\nc,C,c\n")
    assert sums(report) == (3, 0, 0)
    assert await roadmap.database.fetch("SELECT FROM ideas WHERE merged_into IS NOT NULL") == []


def test_a_time_beyond_the_calendar_is_no_date() -> None:
    """Its moment in UTC would lie before the first year there is."""
    with pytest.raises(ValueError, match="is no date"):
        time_of("0001-01-01T00:00:00+23:59")


VOTES = "idea,person\n" + "".join(f"export,person-{number}\n" for number in range(200))


@pytest.mark.parametrize("apply", [True, False])
async def test_nobodys_vote_waits_for_an_import(roadmap: ServiceUnderTest, apply: bool) -> None:  # noqa: FBT001
    """While two hundred votes for an idea are taken in, or only looked at, others vote for it and are answered."""
    importing, meanwhile = asyncio.create_task(take(roadmap, "votes", VOTES, apply=apply)), 0
    while not importing.done():
        await roadmap.deliver(voted("export", f"meanwhile-{meanwhile}"))
        meanwhile += 1
    assert meanwhile >= 5
    assert sums(await importing) == (200, 0, 0)
    assert await supporters(roadmap, "export") == (200 if apply else 0) + meanwhile
    assert await drift(roadmap) == []


async def test_a_refused_vote_costs_one_row(roadmap: ServiceUnderTest) -> None:
    """Among votes counted together, one on a closed idea is told by its line, and one that comes twice counts once."""
    await add_idea(roadmap, "done", status="declined")
    later = (roadmap.now + timedelta(hours=1)).isoformat()
    text = f"idea,person,voted_at\nexport,p1,\ndone,p2,{later}\nexport,p1,\nexport,p3,\n"
    report = await take(roadmap, "votes", text)
    assert sums(report) == (2, 1, 1)
    assert [fault["number"] for fault in report["faults"]] == [3]
    assert "is declined since" in report["faults"][0]["says"]
    assert await supporters(roadmap, "export") == 2
    assert await drift(roadmap) == []


async def test_a_vote_that_stops_all_others_costs_one_row(roadmap: ServiceUnderTest) -> None:
    """A dated vote on an idea whose survivor was declined before is refused where it is kept, and the others count."""
    for name in ("part", "whole"):
        await add_idea(roadmap, name)
    await merge(roadmap, "part", "whole")
    await move(roadmap, "whole", "declined")
    later = (roadmap.now + timedelta(hours=1)).isoformat()
    report = await take(roadmap, "votes", f"idea,person,voted_at\nexport,p1,\npart,p2,{later}\nexport,p3,\n")
    assert sums(report) == (2, 0, 1)
    assert [fault["number"] for fault in report["faults"]] == [3]
    assert "is declined since" in report["faults"][0]["says"]
    assert await supporters(roadmap, "export") == 2


async def test_what_broke_off_goes_on(roadmap: ServiceUnderTest) -> None:
    """An import of votes that ends in the middle leaves whole votes, and the same file again brings the rest."""
    importing = asyncio.create_task(take(roadmap, "votes", VOTES))
    while await supporters(roadmap, "export") < 5:  # noqa: ASYNC110 - it is the database that changes
        await asyncio.sleep(0.01)
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing
    there = await supporters(roadmap, "export")
    assert 5 <= there < 200
    assert sums(await take(roadmap, "votes", VOTES)) == (200 - there, there, 0)
    assert await supporters(roadmap, "export") == 200
    assert await drift(roadmap) == []


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_large_file_is_read_row_by_row(form: Any) -> None:
    """Of 100,000 rows one at a time is in memory beside the text, whatever characters are in it: less than 50 kB."""
    row = "{n},An idea,Something,😀\n" if form == "csv" else '{{"id": "{n}", "title": "An idea", "x": "😀"}}\n'
    text = ("id,title,description,x\n" if form == "csv" else "") + "".join(row.format(n=n) for n in range(100_000))
    tracemalloc.start()
    try:
        count = sum(1 for _ in read("ideas", form, lines_of(text)))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 100_000
    assert peak < 50_000
