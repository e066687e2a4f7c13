"""The JSON endpoints."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.contract.events import FeaturePriorityChanged, FeatureStatusChanged, FeatureVoted, ParticipantErased
from tests.roadmap.events import LOYAL, OTHER, add_idea, measured, supporters, tagged, voted
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """An empty roadmap."""
    return await start_service("roadmap")


async def call(
    roadmap: ServiceUnderTest, method: str, path: str, body: object = None, role: str = "manager"
) -> httpx.Response:
    return await roadmap.client.request(method, f"/api/v1{path}", json=body, headers=roadmap.headers(role))


async def read(roadmap: ServiceUnderTest, path: str) -> Any:
    response = await call(roadmap, "GET", path, role="viewer")
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_new_idea_is_told_and_answered_whole(roadmap: ServiceUnderTest) -> None:
    """Adding an idea publishes its first status and gives everything about it."""
    body = {"title": " Export that keeps formulas ", "description": "As sheets.", "kpi_ids": ["activation"]}
    response = await call(roadmap, "POST", "/ideas", body, role="researcher")
    assert response.status_code == 201
    idea = response.json()
    assert len(idea["feature_id"]) == 36
    assert (idea["title"], idea["description"], idea["status"]) == ("Export that keeps formulas", "As sheets.", "new")
    assert (idea["status_version"], idea["votes"], idea["score"], idea["effort_weeks"]) == (1, 0, 0.0, None)
    [told] = await roadmap.published(FeatureStatusChanged)
    assert (told.feature_id, told.version, told.title) == (idea["feature_id"], 1, "Export that keeps formulas")
    assert (told.status, told.previous_status, told.kpi_ids, told.asked_by) == ("new", None, ("activation",), ())


async def test_adding_an_idea_again_adds_nothing(roadmap: ServiceUnderTest) -> None:
    """The same id with the same content is the same idea; with other content it is a conflict."""
    body = {"feature_id": "export", "title": "Export", "effort_weeks": 2}
    assert (await call(roadmap, "POST", "/ideas", body)).status_code == 201
    again = await call(roadmap, "POST", "/ideas", body)
    assert (again.status_code, again.json()["status_version"]) == (200, 1)
    other = await call(roadmap, "POST", "/ideas", body | {"title": "Import"})
    assert other.status_code == 409
    assert other.json()["detail"] == (
        "Another idea has the id 'export'; leave the id out, or change that idea with PATCH."
    )
    assert len(await roadmap.published(FeatureStatusChanged)) == 1


async def test_shipping_tells_the_release_the_kpis_and_who_asked(roadmap: ServiceUnderTest) -> None:
    """A shipped idea names its participants, those alone whose words still stand behind it."""
    await add_idea(roadmap, "export", kpi_ids=["activation"])
    await roadmap.deliver(
        tagged("i-1", "export", "ben"), tagged("i-2", "export", "ana"), tagged("i-3", "export", "eve")
    )
    await roadmap.deliver(tagged("i-3", "export", "eve", version=2, withdrawn=True), voted("export", "zoe"))
    body = {"status": "shipped", "released_at": "2026-03-01T10:00:00Z", "note": "Here it is."}
    response = await call(roadmap, "POST", "/ideas/export/status", body)
    assert response.status_code == 200
    assert response.json()["status_note"] == "Here it is."
    told = (await roadmap.published(FeatureStatusChanged))[-1]
    assert (told.version, told.status, told.previous_status) == (2, "shipped", "new")
    assert told.released_at == datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
    assert (told.kpi_ids, told.asked_by) == (("activation",), ("ana", "ben"))


async def test_shipped_without_a_time_is_shipped_now(roadmap: ServiceUnderTest) -> None:
    """The release time is the time of the request."""
    await add_idea(roadmap, "export")
    response = await call(roadmap, "POST", "/ideas/export/status", {"status": "shipped"})
    assert response.json()["released_at"] == "2026-03-02T09:00:00Z"


async def test_moving_an_idea_where_it_is_tells_nobody(roadmap: ServiceUnderTest) -> None:
    """A repeated request is one status change."""
    await add_idea(roadmap, "export")
    for _ in range(2):
        response = await call(roadmap, "POST", "/ideas/export/status", {"status": "planned"})
        assert response.json()["status_version"] == 2
    assert len(await roadmap.published(FeatureStatusChanged)) == 2


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"status": "planned", "released_at": "2026-03-01T10:00:00Z"}, "goes with status shipped"),
        ({"status": "shipped", "released_at": "2026-04-01T10:00:00Z"}, "lies ahead"),
        ({"status": "later"}, "body.status"),
        ({"status": "planned", "notes": "typo"}, "body.notes"),
    ],
)
async def test_a_status_that_does_not_fit_is_refused(
    roadmap: ServiceUnderTest, body: dict[str, str], says: str
) -> None:
    """Wrong times, unknown statuses and misspelt fields are told."""
    await add_idea(roadmap, "export")
    response = await call(roadmap, "POST", "/ideas/export/status", body)
    assert response.status_code == 422
    assert says in response.json()["detail"]


async def test_changing_effort_changes_the_priority(roadmap: ServiceUnderTest) -> None:
    """Twice the effort is half the score; what is left out stays."""
    await add_idea(roadmap, "export", description="As sheets.")
    await roadmap.deliver(voted("export", "ana"))
    response = await call(roadmap, "PATCH", "/ideas/export", {"effort_weeks": 2})
    assert (response.json()["title"], response.json()["description"]) == ("Export", "As sheets.")
    first, second = await roadmap.published(FeaturePriorityChanged)
    assert (second.version, second.effort_weeks) == (2, 2.0)
    assert second.previous_score == first.score
    assert second.score == pytest.approx(first.score / 2)
    assert len(await roadmap.published(FeatureStatusChanged)) == 1


async def test_new_kpis_of_a_shipped_idea_are_told(roadmap: ServiceUnderTest) -> None:
    """Whoever measures the release learns what to look at."""
    await add_idea(roadmap, "export", status="shipped")
    await call(roadmap, "PATCH", "/ideas/export", {"kpi_ids": ["churn"]})
    told = (await roadmap.published(FeatureStatusChanged))[-1]
    assert (told.version, told.status, told.previous_status, told.kpi_ids) == (2, "shipped", "shipped", ("churn",))


async def test_an_unnamed_idea_needs_a_title_first(roadmap: ServiceUnderTest) -> None:
    """An idea known from votes alone cannot be estimated or moved before it has a name; naming tells it."""
    await roadmap.deliver(voted("export", "ana"))
    assert (await call(roadmap, "PATCH", "/ideas/export", {"effort_weeks": 2})).status_code == 409
    assert (await call(roadmap, "POST", "/ideas/export/status", {"status": "now"})).status_code == 409
    assert (await call(roadmap, "PATCH", "/ideas/export", {"title": "Export"})).json()["named"] is True
    [told] = await roadmap.published(FeatureStatusChanged)
    assert (told.version, told.title, told.previous_status) == (1, "Export", None)


async def test_ideas_are_listed_by_priority_votes_or_age(roadmap: ServiceUnderTest) -> None:
    """More votes can have less priority; a status and a limit choose."""
    await add_idea(roadmap, "export", effort_weeks=20)
    roadmap.now += timedelta(hours=1)
    await add_idea(roadmap, "search", status="planned")
    await roadmap.deliver(voted("export", "ana"), voted("export", "ben"), voted("search", "ana"))

    async def ids(query: str) -> list[str]:
        return [idea["feature_id"] for idea in await read(roadmap, f"/ideas{query}")]

    assert await ids("") == ["search", "export"]
    assert await ids("?sort=votes") == ["export", "search"]
    assert await ids("?sort=new") == ["search", "export"]
    assert await ids("?status=new") == ["export"]
    assert await ids("?limit=1") == ["search"]


async def test_the_priority_is_explained_term_by_term(roadmap: ServiceUnderTest) -> None:
    """Contributions of the cells add up to the share, and the terms multiply to the score."""
    await add_idea(roadmap, "export", effort_weeks=2, kpi_ids=["activation"])
    population = {
        "cells": [
            {"loyalty": "loyal", "plan": "pro", "region": "eu", "customers": 200},
            {"loyalty": "other", "plan": "pro", "region": "eu", "customers": 800},
        ]
    }
    assert (await call(roadmap, "PUT", "/population", population)).status_code == 200
    await roadmap.deliver(
        voted("export", "a", segment=LOYAL),
        voted("export", "b", segment=LOYAL),
        tagged("i-1", "export", "c", importance=3),
        tagged("i-2", None, "d"),
        measured("activation", 50.0, objective=(40.0, 60.0)),
    )
    found = await read(roadmap, "/ideas/export/priority")
    # p0 = 3 of 4; loyal .2 x (2 + .75) / 3, other .8 x (1 + .75) / 3.
    assert [(cell["cell"], cell["supporters"], cell["active"]) for cell in found["cells"]] == [
        ("loyal|pro|eu", 2, 2),
        ("other|pro|eu", 1, 2),
    ]
    assert [cell["contribution"] for cell in found["cells"]] == pytest.approx([0.1833333333, 0.4666666667])
    assert found["share"] == pytest.approx(0.65)
    assert (found["weighted"], found["population"], found["covered_share"]) == (True, 1000.0, 1.0)
    assert found["effective_sample_size"] == pytest.approx(2.9411764706)
    assert (found["impact"], found["kpi_factor"], found["effort_weeks"]) == (1.5, 1.25, 2.0)
    assert found["score"] == pytest.approx(found["conservative_reach"] * 1.5 * 1.25 / 2)
    [*_, last] = await roadmap.published(FeaturePriorityChanged)
    assert (last.score, last.version) == (found["score"], found["published_version"])


async def test_a_new_population_scores_every_idea_anew(roadmap: ServiceUnderTest) -> None:
    """Weighting turns the order round, tells both ideas, and can be taken back."""
    await add_idea(roadmap, "loud")
    await add_idea(roadmap, "wanted")
    await roadmap.deliver(*[voted("loud", f"fan-{number}", segment=LOYAL) for number in range(10)])
    await roadmap.deliver(*[voted("wanted", f"user-{number}", segment=OTHER) for number in range(5)])

    async def order() -> list[str]:
        return [idea["feature_id"] for idea in await read(roadmap, "/ideas")]

    assert await order() == ["loud", "wanted"]
    cells = [
        {"loyalty": "Loyal", "plan": "pro", "region": "EU", "customers": 100},
        {"loyalty": "Other", "plan": "pro", "region": "EU", "customers": 900},
    ]
    before = len(await roadmap.published(FeaturePriorityChanged))
    answer = (await call(roadmap, "PUT", "/population", {"cells": cells})).json()
    assert (answer["weighted"], answer["customers"], answer["active"]) == (True, 1000.0, 15)
    assert [(cell["plan"], cell["customers"], cell["active"]) for cell in answer["cells"]] == [
        ("pro", 100.0, 10),
        ("pro", 900.0, 5),
    ]
    assert await order() == ["wanted", "loud"]
    told = (await roadmap.published(FeaturePriorityChanged))[before:]
    assert sorted((change.feature_id, change.weighted) for change in told) == [("loud", True), ("wanted", True)]
    assert (await call(roadmap, "PUT", "/population", {"cells": []})).json()["weighted"] is False
    assert await order() == ["loud", "wanted"]


async def test_a_cell_given_twice_is_refused(roadmap: ServiceUnderTest) -> None:
    """Two counts of the same customers would be a guess which one holds."""
    cells = [{"plan": "pro", "customers": 1}, {"plan": "Pro", "customers": 2}]
    response = await call(roadmap, "PUT", "/population", {"cells": cells})
    assert response.status_code == 422
    assert response.json()["detail"] == (
        "The cell with loyalty unknown, plan pro, region unknown is given twice; add its customers up and give it once."
    )


async def test_a_vote_counts_at_once_and_once(roadmap: ServiceUnderTest) -> None:
    """A vote on behalf of a customer counts, is told with its source, and changes nothing when it comes back."""
    await add_idea(roadmap, "export")
    body = {
        "voter_id": "ana",
        "segment": {"loyalty": "loyal"},
        "on_behalf": {"recorded_by": "sam", "source_url": "https://crm.test/7"},
    }
    response = await call(roadmap, "POST", "/ideas/export/votes", body, role="note_taker")
    assert (response.status_code, response.json()["votes"]) == (200, 1)
    [told] = await roadmap.published(FeatureVoted)
    assert (told.voter_id, told.voted_at, told.channel) == ("ana", START, "api")
    assert told.on_behalf is not None
    assert told.on_behalf.recorded_by == "sam"
    await roadmap.deliver(told)
    assert await supporters(roadmap, "export") == 1
    assert len(await roadmap.published(FeaturePriorityChanged)) == 1
    summary = await read(roadmap, "/ideas/export/votes/summary")
    assert summary == {
        "feature_id": "export",
        "supporters": 1,
        "up": 1,
        "withdrawn": 0,
        "on_behalf": 1,
        "interviewed": 0,
        "by_kind": {"customer": 1},
        "by_channel": {"api": 1},
    }


async def test_a_vote_taken_back_within_the_same_moment_stays_back(roadmap: ServiceUnderTest) -> None:
    """Clocks of two instances may disagree; the later request is the later vote, also when both come back."""
    await add_idea(roadmap, "export")
    for vote in ("up", "withdrawn"):
        await call(roadmap, "POST", "/ideas/export/votes", {"voter_id": "ana", "vote": vote})
    up, withdrawn = await roadmap.published(FeatureVoted)
    await roadmap.deliver(withdrawn, up)
    await roadmap.deliver(up)
    assert await supporters(roadmap, "export") == 0


async def test_a_vote_cast_here_is_not_worked_through_again(roadmap: ServiceUnderTest) -> None:
    """Its event leaves vote and voter as they are, and does not hide another system's event of the same id."""
    await add_idea(roadmap, "export")
    await call(roadmap, "POST", "/ideas/export/votes", {"voter_id": "ana", "segment": {"loyalty": "loyal"}})
    rows = "SELECT xmin::text FROM votes UNION ALL SELECT xmin::text FROM people"
    before = await roadmap.database.fetch(rows)
    [told] = await roadmap.published(FeatureVoted)
    ours = roadmap.record(told, event_id="vote-1", source="/earshot/roadmap")
    await roadmap.deliver(ours)
    assert await roadmap.database.fetch(rows) == before
    await roadmap.deliver(ours, roadmap.record(voted("export", "ben"), event_id="vote-1", source="/crm"))
    assert await supporters(roadmap, "export") == 2


