"""What the endpoints store, answer and announce."""

import asyncio

from shared.contract.events import InsightTagged
from tests.insights.asking import API, announced, get, post, put
from tests.insights.examples import assessed, completed, erased, insight, status
from tests.support.service import START, ServiceUnderTest


async def test_tagging_announces_the_insight(insights: ServiceUnderTest) -> None:
    """A tagged quote goes out once with study, participant, segment and coder."""
    await insights.deliver(completed())
    answer = await post(insights, "insights", insight(insight_id="in-1"))
    assert answer.status_code == 201
    assert answer.json() == {
        "insight_id": "in-1",
        "version": 1,
        "withdrawn": False,
        "session_id": "s-1",
        "participant_id": "ana",
        "feature_id": "export",
        "quote": "I rebuild the same sheet every Monday.",
        "turn": None,
        "start_char": None,
        "end_char": None,
        "start_seconds": None,
        "end_seconds": None,
        "tags": ["export", "manual work"],
        "sentiment": "negative",
        "importance": 3,
        "coder_id": "ana",
        "tagged_at": "2026-03-02T09:00:00Z",
    }
    (event,) = await insights.published(InsightTagged)
    assert event.model_dump(exclude={"segment"}) == {
        "insight_id": "in-1",
        "version": 1,
        "withdrawn": False,
        "feature_id": "export",
        "session_id": "s-1",
        "study_id": "study-1",
        "participant_id": "ana",
        "quote": "I rebuild the same sheet every Monday.",
        "tags": ("export", "manual work"),
        "sentiment": "negative",
        "sentiment_source": "human",
        "importance": 3,
        "coder_id": "ana",
        "codebook_version": None,
        "tagged_at": START,
    }
    assert (event.segment.plan, event.segment.region, event.segment.loyalty) == ("business", "north", None)


async def test_an_insight_gets_an_id_and_defaults(insights: ServiceUnderTest) -> None:
    """A tag alone is an insight; importance is then nice to have and sentiment unstated."""
    await insights.deliver(completed())
    created = (await post(insights, "insights", {"session_id": "s-1", "tags": ["onboarding"]})).json()
    assert len(created["insight_id"]) == 36
    assert (created["importance"], created["sentiment"], created["quote"]) == (1, None, None)


async def test_the_same_insight_again_is_the_same(tagged: ServiceUnderTest) -> None:
    """A retried request answers 200 with what is there and announces nothing."""
    answer = await post(tagged, "insights", insight(insight_id="in-1"))
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert await announced(tagged) == [(1, False, "export")]


async def test_a_taken_id_is_a_conflict(tagged: ServiceUnderTest) -> None:
    """The same id with other content, or of another session, is refused with what to do."""
    await tagged.deliver(completed("s-2"))
    for body in (insight(insight_id="in-1", importance=0), insight("s-2", insight_id="in-1")):
        answer = await post(tagged, "insights", body)
        assert answer.status_code == 409
        assert answer.json()["detail"] == (
            "Insight 'in-1' exists with other content; change it by PUT or leave its id out."
        )


