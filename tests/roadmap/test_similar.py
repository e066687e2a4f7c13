"""Ideas are found whatever the language: compounds, short words, accents, slips, scripts without spaces."""

from collections.abc import Awaitable, Callable

import pytest

from services.roadmap.board.similar import fused, pieces_of, words_of
from tests.roadmap.events import add_idea
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]

SCHOOL = [
    "Abwesenheiten Vertretungsplan",
    "VertretungsBoard",
    "Vertretungsplanung Wochenansicht",
    "Vertretungsplan drucken",
    "Ungeklärte Vertretung wird zu Entfall",
    "Neuer Stunden/ Vertretungsplanwächter",
    'Wann kommt der "Wächter" für das neue Stunden- und Vertretungsplanmodul?',
]
"""Titles of a school's board, from getfider/fider#1374: there a search for "Vertretung" found three of them."""

OTHERS = [
    "AI summary of long threads",
    "Email templates",
    "Detail view of a customer",
    "UI for the tablet",
    "Build a mobile app",
    "Café receipts as PDF",
    "Größe der Schrift einstellen",
    "按标签导出数据",
    "データをCSVにエクスポート",
    "엑셀로 내보내기",
    "Экспорт в Excel",
    "Calendar sync",
    "Übersetzung der Oberfläche",
    "Σκούρο θέμα εφαρμογής",
    "تصدير الإجتماعات إلى إكسل",
    "ייצוא פגישות לאקסל",
    "ส่งออกข้อมูลเป็นไฟล์",
    "डेटा निर्यात करें",
    "Արտահանել տվյալները",
    "Тёмная тема для отчёта",
]


FIRST = {
    "AI": "AI summary of long threads",
    "UI": "UI for the tablet",
    "cafe": "Café receipts as PDF",
    "CAFÉ": "Café receipts as PDF",
    "grosse schrift": "Größe der Schrift einstellen",
    "数据导出": "按标签导出数据",
    "エクスポート": "データをCSVにエクスポート",
    "내보내기": "엑셀로 내보내기",
    "экспорт": "Экспорт в Excel",
    "ЭКСПОРТ": "Экспорт в Excel",
    "calender synk": "Calendar sync",
    "Vertretungsplan ausdrucken": "Vertretungsplan drucken",
    "calendar sync with the one that our whole company uses": "Calendar sync",
    "Übersetzng": "Übersetzung der Oberfläche",
    "экспрт": "Экспорт в Excel",
    "темная": "Тёмная тема для отчёта",
    "отчет": "Тёмная тема для отчёта",
    "σκουρο": "Σκούρο θέμα εφαρμογής",
    "εφαρμγής": "Σκούρο θέμα εφαρμογής",
    "الاجتماعات": "تصدير الإجتماعات إلى إكسل",
    "الإجتمعات": "تصدير الإجتماعات إلى إكسل",
    "פגשות": "ייצוא פגישות לאקסל",
    "ข้อมูล": "ส่งออกข้อมูลเป็นไฟล์",
    "ข้อมุล": "ส่งออกข้อมูลเป็นไฟล์",
    "निर्यात": "डेटा निर्यात करें",
    "निर्यत": "डेटा निर्यात करें",
    "տվյլները": "Արտահանել տվյալները",
    "标": "按标签导出数据",
    "按标签到出数据": "按标签导出数据",
    "エクスポト": "データをCSVにエクスポート",
    "내보내가": "엑셀로 내보내기",
}
"""What is typed, and the title that is meant."""

FOUND: dict[str, list[str]] = {
    "receipts cafe": ["Café receipts as PDF"],
    "导出数据": ["按标签导出数据"],
    "calender sync": ["Calendar sync"],
    "übersetzng": ["Übersetzung der Oberfläche"],
    "экспрт excel": ["Экспорт в Excel"],
    "тёмная": ["Тёмная тема для отчёта"],
    "פגשות": ["ייצוא פגישות לאקסל"],
    "निर्यत": ["डेटा निर्यात करें"],
    "签": ["按标签导出数据"],
    "AI": ["AI summary of long threads"],
    "app pdf": [],
    "xylophone sync": [],
    "zzzz": [],
    "%": [],
    "' | 'x':*": [],
    "\\": [],
}
"""What is searched, and all that is found."""


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    service = await start_service("roadmap")
    for number, title in enumerate(SCHOOL + OTHERS):
        await add_idea(service, f"idea-{number}", title=title)
    return service


