"""The pages, as a browser without scripts meets them."""

import re
from datetime import timedelta
from urllib.parse import unquote

import httpx
import pytest

from shared.contract.events import InsightTagged
from shared.contract.types import Segment
from tests.insights.conftest import Gateway
from tests.insights.examples import MONDAY, assessed, completed, erased, insight, status, transcript_at
from tests.support.service import ServiceUnderTest

FORM = {
    "turn": "2",
    "quote": "the same sheet every Monday",
    "feature_id": "export",
    "tags": "export, manual work,",
    "sentiment": "negative",
    "importance": "2",
}


@pytest.fixture
async def recorded(insights: ServiceUnderTest, gateway: Gateway) -> ServiceUnderTest:
    """The session s-1 with a transcript behind the gateway, and a known feature."""
    await insights.deliver(completed(transcript=transcript_at(gateway.transcript_of("s-1"))), status())
    return insights


async def page(service: ServiceUnderTest, path: str, role: str = "researcher", expect: int = 200) -> str:
    answer = await service.client.get(path, headers={**service.headers(role), "Accept": "text/html"})
    assert answer.status_code == expect, answer.text
    return answer.text


async def send(service: ServiceUnderTest, path: str, form: dict[str, str], role: str = "researcher") -> httpx.Response:
    return await service.client.post(path, data=form, headers={**service.headers(role), "Accept": "text/html"})


