"""The pages in the reader's language: every message translated, no bare text, room for long and right-to-left words."""

import ast
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from services.roadmap.templates import templates
from shared.ui import words
from shared.ui.catalogues import KEYWORDS, PARTS, ROOT, Part, messages, missing
from shared.ui.sentences import Sentence
from tests.roadmap.events import add_idea
from tests.roadmap.people import move
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]
CATALOGUES = [(part, path) for part in PARTS for path in part.languages()]
TEMPLATES = [path for part in PARTS for path in part.files() if path.suffix == ".html"]
VALUE = re.compile(r"%\((\w+)\)|\{(\w+)\}|<(/?\w+)")
SPOKEN = frozenset({"alt", "aria-label", "content", "label", "placeholder", "title"})
NO_WORDS = frozenset({"Earshot", "Fider", "Canny", "CSV", "JSON Lines", "width=device-width"})
"""Names that are the same in every language, and what no reader sees."""


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """A roadmap with one idea."""
    service = await start_service("roadmap")
    await add_idea(service, "export", description="Long live the spreadsheet.")
    return service


class Pseudo(NullTranslations):
    """A language in which every message is longer, accented, and between brackets that nothing else has."""

    def gettext(self, message: str) -> str:
        """The message, so that what was not marked stands out; its values stay readable for what fills them in."""
        accents = str.maketrans("aeiouAEIOU", "àéîõüÀÉÎÕÜ")
        pieces = re.split(r"(%\(\w+\)s|\{\w+\}|<[^>]*>)", message)
        said = "".join(piece if number % 2 else piece.translate(accents) for number, piece in enumerate(pieces))
        return f"⟦{said} ⸱⸱⸱⟧"

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.gettext(one if count == 1 else many)


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The roadmap speaks a made-up language under the name of Arabic, which is written from right to left."""
    monkeypatch.setitem(templates.words.catalogues, "ar", Pseudo())


@pytest.mark.parametrize(("part", "path"), CATALOGUES, ids=lambda each: each.stem if isinstance(each, Path) else "")
def test_every_message_is_translated(part: object, path: Path) -> None:
    """German and Chinese have all forms of all messages, of the service and of what all pages share."""
    assert missing(path, messages(part.files())) == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.catalogues.parent.name)
def test_messages_stand_outside_of_f_strings(part: Part) -> None:
    """Inside, extraction finds them from Python 3.12 on only, so that on 3.11 nobody would miss a translation."""
    hidden = [
        f"{path.name}:{call.lineno}"
        for path in part.files()
        if path.suffix == ".py"
        for text in ast.walk(ast.parse(path.read_text()))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KEYWORDS
    ]
    assert hidden == []


def test_german_and_chinese_are_there() -> None:
    """Beside English, which the messages themselves are."""
    assert templates.words.languages == ("en", "de", "zh_Hans")
    assert templates.words.names == {"en": "English", "de": "Deutsch", "zh-Hans": "中文 (简体)"}


@pytest.mark.parametrize(("_part", "path"), CATALOGUES, ids=lambda each: each.stem if isinstance(each, Path) else "")
def test_translations_have_the_same_values(_part: object, path: Path) -> None:
    """Whatever is filled in, and every tag, is in the translation as often as in the message."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    for message in catalogue:
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        said = [message.string] if isinstance(message.string, str) else list(message.string or ())
        for text in said if message.id else []:
            wanted = {tuple(sorted(VALUE.findall(one))) for one in ids}
            found = tuple(sorted(VALUE.findall(text)))
            counted = tuple(sorted([*found, ("count", "", "")]))
            assert found in wanted or counted in wanted, f"{message.id}: {text}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_holds_bare_text(path: Path) -> None:
    """Outside of marks for translation there are no letters that a reader would see or hear."""
    text = path.read_text()
    text = re.sub(r"{%-?\s*trans\b.*?endtrans\s*-?%}", "", text, flags=re.DOTALL)
    text = re.sub(r"{%\s*block shape\s*%}.*?{%\s*endblock\s*%}", "", text)  # the class of the body
    text = re.sub(r'{#.*?#}|<{{.*?}} class="[^"]*"|{%.*?%}', "", text, flags=re.DOTALL)
    text = re.sub(r"{{.*?}}", "", text, flags=re.DOTALL)
    seen = Seen()
    seen.feed(text)
    assert [words for words in seen.words if words not in NO_WORDS and not words.startswith("…")] == []


