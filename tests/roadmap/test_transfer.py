"""The board as files: out, in again, from other tools, and what is wrong with a file."""

import csv
import json
from collections.abc import Awaitable, Callable
from io import StringIO
from typing import Any

import pytest

from services.roadmap.transfer.rows import guarded, read, status_of, time_of, unguarded, write
from tests.roadmap.events import add_idea, drift, supporters, voted
from tests.roadmap.people import mails, sign_in, vote
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]

FIDER = """number,title,description,created_at,created_by,votes_count,comments_count,status,responded_by,responded_at,\
response,original_number,original_title,tags
1,Dark mode,"For the
night",2024-05-01T10:00:00Z,Ana,3,0,started,Bo,2024-06-01T10:00:00Z,Soon.,,,"ui, theme"
2,Export,,2024-05-02T10:00:00Z,Ben,1,0,completed,,,,,,
3,Night mode,,2024-05-03T10:00:00Z,Cy,1,0,duplicate,,,,1,Dark mode,
4,,,2024-05-03T10:00:00Z,Cy,1,0,open,,,,,,
5,Search,,yesterday,Cy,1,0,open,,,,,,
"""
CANNY_POSTS: list[dict[str, Any]] = [
    {"id": "p1", "title": "Dark mode", "details": "At night", "status": "under review",
     "created": "2024-05-01T10:00:00Z", "author": {"id": "u1", "name": "Ana", "email": "ana@example.com"},
     "tags": [{"name": "ui"}], "score": 2},
    {"id": "p2", "title": "Export", "details": "", "status": "complete", "created": "2024-05-02T10:00:00Z"},
]  # fmt: skip
CANNY_VOTES = [
    {"id": "v1", "created": "2024-05-03T10:00:00Z", "post": {"id": "p1", "title": "Dark mode"},
     "voter": {"id": "u1", "name": "Ana", "email": "ana@example.com"}},
    {"id": "v2", "created": "2024-05-03T11:00:00Z", "post": {"id": "p1"}, "voter": {"id": "u2", "name": "Ben"}},
    {"id": "v3", "created": "2024-05-03T11:00:00Z", "post": {"id": "p9"}, "voter": {"id": "u2", "name": "Ben"}},
]  # fmt: skip


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    return await start_service("roadmap")