def words(html: str) -> str:
    """What a reader of the page reads, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


async def test_home_is_honest_when_empty(insights: ServiceUnderTest) -> None:
    """A new installation says what will stand here and why nothing does."""
    html = words(await page(insights, "/", "viewer"))
    assert html.count("to be tagged") == 1
    assert "No session waits to be tagged" in html
    assert "No insights yet" in html


async def test_home_shows_what_waits_and_what_is_new(recorded: ServiceUnderTest) -> None:
    """Untagged sessions come first with how long they wait, then the newest insights and what is spoken about."""
    await recorded.deliver(completed("s-2", "ben"))
    await recorded.client.post("/api/v1/insights", json=insight("s-2"), headers=recorded.headers("researcher"))
    html = await page(recorded, "/")
    assert "1 session waits to be tagged" in html
    assert 'href="/sessions/s-1"' in html
    assert "1 hour" in html
    assert "I rebuild the same sheet every Monday." in html
    assert 'href="/features/export"' in html
    assert "1 person" in html


async def test_a_session_shows_its_turns(recorded: ServiceUnderTest) -> None:
    """Each turn stands with its time and a way to tag it; markup in it is text."""
    html = await page(recorded, "/sessions/s-1")
    assert "How do you close the month?" in html
    assert "1:02:05" in html
    assert 'href="?turn=2#turn-2"' in html
    assert "<script>alert(1)</script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


async def test_an_opened_turn_quotes_itself(recorded: ServiceUnderTest) -> None:
    """The form beside a turn holds its words, to be shortened, and the known features."""
    html = await page(recorded, "/sessions/s-1?turn=2")
    assert 'name="turn" value="2"' in html
    assert re.search(r"<textarea[^>]*>\s*I export it 😀, then I rebuild\nthe same sheet every Monday", html)
    assert '<option value="export">Export that keeps formulas</option>' in html


@pytest.mark.parametrize("query", ["turn=99", ""])
async def test_without_a_turn_a_quote_is_typed(recorded: ServiceUnderTest, query: str) -> None:
    """No turn, or one that is not there, leaves the form for a quote typed by hand."""
    html = await page(recorded, f"/sessions/s-1?{query}")
    assert "Type a quote by hand" in html
    assert 'name="turn"' not in html


async def test_tagging_by_form(recorded: ServiceUnderTest) -> None:
    """A sent form keeps the insight, leads back to its turn, says so once, and marks the quote."""
    answer = await send(recorded, "/sessions/s-1/insights", FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions/s-1#turn-2")
    assert "The insight is kept." in unquote(answer.headers["set-cookie"])
    (event,) = await recorded.published(InsightTagged)
    assert (event.feature_id, event.tags, event.sentiment, event.importance) == (
        "export",
        ("export", "manual work"),
        "negative",
        2,
    )
    html = await page(recorded, "/sessions/s-1")
    assert "<mark>the same sheet every Monday</mark>" in html
    assert "1 insight" in html
    assert html.count("the same sheet every Monday") == 2


async def test_a_wrong_form_keeps_what_was_typed(recorded: ServiceUnderTest) -> None:
    """A quote that was not said comes back with the sentence that says so and all other fields."""
    answer = await send(recorded, "/sessions/s-1/insights", {**FORM, "quote": "I love <it>"})
    assert answer.status_code == 422
    assert "The quote is not in turn 2" in answer.text
    assert "I love &lt;it&gt;" in answer.text
    assert 'value="export, manual work,"' in answer.text
    assert '<option value="2" selected>' in answer.text
    assert "<title>Error:" in answer.text
    assert await recorded.published(InsightTagged) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"importance": "7"}, "Enter 3 or less."),
        ({"sentiment": "angry"}, "Choose one of the options."),
        ({"turn": "two"}, "Enter a whole number"),
        ({"turn": "9" * 5000}, "exceeded maximum size"),
        ({"tags": "x" * 301}, "Shorten this to 300 characters or fewer."),
        ({"quote": "a\x00b"}, "contains a NUL character"),
        ({"turn": "", "quote": " ", "tags": ",", "feature_id": ""}, "An insight needs a quote, a tag or a feature"),
    ],
)
async def test_wrong_fields_are_named(recorded: ServiceUnderTest, changes: dict[str, str], told: str) -> None:
    """Each wrong field is answered 422 with what to mend."""
    answer = await send(recorded, "/sessions/s-1/insights", {**FORM, **changes})
    assert answer.status_code == 422
    assert told in answer.text


async def test_the_page_works_without_a_transcript(recorded: ServiceUnderTest, gateway: Gateway) -> None:
    """When the transcript cannot be fetched the page says so and a quote can be typed by hand."""
    gateway.status = 500
    html = await page(recorded, "/sessions/s-1")
    assert "The transcript cannot be fetched right now" in html
    assert "<details open>" in html
    kept = await send(recorded, "/sessions/s-1/insights", {**FORM, "turn": ""})
    assert (kept.status_code, kept.headers["location"]) == (303, "/sessions/s-1")
    refused = await send(recorded, "/sessions/s-1/insights", FORM)
    assert refused.status_code == 503
    assert "the same sheet every Monday" in refused.text


@pytest.mark.parametrize(("address", "linked"), [("https://tool.test/t.vtt", True), ("javascript:alert(1)", False)])
async def test_a_foreign_transcript_is_a_plain_link(insights: ServiceUnderTest, address: str, *, linked: bool) -> None:
    """A transcript with another tool is linked for the reader to open, unless a browser would run it."""
    await insights.deliver(completed(transcript=transcript_at(address)))
    html = await page(insights, "/sessions/s-1")
    assert "lies with another tool" in html
    assert (f'href="{address}"' in html) is linked


async def test_viewers_see_no_forms(recorded: ServiceUnderTest) -> None:
    """Who may not tag is shown no way to, and is refused when trying."""
    await send(recorded, "/sessions/s-1/insights", FORM)
    html = await page(recorded, "/sessions/s-1?turn=2", "viewer")
    assert 'name="quote"' not in html
    assert "?turn=" not in html
    assert "Withdraw" not in html
    assert (await send(recorded, "/sessions/s-1/insights", FORM, "viewer")).status_code == 403


async def test_withdrawing_by_form(recorded: ServiceUnderTest) -> None:
    """A withdrawn insight leaves the page."""
    await send(recorded, "/sessions/s-1/insights", FORM)
    insight_id = (await recorded.published(InsightTagged))[0].insight_id
    answer = await send(recorded, f"/insights/{insight_id}/withdraw", {})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions/s-1")
    assert "<mark>" not in await page(recorded, "/sessions/s-1")


async def test_a_feature_shows_people_and_impact(recorded: ServiceUnderTest) -> None:
    """The feature's page counts people, quotes them and says what the release did."""
    await recorded.deliver(
        assessed(kpi_id="weekly_active-users"),
        assessed(kpi_id="churn", verdict="cannot_tell", smallest_visible_effect=0.5, unit=None),
    )
    for _ in range(2):
        await recorded.client.post("/api/v1/insights", json=insight(), headers=recorded.headers("researcher"))
    html = words(await page(recorded, "/features/export", "viewer"))
    assert "Export that keeps formulas" in html
    assert "1 person speaks about it." in html
    assert "Weekly active users improved: +4.1 points against what would have been (95% interval +1.2 to +7.0)." in html
    assert "We cannot tell what it did to Churn. An effect of 0.50 or more would have been seen." in html
    assert html.count("I rebuild the same sheet every Monday.") == 2