async def similar(service: ServiceUnderTest, text: str) -> list[str]:
    answer = await service.client.get("/api/v1/similar", params={"text": text}, headers=service.headers("viewer"))
    assert answer.status_code == 200, answer.text
    return [idea["title"] for idea in answer.json()]


async def searched(service: ServiceUnderTest, text: str) -> list[str]:
    page = (await service.client.get("/board", params={"q": text})).text
    return [title for title in SCHOOL + OTHERS if f'dir="auto">{title.replace(chr(34), "&#34;")}</a>' in page]


async def test_the_parts_of_compounds_are_found(roadmap: ServiceUnderTest) -> None:
    """The board's search for "Vertretung" finds every title that contains it, in any case, and no other."""
    assert await searched(roadmap, "Vertretung") == SCHOOL
    assert await searched(roadmap, "VERTRETUNG") == SCHOOL


async def test_the_most_similar_comes_first(roadmap: ServiceUnderTest) -> None:
    """Short words, accents, slips, compounds, other alphabets and scripts without spaces: what is meant leads."""
    assert {typed: (await similar(roadmap, typed) or [""])[0] for typed in FIRST} == FIRST


async def test_the_board_is_searched_in_the_same_way(roadmap: ServiceUnderTest) -> None:
    """Every word must be there but for slips, or all the letters; signs mean nothing but themselves."""
    assert {typed: await searched(roadmap, typed) for typed in FOUND} == FOUND


async def test_similar_ideas_stand_on_the_form(roadmap: ServiceUnderTest) -> None:
    """The form shows them for what the board's search began, and as a fragment while somebody types."""
    page = (await roadmap.client.get("/suggest", params={"title": "calendar"})).text
    assert 'value="calendar"' in page
    assert ">Calendar sync</a>" in page
    fragment = (await roadmap.client.get("/similar", params={"title": "calendar"})).text
    assert ">Calendar sync</a>" in fragment
    assert "<html" not in fragment
    assert (await roadmap.client.get("/similar", params={"title": ""})).text.strip() == ""


async def test_what_is_not_on_the_board_is_not_suggested(roadmap: ServiceUnderTest) -> None:
    """Merged and waiting ideas are not suggested, and a changed title is found by its new words alone."""
    headers = roadmap.headers("researcher")
    await roadmap.client.post("/suggest", data={"title": "Calendar sync for rooms"})
    assert await similar(roadmap, "calendar sync") == ["Calendar sync"]
    await roadmap.client.patch("/api/v1/ideas/idea-18", json={"title": "Appointments"}, headers=headers)
    assert await similar(roadmap, "calendar") == []
    assert await similar(roadmap, "appointments") == ["Appointments"]


def test_rankings_are_fused_by_reciprocal_places() -> None:
    """B is second twice (2/62) and beats a, first once (1/61), and c, third once (1/63)."""
    assert fused([["a", "b"], ["x", "b", "c"]]) == ["b", "a", "x", "c"]
    assert fused([[], []]) == []


@pytest.mark.parametrize(
    ("text", "words", "pieces"),
    [
        ("a b a", ["a", "b"], []),
        ("R&D, now", ["R&D,", "now"], ["now"]),
        ("导出数据", ["导出数据"], ["导出", "出数", "数据"]),
        ("图", ["图"], ["图"]),
        ("हिन्दी, डेटा", ["हिन्दी,", "डेटा"], ["हिन्दी", "डेटा"]),
        ("\x00 \t", [], []),
    ],
)
def test_what_is_typed_is_taken_apart(text: str, words: list[str], pieces: list[str]) -> None:
    """Words by spaces, without punctuation but with their letters' marks, and pairs where a script has no spaces."""
    assert (words_of(text), pieces_of(text)) == (words, pieces)