class Seen(HTMLParser):
    """Collects what a reader of a page sees or hears."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in {"script", "style", "svg", "code"}
        given = dict(attrs)
        if tag != "meta":
            self.words += [given[name] or "" for name in given.keys() & SPOKEN if _has_words(given[name])]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style", "svg", "code"}

    def handle_data(self, data: str) -> None:
        if not self._hidden and _has_words(data):
            self.words.append(" ".join(data.split()))


def _has_words(text: str | None) -> bool:
    return re.search(r"[^\W\d_]{2}", text or "") is not None


@pytest.mark.parametrize(
    "path", ["/board", "/board/export", "/sign-in", "/suggest", "/changelog", "/board?view=columns"]
)
@pytest.mark.usefixtures("pseudo")
async def test_every_word_of_a_page_is_translated(roadmap: ServiceUnderTest, path: str) -> None:
    """In a language of brackets everything but what people wrote stands between brackets, from right to left."""
    separator = "&" if "?" in path else "?"
    page = (await roadmap.client.get(f"{path}{separator}language=ar")).text
    assert '<html lang="ar" dir="rtl">' in page
    seen = Seen()
    seen.feed(page)
    ours = [
        said
        for said in seen.words
        if not {"Export", "Long live the spreadsheet."} & {said}
        and said.removesuffix(" · Earshot") not in {*NO_WORDS, "Export", *templates.words.names.values()}
    ]
    bare = [said for said in ours if "⟦" not in said and "⟧" not in said and not re.search(r"[\u0600-\u06ff]", said)]
    assert bare == []
    assert len(ours) > 10


@pytest.mark.parametrize(
    ("headers", "query", "language", "says"),
    [
        ({}, "", "en", "What would help you?"),
        ({"Accept-Language": "de-AT,en;q=0.5"}, "", "de", "Was würde Ihnen helfen?"),
        ({"Accept-Language": "fr;q=0.9, zh-CN;q=0.8, de;q=0.7"}, "", "zh-Hans", "什么能帮到您？"),
        ({"Accept-Language": "de;q=0.1, en;q=0.9"}, "", "en", "What would help you?"),
        ({"Accept-Language": "zh-TW, de"}, "", "de", "Was würde Ihnen helfen?"),
        ({"Accept-Language": "de", "Cookie": "language=zh-Hans"}, "", "zh-Hans", "什么能帮到您？"),
        ({"Cookie": "language=zh-Hans"}, "?language=de", "de", "Was würde Ihnen helfen?"),
        ({"Cookie": "language=xx", "Accept-Language": "; ;q=x, --"}, "?language=../etc", "en", "What would help you?"),
    ],
)
async def test_the_language_is_the_readers(
    roadmap: ServiceUnderTest, headers: dict[str, str], query: str, language: str, says: str
) -> None:
    """A link decides, then what was chosen before, then what the browser prefers; nonsense is English."""
    page = (await roadmap.client.get(f"/board{query}", headers=headers)).text
    assert f'<html lang="{language}" dir="ltr">' in page
    assert says in page


async def test_a_chosen_language_is_remembered(roadmap: ServiceUnderTest) -> None:
    """The link of the page's foot keeps where the reader is, and the next page is in that language without it."""
    page = (await roadmap.client.get("/board?stage=later")).text
    assert '<a href="?stage=later&amp;language=de" lang="de" hreflang="de" rel="nofollow">Deutsch</a>' in page
    answer = await roadmap.client.get("/board?stage=later&language=de")
    assert answer.headers["set-cookie"] == "language=de; Max-Age=31536000; Path=/; SameSite=Lax; HttpOnly"
    assert "Was würde Ihnen helfen?" in (await roadmap.client.get("/board")).text


async def test_numbers_and_days_follow_the_language(roadmap: ServiceUnderTest) -> None:
    """The territory comes from the browser where it names one of that language."""
    request = {"Accept-Language": "de-CH, en"}
    page = (await roadmap.client.get("/board/export", headers=request)).text
    assert "2. März 2026" in page or "02.03.2026" in page
    assert [str(words.locale_of(language, "de-CH, en-US")) for language in ("de", "en", "zh_Hans")] == [
        "de_CH",
        "en_US",
        "zh_Hans",
    ]