async def test_simultaneous_retries_make_one_insight(insights: ServiceUnderTest) -> None:
    """Four equal requests at once make one insight and one event."""
    await insights.deliver(completed())
    answers = await asyncio.gather(*(post(insights, "insights", insight(insight_id="in-1")) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert await announced(insights) == [(1, False, "export")]


async def test_a_change_is_the_next_version(tagged: ServiceUnderTest) -> None:
    """Changed content is announced once, with the one who changed it."""
    answer = await put(tagged, "in-1", {"quote": "I rebuild it.", "feature_id": "export", "version": 1})
    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["coder_id"], answer.json()["tags"]) == (2, "ben", [])
    assert await announced(tagged) == [(1, False, "export"), (2, False, "export")]


async def test_an_equal_change_is_none(tagged: ServiceUnderTest) -> None:
    """Replacing an insight by itself makes no version and no event."""
    body = {name: value for name, value in insight().items() if name != "session_id"}
    assert (await put(tagged, "in-1", body)).json()["version"] == 1
    assert await announced(tagged) == [(1, False, "export")]


async def test_moving_withdraws_from_the_old_feature_first(tagged: ServiceUnderTest) -> None:
    """Another feature gets a version above the withdrawal from the old one, so either may arrive first."""
    answer = await put(tagged, "in-1", {"quote": "I rebuild it.", "feature_id": "sharing"})
    assert answer.json()["version"] == 3
    assert await announced(tagged) == [(1, False, "export"), (2, True, "export"), (3, False, "sharing")]
    assert (await get(tagged, "features/export")).status_code == 404
    assert (await get(tagged, "features/sharing")).json()["people"] == 1


async def test_a_change_of_what_has_changed_is_a_conflict(tagged: ServiceUnderTest) -> None:
    """Who changes a version that is no longer the latest is told the one that is."""
    await put(tagged, "in-1", {"tags": ["export"]})
    answer = await put(tagged, "in-1", {"tags": ["import"], "version": 1})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "The insight is at version 3 by now; read it again and repeat your change."


async def test_withdrawing_is_announced_once(tagged: ServiceUnderTest) -> None:
    """Withdrawn twice is withdrawn once; nothing lists it any more and nobody can change it."""
    for _ in range(2):
        answer = await post(tagged, "insights/in-1/withdraw")
        assert (answer.status_code, answer.json()["withdrawn"], answer.json()["version"]) == (200, True, 2)
    assert await announced(tagged) == [(1, False, "export"), (2, True, "export")]
    assert (await get(tagged, "insights")).json() == []
    refused = await put(tagged, "in-1", {"tags": ["export"]})
    assert refused.status_code == 409
    assert "tag the passage again" in refused.json()["detail"]


async def test_an_erased_person_gets_no_new_insights(tagged: ServiceUnderTest) -> None:
    """After an erasure nothing can be tagged or changed, only withdrawn, under the alias."""
    await tagged.deliver(erased("ana"))
    for answer in (await post(tagged, "insights", insight()), await put(tagged, "in-1", {"quote": "again"})):
        assert answer.status_code == 409
        assert "asked to be forgotten" in answer.json()["detail"]
    assert (await post(tagged, "insights/in-1/withdraw")).status_code == 200
    event = (await tagged.published(InsightTagged))[-1]
    assert (event.withdrawn, event.quote, event.participant_id.startswith("anonymous-")) == (True, None, True)


async def test_insights_are_filtered(tagged: ServiceUnderTest) -> None:
    """Feature, session and tag each narrow the list, newest first, as long as the limit allows."""
    await tagged.deliver(completed("s-2", "ben"))
    tagged.now = START.replace(hour=10)
    await post(tagged, "insights", insight("s-2", insight_id="in-2", feature_id=None, tags=["manual work"]))

    async def ids(query: str) -> list[str]:
        return [found["insight_id"] for found in (await get(tagged, f"insights?{query}")).json()]

    assert await ids("") == ["in-2", "in-1"]
    assert await ids("limit=1") == ["in-2"]
    assert await ids("feature_id=export") == ["in-1"]
    assert await ids("session_id=s-2") == ["in-2"]
    assert await ids("tag=manual%20work") == ["in-2", "in-1"]
    assert await ids("tag=manual&feature_id=export") == []


async def test_a_feature_counts_people(tagged: ServiceUnderTest) -> None:
    """Five insights of two people are two people; who says good and bad is mixed."""
    await tagged.deliver(completed("s-2"), completed("s-3", "ben"), status(), assessed())
    for session_id, sentiment in [("s-1", "negative"), ("s-2", "positive"), ("s-3", "negative"), ("s-3", None)]:
        await post(tagged, "insights", insight(session_id, sentiment=sentiment))
    found = (await get(tagged, "features/export")).json()
    assert (found["title"], found["status"], found["people"]) == ("Export that keeps formulas", "planned", 2)
    assert found["opinions"] == {"negative": 1, "mixed": 1, "neutral": 0, "positive": 0, "unstated": 0}
    assert len(found["insights"]) == 5
    assert found["impacts"][0]["effect"] == 4.1
    (listed,) = (await get(tagged, "features")).json()
    assert listed["people"] == 2


async def test_a_feature_known_only_by_id_is_found(tagged: ServiceUnderTest) -> None:
    """An insight may come before roadmap tells about its feature, which then has no title."""
    assert (await get(tagged, "features")).json() == [
        {"feature_id": "export", "title": None, "status": None, "people": 1}
    ]


async def test_pulse_says_how_much_is_going_on(tagged: ServiceUnderTest) -> None:
    """Sessions without insights wait, withdrawn insights and erased people count for nothing."""
    await tagged.deliver(completed("s-2"), completed("s-3", "ben"), erased("ben"))
    assert (await get(tagged, "pulse")).json() == {"sessions to tag": 1, "insights": 1, "tagged features": 1}
    await post(tagged, "insights/in-1/withdraw")
    assert (await get(tagged, "pulse")).json() == {"sessions to tag": 2, "insights": 0, "tagged features": 0}


async def test_any_text_is_kept_as_it_is(insights: ServiceUnderTest) -> None:
    """Markup, quotes, emoji and right-to-left text come back unharmed."""
    await insights.deliver(completed())
    quote = "<script>alert('x')</script> \"; DROP TABLE insights; -- 👩\u200d🚀 שלום"
    created = await post(insights, "insights", insight(quote=quote, tags=["<b>", "'", "👍" * 300]))
    assert created.status_code == 201
    assert (created.json()["quote"], created.json()["tags"]) == (quote, ["<b>", "'", "👍" * 300])


async def test_a_subject_that_is_no_id_still_names_its_coder(insights: ServiceUnderTest) -> None:
    """Whoever signs in as "auth0|42" can tag, and is the same coder each time."""
    await insights.deliver(completed())
    headers = insights.headers("researcher", "auth0|42")
    for _ in range(2):
        answer = await insights.client.post(f"{API}/insights", json=insight(), headers=headers)
        assert answer.status_code == 201
    coders = {event.coder_id for event in await insights.published(InsightTagged)}
    assert len(coders) == 1