def jsonl(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


async def take(service: ServiceUnderTest, kind: str, text: str, **fields: Any) -> dict[str, Any]:
    """Import a file for good, unless the test says otherwise; gives the report."""
    answer = await service.client.post(
        f"/api/v1/import/{kind}", json={"text": text, "apply": True, **fields}, headers=service.headers("manager")
    )
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def sums(report: dict[str, Any]) -> tuple[int, int, int]:
    return report["new"], report["known"], report["left_out"]


async def export(service: ServiceUnderTest, kind: str, form: str = "csv") -> str:
    answer = await service.client.get(f"/api/v1/export/{kind}?format={form}", headers=service.headers("manager"))
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_what_goes_out_comes_in_elsewhere(roadmap: ServiceUnderTest, start_service: Start, form: str) -> None:
    """A board taken out and in at an empty one is the same board, with the same people behind each idea."""
    await add_idea(roadmap, "export", description='=SUM(1,2) "quoted"\nsecond line, 你好')
    await add_idea(roadmap, "search", status="planned")
    await sign_in(roadmap, "ana@example.com")
    await vote(roadmap, "export")
    await roadmap.deliver(voted("export", "ben"), voted("search", "v1", kind="anonymous"))
    await roadmap.client.post("/board/export/comments", data={"body": "Yes, please."})
    files = {kind: await export(roadmap, kind, form) for kind in ("people", "ideas", "votes", "comments")}
    there = await start_service("roadmap")
    for kind, text in files.items():
        assert (await take(there, kind, text, format=form))["left_out"] == 0, kind
    assert await supporters(there, "export") == 2
    assert await drift(there) == []
    assert {kind: sums(await take(there, kind, text, format=form)) for kind, text in files.items()} == {
        "people": (0, 1, 0),
        "ideas": (0, 2, 0),
        "votes": (0, 3, 0),
        "comments": (0, 1, 0),
    }
    again = {kind: await export(there, kind, form) for kind in files}
    assert again == files
    assert await mails(there) == []


async def test_a_fider_export_comes_in_once(roadmap: ServiceUnderTest) -> None:
    """Two ideas with status, answer and time; a duplicate, one without title and one without a time are named."""
    report = await take(roadmap, "ideas", FIDER, source="fider")
    assert sums(report) == (2, 0, 3)
    assert {fault["number"]: fault["says"].split(";")[0] for fault in report["faults"]} == {
        5: "it is a duplicate",
        6: "title: Fill this in.",
        7: "'yesterday' is no date",
    }
    rows = await roadmap.database.fetch("SELECT * FROM ideas ORDER BY feature_id")
    assert [(row["feature_id"], row["title"], row["status"], row["status_note"]) for row in rows] == [
        ("fider-1", "Dark mode", "now", "Soon."),
        ("fider-2", "Export", "shipped", None),
    ]
    assert (rows[0]["description"], rows[0]["created_at"].isoformat()) == (
        "For the\nnight",
        "2024-05-01T10:00:00+00:00",
    )
    assert sums(await take(roadmap, "ideas", FIDER, source="fider")) == (0, 2, 3)


async def test_cannys_objects_come_in(roadmap: ServiceUnderTest) -> None:
    """Posts and votes as Canny's API gives them: persons are known by their address, and each votes once."""
    await sign_in(roadmap, "ana@example.com")
    assert sums(await take(roadmap, "ideas", jsonl(CANNY_POSTS), source="canny", format="jsonl")) == (2, 0, 0)
    report = await take(roadmap, "votes", jsonl(CANNY_VOTES), source="canny", format="jsonl")
    assert sums(report) == (2, 0, 1)
    assert report["faults"] == [{"number": 3, "says": "there is no idea 'p9' here; import the ideas first"}]
    assert await supporters(roadmap, "canny-p1") == 2
    rows = await roadmap.database.fetch("SELECT voter_id FROM votes ORDER BY voter_id")
    assert rows[0]["voter_id"] == "canny-u2"
    assert rows[1]["voter_id"].startswith("member-")
    assert sums(await take(roadmap, "votes", jsonl(CANNY_VOTES), source="canny", format="jsonl")) == (0, 2, 1)


async def test_faults_are_told_in_the_readers_language(roadmap: ServiceUnderTest) -> None:
    """A German page says in German what is wrong with a row, our own words and those of the fields' limits alike."""
    form = {"kind": "ideas", "source": "fider", "format": "csv", "act": "preview", "text": FIDER}
    headers = roadmap.headers("manager") | {"Accept-Language": "de"}
    page = await roadmap.client.post("/transfer", data=form, headers=headers)
    assert "title: Bitte ausfüllen." in page.text
    assert "Fill this in" not in page.text
    assert "it is a duplicate" not in page.text


async def test_a_preview_keeps_nothing(roadmap: ServiceUnderTest) -> None:
    """The page says what the import would do, line by line, and does it when asked."""
    form = {"kind": "ideas", "source": "fider", "format": "csv", "act": "preview"}
    file = {"file": ("fider.csv", FIDER, "text/csv")}
    page = await roadmap.client.post("/transfer", data=form, files=file, headers=roadmap.headers("manager"))
    assert "What the import would do" in page.text
    assert "it is a duplicate" in page.text
    assert await roadmap.database.fetch("SELECT 1 FROM ideas UNION ALL SELECT 1 FROM outbox") == []
    page = await roadmap.client.post(
        "/transfer", data={**form, "act": "apply", "text": FIDER}, headers=roadmap.headers("manager")
    )
    assert page.status_code == 200
    assert len(await roadmap.database.fetch("SELECT 1 FROM ideas")) == 2


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "=cmd|' /C calc'!A0"])
def test_no_cell_is_a_formula(text: str) -> None:
    """Whatever somebody wrote, no cell of an export begins like a formula, and it is the same text when read again."""
    *_head, line = write("ideas", "csv", [{"id": "a", "title": text}])
    cells = next(csv.reader(StringIO(line)))
    assert not cells[1].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(guarded(text)) == text
    assert unguarded("'tis fine") == "'tis fine"


@pytest.mark.parametrize(
    ("form", "text", "says"),
    [
        ("csv", 'id,title\n1,"never ends', "this is no CSV from here on"),
        ("csv", "id,title\n1,a,b\n", "more cells than the head"),
        ("jsonl", "{\n", "this is no JSON"),
        ("jsonl", "[1]\n", "this is no JSON object"),
        ("jsonl", "[" * 100_000 + "\n", "this is no JSON"),
    ],
)
def test_a_broken_file_is_told_where(form: Any, text: str, says: str) -> None:
    """The rows before are read, and the reason names what is wrong."""
    [*_rows, last] = read("ideas", form, StringIO(text, newline=""))
    assert says in (last.wrong or "")


def test_words_of_other_tools_are_known() -> None:
    """Statuses of Fider and Canny, and times with and without an offset."""
    assert [status_of(given) for given in ("Open", "In Progress", "duplicate", "declined", "")] == [
        "new",
        "now",
        None,
        "declined",
        "new",
    ]
    with pytest.raises(ValueError, match="'someday' is unknown"):
        status_of("someday")
    assert str(time_of("2024-05-01")) == "2024-05-01 00:00:00+00:00"
    assert str(time_of("2024-05-01T10:00:00+02:00")) == "2024-05-01 08:00:00+00:00"


@pytest.mark.parametrize("role", ["viewer", "researcher"])
async def test_managers_alone_take_the_board_out(roadmap: ServiceUnderTest, role: str) -> None:
    """The files hold addresses."""
    assert (await roadmap.client.get("/api/v1/export/people", headers=roadmap.headers(role))).status_code == 403
    assert (await roadmap.client.get("/transfer", headers=roadmap.headers(role))).status_code == 403
