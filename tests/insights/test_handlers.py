"""What each event does, in whatever order and however often it comes."""

from datetime import timedelta

from shared.contract.events import InsightTagged
from shared.contract.types import Segment
from tests.insights.conftest import Gateway
from tests.insights.examples import MONDAY, assessed, completed, erased, insight, status, transcript_at
from tests.support.service import ServiceUnderTest

API = "/api/v1"


async def read(service: ServiceUnderTest, path: str) -> object:
    answer = await service.client.get(f"{API}/{path}", headers=service.headers("viewer"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_completed_session_is_listed(insights: ServiceUnderTest) -> None:
    """A session is kept with all that later steps need."""
    await insights.deliver(completed(transcript=transcript_at("http://elsewhere.test/t.vtt")))
    assert await read(insights, "sessions") == [
        {
            "session_id": "s-1",
            "interview_id": "i-1",
            "participant_id": "ana",
            "study_id": "study-1",
            "completed_at": "2026-03-02T08:00:00Z",
            "transcript": {"url": "http://elsewhere.test/t.vtt", "format": "vtt", "sha256": "a" * 64},
            "segment": {"plan": "business", "region": "north", "age_band": None, "usage": None, "loyalty": None},
            "listening": {
                "moderator_talk_share": None,
                "longest_monologue_seconds": None,
                "moderator_questions": None,
            },
            "insights": 0,
            "erased": False,
        }
    ]


async def test_a_repeated_session_changes_nothing(insights: ServiceUnderTest) -> None:
    """The same event twice is one session."""
    record = insights.record(completed())
    await insights.deliver(record)
    outcome = await insights.deliver(record)
    assert (len(outcome.applied), len(outcome.duplicates)) == (0, 1)
    assert await insights.database.pool.fetchval("SELECT count(*) FROM sessions") == 1


async def test_a_stale_session_changes_nothing(insights: ServiceUnderTest) -> None:
    """Of two completions the later one holds, in either order."""
    late = completed(completed_at=MONDAY + timedelta(hours=1), segment=Segment(plan="team"))
    early = completed("s-2", completed_at=MONDAY, segment=Segment(plan="starter"))
    await insights.deliver(late, completed(), early, completed("s-2", completed_at=MONDAY + timedelta(hours=1)))
    plans = await insights.database.fetch("SELECT session_id, segment ->> 'plan' AS plan FROM sessions ORDER BY 1")
    assert [tuple(row) for row in plans] == [("s-1", "team"), ("s-2", "business")]


async def test_a_session_cannot_change_its_participant(insights: ServiceUnderTest) -> None:
    """A session of one person that is later another's is kept as a dead letter that says so; the rest is applied."""
    await insights.deliver(completed())
    outcome = await insights.deliver(completed(participant_id="ben"), completed("s-2"))
    assert [letter.reason for letter in outcome.refused] == [
        (
            "session 's-1' is known with another participant than 'ben'; "
            "publish it with a session_id of its own or with the participant it had"
        )
    ]
    assert len(outcome.applied) == 1


async def test_the_highest_version_of_a_feature_holds(insights: ServiceUnderTest) -> None:
    """A late older status changes nothing, a newer one replaces title and status."""
    await insights.deliver(status(version=3, title="New name"), status(version=2, title="Old name"))
    assert await read(insights, "features") == [
        {"feature_id": "export", "title": "New name", "status": "planned", "people": 0}
    ]
    await insights.deliver(status(version=4, title="Newest name"))
    assert (await read(insights, "features/export"))["title"] == "Newest name"  # type: ignore[index]


async def test_the_highest_version_of_an_impact_holds(insights: ServiceUnderTest) -> None:
    """Impacts of unknown features are kept, each KPI's with the highest version."""
    await insights.deliver(assessed(version=2, effect=4.1), assessed(version=1, effect=9.9), assessed(kpi_id="churn"))
    await insights.deliver(status())
    impacts = (await read(insights, "features/export"))["impacts"]  # type: ignore[index]
    assert [(impact["kpi_id"], impact["effect"], impact["verdict"]) for impact in impacts] == [
        ("activation", 4.1, "improved"),
        ("churn", 4.1, "improved"),
    ]


async def test_a_version_beyond_the_database_is_a_dead_letter(insights: ServiceUnderTest) -> None:
    """A number that cannot be stored is refused, and the event behind it is applied."""
    outcome = await insights.deliver(status(version=2**70), status("sharing"))
    assert (len(outcome.refused), len(outcome.applied)) == (1, 1)


async def test_erasure_takes_words_and_name(insights: ServiceUnderTest, gateway: Gateway) -> None:
    """Quote, place, transcript and id of an erased person are gone everywhere; tags stay, still of one person."""
    await insights.deliver(
        completed(transcript=transcript_at(gateway.transcript_of("s-1"))), completed("s-2"), completed("s-3", "ben")
    )
    researcher = insights.headers("researcher")
    for body in (insight(turn=2, quote="the same sheet every Monday"), insight("s-2"), insight("s-3")):
        assert (await insights.client.post(f"{API}/insights", json=body, headers=researcher)).status_code == 201
    await insights.deliver(erased("ana"))

    rows = await insights.database.fetch("SELECT * FROM insights ORDER BY session_id")
    assert [(row["quote"], row["turn"], row["transcript_sha256"], row["tags"]) for row in rows[:2]] == [
        (None, None, None, ["export", "manual work"])
    ] * 2
    assert rows[0]["participant_id"] == rows[1]["participant_id"]
    assert rows[0]["participant_id"].startswith("anonymous-")
    assert (rows[2]["participant_id"], rows[2]["quote"]) == ("ben", "I rebuild the same sheet every Monday.")
    dump = await insights.database.fetch("SELECT sessions::text FROM sessions UNION ALL SELECT e::text FROM erasures e")
    assert not any("ana" in row[0] for row in dump)
    assert (await read(insights, "sessions/s-1"))["transcript"] is None  # type: ignore[index]
    assert (await read(insights, "features/export"))["people"] == 2  # type: ignore[index]


async def test_erasure_publishes_nothing(insights: ServiceUnderTest) -> None:
    """Every service hears of an erasure by itself, so no insight is announced again."""
    await insights.deliver(completed())
    await insights.client.post(f"{API}/insights", json=insight(), headers=insights.headers("researcher"))
    await insights.deliver(erased("ana"))
    assert len(await insights.published(InsightTagged)) == 1


async def test_a_session_after_its_erasure_is_anonymous(insights: ServiceUnderTest) -> None:
    """A session that the erasure overtook is kept without name and transcript, as the same nobody's."""
    await insights.deliver(completed(), erased("ana"))
    await insights.deliver(completed("s-2", transcript=transcript_at("http://test/t.vtt")), completed())
    rows = await insights.database.fetch("SELECT participant_id, transcript_url, erased_at FROM sessions")
    assert len(rows) == 2
    assert {row["participant_id"] for row in rows} == {rows[0]["participant_id"]}
    assert rows[0]["participant_id"] != "ana"
    assert [row["transcript_url"] for row in rows] == [None, None]
    assert [row["erased_at"] for row in rows] == [MONDAY + timedelta(days=1)] * 2


async def test_erasing_twice_is_erasing_once(insights: ServiceUnderTest) -> None:
    """A second erasure of the same person under another event id leaves everything as it is."""
    await insights.deliver(completed(), erased("ana"))
    before = await insights.database.fetch("SELECT session_id, participant_id FROM sessions")
    await insights.deliver(erased("ana"))
    assert await insights.database.fetch("SELECT session_id, participant_id FROM sessions") == before


async def test_erasing_a_stranger_is_remembered(insights: ServiceUnderTest) -> None:
    """An erasure of somebody unknown is no error, because the person's session may still be on its way."""
    outcome = await insights.deliver(erased("nobody"))
    assert len(outcome.applied) == 1
    await insights.deliver(completed(participant_id="nobody"))
    assert (await read(insights, "sessions"))[0]["erased"] is True  # type: ignore[index]