async def test_a_vote_cast_here_that_is_lost_counts_when_it_comes_back(roadmap: ServiceUnderTest) -> None:
    """After a restore from a backup the events of later votes are what is left of them; the last one holds."""
    await add_idea(roadmap, "export")
    for voter, vote in (("ana", "up"), ("ana", "withdrawn"), ("ben", "up")):
        await call(roadmap, "POST", "/ideas/export/votes", {"voter_id": voter, "vote": vote})
    events = [roadmap.record(told, source="/earshot/roadmap") for told in await roadmap.published(FeatureVoted)]
    await roadmap.database.fetch("DELETE FROM votes")
    await roadmap.database.fetch("UPDATE ideas SET supporters = 0")
    await roadmap.database.fetch("DELETE FROM support_counts")
    await roadmap.deliver(events[0])
    assert await supporters(roadmap, "export") == 1
    await roadmap.deliver(*events)
    found = await roadmap.database.fetch("SELECT voter_id, vote FROM votes ORDER BY voter_id")
    assert [(row["voter_id"], row["vote"]) for row in found] == [("ana", "withdrawn"), ("ben", "up")]
    assert await supporters(roadmap, "export") == 1


async def test_a_vote_that_must_not_count_is_refused(roadmap: ServiceUnderTest) -> None:
    """Closed ideas, erased voters and dates ahead are told apart, and nothing is published."""
    await add_idea(roadmap, "export")
    await add_idea(roadmap, "old", status="declined")
    await roadmap.deliver(ParticipantErased(participant_id="gone", erased_at=START))
    roadmap.now += timedelta(hours=1)
    closed = await call(roadmap, "POST", "/ideas/old/votes", {"voter_id": "ana"})
    assert closed.status_code == 409
    assert "takes no new votes" in closed.json()["detail"]
    assert (await call(roadmap, "POST", "/ideas/export/votes", {"voter_id": "gone"})).status_code == 409
    ahead = {"voter_id": "ana", "voted_at": "2027-01-01T00:00:00Z"}
    assert (await call(roadmap, "POST", "/ideas/export/votes", ahead)).status_code == 422
    assert await roadmap.published(FeatureVoted) == []