async def test_messages_after_a_form_are_translated(roadmap: ServiceUnderTest) -> None:
    """What a form answers, a fault and a flash, is in the reader's language."""
    german = {"Accept-Language": "de"}
    wrong = await roadmap.client.post("/sign-in", data={"email": "nowhere"}, headers=german)
    assert "Geben Sie eine E-Mail-Adresse ein" in wrong.text
    await roadmap.client.post("/board/export/vote", data={"vote": "up"}, headers=german)
    assert "Ihre Stimme zählt, sobald Sie sich anmelden" in (await roadmap.client.get("/board", headers=german)).text


@pytest.mark.parametrize(
    ("path", "german", "chinese"),
    [
        ("/board/nowhere", "Nicht gefunden: Idee", "没有想法 &#39;nowhere&#39;；请检查网址。"),
        ("/changelog/nowhere", "Eintrag &#39;nowhere&#39; gibt es nicht", "找不到这个条目"),
        ("/board?page=0", "Geben Sie 1 oder mehr ein.", "输入无效"),
        ("/suggest", "So geht es hier nicht", "不支持这种请求方式"),
    ],
)
async def test_refusals_are_in_the_readers_language(
    roadmap: ServiceUnderTest, path: str, german: str, chinese: str
) -> None:
    """A page says in German and Chinese what was wrong; a program is told in English, whatever it prefers to read."""
    method = "DELETE" if path == "/suggest" else "GET"
    for language, says in {"de": german, "zh-CN": chinese}.items():
        reads = {"Accept": "text/html", "Accept-Language": language, **roadmap.headers("manager")}
        page = await roadmap.client.request(method, path, headers=reads)
        assert page.status_code >= 400
        assert says in page.text
        told = await roadmap.client.request(method, path, headers=reads | {"Accept": "application/json"})
        assert re.fullmatch(r"[ -~]+", told.json()["title"] + told.json()["detail"])


async def test_rules_speak_the_readers_language(roadmap: ServiceUnderTest) -> None:
    """A reason that a rule gives reaches the page as a sentence with its values, and the API in English."""
    await add_idea(roadmap, "dark", status="shipped")
    german = {"Accept": "text/html", "Accept-Language": "de", **roadmap.headers("manager")}
    merge = {"feature_id": "export", "into_id": "dark"}
    page = await roadmap.client.post("/layout/categories", data={"name": "x" * 41, "position": "1"}, headers=german)
    assert "Ein Name hat höchstens 40 Zeichen; kürzen Sie ihn." in page.text
    told = await roadmap.client.post("/api/v1/merges", json=merge, headers=german)
    assert told.json()["detail"] == "“Dark” is shipped; reopen it first, or leave both as they are."


async def test_a_refused_vote_says_why_in_the_voters_language(roadmap: ServiceUnderTest) -> None:
    """Somebody votes for an idea that was declined while they read."""
    await move(roadmap, "export", "declined")
    roadmap.now += timedelta(hours=1)
    german = {"Accept": "text/html", "Accept-Language": "de"}
    page = await roadmap.client.post("/board/export/vote", data={"vote": "up"}, headers=german)
    assert page.status_code == 409
    assert "Die Idee &#39;export&#39; ist seit 2026-03-02 09:00 UTC abgelehnt" in page.text


async def test_faults_of_a_table_are_in_the_readers_language(roadmap: ServiceUnderTest) -> None:
    """What is wrong in which line of a pasted table."""
    german = {"Accept-Language": "de", **roadmap.headers("manager")}
    table = {"table": "person,account,value\nana,,3\nben,acme,many\n"}
    page = await roadmap.client.post("/accounts", data=table, headers=german)
    assert "Nennen Sie die Person und das Konto." in page.text
    assert "&#39;many&#39; ist keine Zahl; schreiben Sie value als 1200 oder 12.5." in page.text


def test_a_sentence_is_english_text_until_it_is_spoken() -> None:
    """Values are filled in, also those that are sentences; other text is spoken as it is."""
    sentence = Sentence("No such %(what)s", what=Sentence("idea"))
    assert sentence == "No such idea"
    with templates.words.speaking("de"):
        assert words.spoken(sentence) == "Nicht gefunden: Idee"
        assert words.spoken("No such idea") == "No such idea"
    assert words.spoken(sentence) == "No such idea"