async def test_a_feature_known_by_id_says_so(insights: ServiceUnderTest) -> None:
    """A feature that roadmap has not told about is shown by its id."""
    await insights.deliver(completed())
    await insights.client.post("/api/v1/insights", json=insight(), headers=insights.headers("researcher"))
    html = words(await page(insights, "/features/export"))
    assert "only its id is known" in html


async def test_an_erased_session_says_so(recorded: ServiceUnderTest) -> None:
    """The session of an erased person shows neither words nor form."""
    await send(recorded, "/sessions/s-1/insights", FORM)
    await recorded.deliver(erased("ana"))
    html = await page(recorded, "/sessions/s-1")
    assert "asked to be forgotten" in html
    assert "every Monday" not in html
    assert 'name="quote"' not in html
    assert (await send(recorded, "/sessions/s-1/insights", {**FORM, "turn": ""})).status_code == 409


async def test_hostile_text_is_text_everywhere(recorded: ServiceUnderTest) -> None:
    """Titles, quotes, tags and segments cannot become markup on any page."""
    bomb = "<img src=x onerror=alert(1)>"
    later = MONDAY + timedelta(hours=1)
    await recorded.deliver(
        status(version=2, title=bomb),
        completed(completed_at=later, segment=Segment(region=bomb)),
        completed("s-2", segment=Segment(region=bomb)),
    )
    await recorded.client.post(
        "/api/v1/insights", json=insight(quote=bomb, tags=[bomb]), headers=recorded.headers("researcher")
    )
    for path in ("/", "/sessions/s-1", "/sessions/s-1?turn=1", "/features/export"):
        html = await page(recorded, path)
        assert "<img" not in html
        assert "&lt;img src=x" in html


async def test_pages_need_a_reader(insights: ServiceUnderTest) -> None:
    """A stranger is asked to sign in, and what is not there is a page that says so."""
    for path in ("/", "/sessions/s-1", "/features/export"):
        assert (await insights.client.get(path)).status_code == 401
    for path in ("/sessions/s-1", "/features/export"):
        assert "No such" in await page(insights, path, expect=404)
    assert (await send(insights, "/sessions/s-1/insights", FORM)).status_code == 404
    assert (await send(insights, "/insights/in-1/withdraw", {})).status_code == 404


async def test_links_lead_through_the_gateway(recorded: ServiceUnderTest) -> None:
    """Behind the gateway's prefix every link and form carries it."""
    headers = {**recorded.headers("researcher"), "X-Forwarded-Prefix": "/insights"}
    home = (await recorded.client.get("/", headers=headers)).text
    assert 'href="/insights/sessions/s-1"' in home
    session = (await recorded.client.get("/sessions/s-1?turn=1", headers=headers)).text
    assert 'action="/insights/sessions/s-1/insights"' in session
    sent = await recorded.client.post("/sessions/s-1/insights", data=FORM, headers=headers)
    assert sent.headers["location"] == "/insights/sessions/s-1#turn-2"


async def test_the_pages_own_stylesheet_is_served(insights: ServiceUnderTest) -> None:
    """The stylesheet that the pages name is there."""
    html = await page(insights, "/")
    address = re.findall(r'href="(/assets/insights\.[0-9a-f]+\.css)"', html)
    assert (await insights.client.get(address[0])).status_code == 200