async def test_the_pulse_counts_ideas_votes_and_releases(roadmap: ServiceUnderTest) -> None:
    """Unnamed ideas are not counted, votes that are up are."""
    await add_idea(roadmap, "export")
    await add_idea(roadmap, "search", status="shipped")
    await roadmap.deliver(voted("export", "ana"), voted("ghost", "ben"), voted("export", "eve", withdrawn=True))
    assert await read(roadmap, "/pulse") == {"ideas": 2, "votes": 2, "shipped": 1}


READS = ["/ideas", "/ideas/export", "/ideas/export/priority", "/ideas/export/votes/summary", "/population"]
WRITES = [
    ("POST", "/ideas", {"title": "Search"}, "note_taker"),
    ("PATCH", "/ideas/export", {"title": "Search"}, "note_taker"),
    ("POST", "/ideas/export/status", {"status": "now"}, "researcher"),
    ("POST", "/ideas/export/votes", {"voter_id": "ana"}, "viewer"),
    ("PUT", "/population", {"cells": []}, "researcher"),
]


@pytest.mark.parametrize("path", READS)
async def test_reading_needs_a_signed_in_person(roadmap: ServiceUnderTest, path: str) -> None:
    """A stranger is asked to sign in."""
    assert (await roadmap.client.get(f"/api/v1{path}")).status_code == 401


