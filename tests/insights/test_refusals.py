"""What the endpoints refuse, to whom, and what they say."""

from typing import Any

import pytest

from tests.insights.asking import API, announced, get, post, put
from tests.insights.examples import completed, insight
from tests.support.service import ServiceUnderTest


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "sessions"),
        ("GET", "sessions/s-1"),
        ("GET", "sessions/s-1/turns"),
        ("GET", "insights"),
        ("POST", "insights"),
        ("PUT", "insights/in-1"),
        ("POST", "insights/in-1/withdraw"),
        ("GET", "features"),
        ("GET", "features/export"),
    ],
)
async def test_nothing_is_public(insights: ServiceUnderTest, method: str, path: str) -> None:
    """A stranger is asked to sign in everywhere."""
    assert (await insights.client.request(method, f"{API}/{path}", json={})).status_code == 401


async def test_viewers_and_note_takers_only_read(tagged: ServiceUnderTest) -> None:
    """Tagging, changing and withdrawing need a researcher or manager."""
    for role in ("viewer", "note_taker"):
        headers = tagged.headers(role)
        change = {"tags": ["export"]}
        assert (await post(tagged, "insights", insight(), role)).status_code == 403
        assert (await post(tagged, "insights/in-1/withdraw", None, role)).status_code == 403
        refused = await tagged.client.put(f"{API}/insights/in-1", json=change, headers=headers)
        assert refused.status_code == 403
    assert (await post(tagged, "insights", insight(), "manager")).status_code == 201


async def test_what_is_not_there_is_not_found(insights: ServiceUnderTest) -> None:
    """Unknown sessions, insights and features answer 404 with the id."""
    answers = [
        await get(insights, "sessions/s-9"),
        await get(insights, "sessions/s-9/turns"),
        await get(insights, "features/s-9"),
        await post(insights, "insights", insight("s-9")),
        await post(insights, "insights/s-9/withdraw"),
        await put(insights, "s-9", {"tags": ["export"]}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 6
    assert all("'s-9'" in answer.json()["detail"] for answer in answers)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"quote": None, "feature_id": None, "tags": []}, "needs a quote, a tag or a feature"),
        ({"quote": " \n ", "feature_id": None, "tags": [" "]}, "needs a quote, a tag or a feature"),
        ({"quote": "a\u0000b"}, "NUL"),
        ({"quote": "x" * 20_001}, "20000"),
        ({"tags": ["x" * 301]}, "300"),
        ({"tags": [str(number) for number in range(51)]}, "50"),
        ({"tags": ["\U0001d160" * 300]}, "300"),
        ({"tags": "export"}, "tags"),
        ({"importance": 4}, "importance"),
        ({"sentiment": "angry"}, "sentiment"),
        ({"feature_id": "no spaces"}, "feature_id"),
        ({"turn": 0}, "turn"),
        ({"importence": 2}, "importence"),
    ],
)
async def test_bad_input_is_refused(insights: ServiceUnderTest, changes: dict[str, Any], told: str) -> None:
    """Whatever is wrong, 422 names it and nothing is stored."""
    await insights.deliver(completed())
    answer = await post(insights, "insights", insight(**changes))
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert await announced(insights) == []


async def test_half_a_character_is_refused(insights: ServiceUnderTest) -> None:
    """Half of a surrogate pair, which JSON can write and PostgreSQL cannot keep, is 422."""
    await insights.deliver(completed())
    answer = await insights.client.post(
        f"{API}/insights",
        content=b'{"session_id": "s-1", "quote": "\\ud800"}',
        headers={**insights.headers("researcher"), "Content-Type": "application/json"},
    )
    assert answer.status_code == 422
    assert "quote" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "feature_id=a%20b", "tag="])
async def test_bad_filters_are_refused(insights: ServiceUnderTest, query: str) -> None:
    """A limit outside 1 to 1000 and a filter that can match nothing are told."""
    assert (await get(insights, f"insights?{query}")).status_code == 422