@pytest.mark.parametrize(("method", "path", "body", "role"), WRITES)
async def test_writing_needs_the_right_role(
    roadmap: ServiceUnderTest, method: str, path: str, body: dict[str, Any], role: str
) -> None:
    """A stranger is asked to sign in, and the next lower role is told what it would need."""
    await add_idea(roadmap, "export")
    assert (await roadmap.client.request(method, f"/api/v1{path}", json=body)).status_code == 401
    refused = await call(roadmap, method, path, body, role=role)
    assert refused.status_code == 403
    assert "needs the role" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/ideas/nothing", None),
        ("GET", "/ideas/nothing/priority", None),
        ("GET", "/ideas/nothing/votes/summary", None),
        ("PATCH", "/ideas/nothing", {"title": "x"}),
        ("POST", "/ideas/nothing/status", {"status": "now"}),
        ("POST", "/ideas/nothing/votes", {"voter_id": "ana"}),
    ],
)
async def test_an_unknown_idea_is_not_found(roadmap: ServiceUnderTest, method: str, path: str, body: object) -> None:
    """The answer names the idea that is not there."""
    response = await call(roadmap, method, path, body)
    assert response.status_code == 404
    assert "'nothing'" in response.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": "   "},
        {"title": "a\u0000b"},
        {"title": "x" * 301},
        {"title": "x", "effort_weeks": 0},
        {"title": "x", "effort_weeks": -1},
        {"title": "x", "effort_weeks": "many"},
        {"title": "x", "kpi_ids": ["not an id"]},
        {"title": "x", "kpi_ids": ["k"] * 51},
        {"title": "x", "feature_id": "../etc"},
        {"title": "x", "effort": 3},
    ],
)
async def test_a_wrong_idea_is_refused(roadmap: ServiceUnderTest, body: dict[str, Any]) -> None:
    """Missing, empty, too long, unstorable and misspelt input is told and nothing is stored."""
    response = await call(roadmap, "POST", "/ideas", body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert await read(roadmap, "/ideas") == []


@pytest.mark.parametrize(
    "title", ["<script>alert(1)</script>", "🦉 Eule", "تصدير مع الصيغ", "x" * 300, "'; DROP TABLE ideas"]
)
async def test_any_text_is_kept_as_it_is(roadmap: ServiceUnderTest, title: str) -> None:
    """What people write comes back letter by letter."""
    created = await call(roadmap, "POST", "/ideas", {"feature_id": "odd", "title": title, "description": title})
    assert created.status_code == 201
    found = await read(roadmap, "/ideas/odd")
    assert (found["title"], found["description"]) == (title, title)
