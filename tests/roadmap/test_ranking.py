"""The order of all ideas: in step with the database, the same as each explanation, by any formula."""

import random
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from services.roadmap.priority.ranking import Ranking, Remembered
from shared.runtime.database import Database
from tests.roadmap.events import LOYAL, OTHER, add_idea, measured, tagged, voted
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """An empty roadmap."""
    return await start_service("roadmap")


async def get(roadmap: ServiceUnderTest, path: str, role: str = "viewer", **headers: str) -> httpx.Response:
    answer = await roadmap.client.get(path, headers=roadmap.headers(role) | headers)
    assert answer.status_code == 200, answer.text
    return answer


async def read(database: Database, remembered: Remembered) -> Ranking:
    async with database.transaction() as tx:
        return await remembered.ranking(tx.connection)


def said(ranking: Ranking) -> dict[str, tuple[object, ...]]:
    """Everything the ranking says of each idea, whatever order it learned of them in."""
    standings, terms = ranking.standings, ranking.terms
    return {
        name: (
            {cell: count for cell, count in zip(standings.cells, standings.people[row], strict=True) if count},
            standings.facts[row, [0, 2, 3, 4, 5, 6, 8]].tolist(),
            float(terms.score[row]),
            float(terms.share[row]),
        )
        for row, name in enumerate(standings.ids)
    }


async def test_what_is_remembered_is_what_is_stored(roadmap: ServiceUnderTest) -> None:
    """After each of many changes of every kind, one who remembers says exactly what one who reads all anew says."""
    chance = random.Random(5)
    remembered = Remembered()
    people = [f"person-{number}" for number in range(12)]
    for number in range(5):
        await add_idea(roadmap, f"idea-{number}", kpi_ids=["activation"] if number % 2 else [])
    for turn in range(20):
        idea = f"idea-{chance.randrange(6)}"
        await roadmap.deliver(
            voted(idea, chance.choice(people), hours=turn - 30, segment=chance.choice([LOYAL, OTHER])),
            voted(idea, chance.choice(people), hours=turn - 30, withdrawn=True),
            tagged(f"i-{chance.randrange(4)}", idea, chance.choice(people), version=turn + 1),
            measured("activation", 40.0 + turn, day=turn + 1, objective=(40.0, 70.0)),
        )
        if turn % 4 == 0:
            body = {"effort_weeks": chance.randrange(1, 9), "title": "Changed"}
            await roadmap.client.patch(f"/api/v1/ideas/{idea}", json=body, headers=roadmap.headers("researcher"))
        if turn == 10:
            body = {"cells": [{"loyalty": "loyal", "customers": 100}, {"loyalty": "other", "customers": 500}]}
            await roadmap.client.put("/api/v1/population", json=body, headers=roadmap.headers("manager"))
        assert said(await read(roadmap.database, remembered)) == said(await read(roadmap.database, Remembered()))


async def test_a_change_that_commits_late_is_not_missed(roadmap: ServiceUnderTest) -> None:
    """A transaction that began before others and ends after them is seen once it has ended."""
    await add_idea(roadmap, "early")
    await add_idea(roadmap, "late")
    remembered = Remembered()
    await read(roadmap.database, remembered)
    async with roadmap.database.transaction() as slow:
        await slow.connection.execute("UPDATE ideas SET supporters = 7 WHERE feature_id = 'late'")
        async with roadmap.database.transaction() as quick:
            await quick.connection.execute("UPDATE ideas SET supporters = 3 WHERE feature_id = 'early'")
        seen = await read(roadmap.database, remembered)
        assert {name: said(seen)[name][1][3] for name in ("early", "late")} == {"early": 3, "late": 0}  # type: ignore[index]
    seen = await read(roadmap.database, remembered)
    assert {name: said(seen)[name][1][3] for name in ("early", "late")} == {"early": 3, "late": 7}  # type: ignore[index]


async def test_what_is_undone_is_not_remembered(roadmap: ServiceUnderTest) -> None:
    """A transaction sees its own changes in the order; nobody does after it was rolled back."""
    await add_idea(roadmap, "export")
    remembered = Remembered()
    before = said(await read(roadmap.database, remembered))
    async with roadmap.database.pool.acquire() as connection:
        undone = connection.transaction()
        await undone.start()
        await connection.execute("UPDATE ideas SET supporters = 9")
        assert said(await remembered.ranking(connection)) != before
        await undone.rollback()
    assert said(await read(roadmap.database, remembered)) == before


@pytest.fixture
async def weighted(roadmap: ServiceUnderTest) -> ServiceUnderTest:
    """Three ideas before a customer base that most of those who took part are not like."""
    for name, effort in (("loud", 2), ("wanted", 4), ("quiet", None)):
        await add_idea(roadmap, name, effort_weeks=effort)
    await roadmap.deliver(*[voted("loud", f"fan-{number}", segment=LOYAL) for number in range(40)])
    await roadmap.deliver(*[voted("wanted", f"fan-{number}", segment=LOYAL) for number in range(10)])
    await roadmap.deliver(*[voted("wanted", f"user-{number}", segment=OTHER) for number in range(9)])
    await roadmap.deliver(tagged("i-1", "wanted", "user-1", importance=3), tagged("i-2", None, "user-99"))
    cells = [
        {"loyalty": "loyal", "plan": "pro", "region": "eu", "customers": 200},
        {"loyalty": "other", "plan": "pro", "region": "eu", "customers": 800},
    ]
    await roadmap.client.put("/api/v1/population", json={"cells": cells}, headers=roadmap.headers("manager"))
    return roadmap


async def explained(roadmap: ServiceUnderTest, name: str) -> Any:
    return (await get(roadmap, f"/api/v1/ideas/{name}/priority")).json()


async def test_the_order_says_what_each_explanation_says(weighted: ServiceUnderTest) -> None:
    """Score and share of the list are those of the explanation, whose contributions add up exactly to the share."""
    for place, idea in enumerate((await get(weighted, "/api/v1/ranking")).json(), start=1):
        found = await explained(weighted, idea["feature_id"])
        assert (idea["rank"], idea["score"], idea["share"]) == (found["rank"], found["score"], found["share"])
        assert idea["rank"] == place
        assert sum(cell["contribution"] for cell in found["cells"]) == found["share"]


async def test_weighting_is_explained(weighted: ServiceUnderTest) -> None:
    """The wanted idea is first when weighted and second when not, moved by the segment that was too few."""
    found = await explained(weighted, "wanted")
    assert (found["rank"], found["unweighted_rank"], found["ranked"]) == (1, 2, 3)
    assert found["unweighted_share"] < found["share"]
    assert found["moved_most_by"]["cell"] == "other|pro|eu"
    assert (found["moved_most_by"]["population_share"], found["moved_most_by"]["support"]) == (0.8, 0.9)
    assert found["to_pass_the_next"] is None
    assert [word["importance"] for word in found["words"]] == [3]
    assert found["inputs_at"]["voted_at"] == "2026-03-02T09:00:00Z"
    assert found["inputs_at"]["frame_at"] == "2026-03-02T09:00:00Z"


async def test_the_effort_that_is_named_really_passes_the_next(weighted: ServiceUnderTest) -> None:
    """Estimated at a little less than what is named, the idea takes the place of the one above."""
    takes = (await explained(weighted, "loud"))["to_pass_the_next"]
    assert (takes["feature_id"], takes["effort_weeks"] < 2) == ("wanted", True)
    body = {"effort_weeks": takes["effort_weeks"] * 0.999}
    await weighted.client.patch("/api/v1/ideas/loud", json=body, headers=weighted.headers("researcher"))
    assert (await explained(weighted, "loud"))["rank"] == 1


async def test_closed_ideas_have_no_rank(weighted: ServiceUnderTest) -> None:
    """A shipped idea is in no order of open ones, and its explanation says so."""
    await weighted.client.post(
        "/api/v1/ideas/wanted/status", json={"status": "shipped"}, headers=weighted.headers("manager")
    )
    found = await explained(weighted, "wanted")
    assert (found["rank"], found["unweighted_rank"], found["ranked"]) == (None, None, 2)
    assert "It is closed or hidden and not ranked" in (await get(weighted, "/ideas/wanted")).text


async def test_ideas_are_ordered_by_any_formula(weighted: ServiceUnderTest) -> None:
    """With estimates WSJF has its own order; ideas without are behind, and say what they lack."""
    body = {
        "value": 8,
        "criticality": 5,
        "risk": 3,
        "kano": [{"functional": "like", "dysfunctional": "dislike", "people": 3}],
    }
    headers = weighted.headers("manager")
    assert (await weighted.client.put("/api/v1/ideas/loud/estimates", json=body, headers=headers)).status_code == 200
    found = (await get(weighted, "/api/v1/ranking?sort=wsjf")).json()
    assert (found[0]["feature_id"], found[0]["value"]) == ("loud", 8.0)
    assert {idea["value"] for idea in found[1:]} == {None}
    text = (await get(weighted, "/?sort=wsjf")).text
    assert "(Value + time criticality + risk reduction) ÷ effort in person-weeks" in text
    assert text.index('href="/ideas/loud"') < text.index('href="/ideas/wanted"')
    assert "no estimate" in text
    lenses = (await explained(weighted, "loud"))["lenses"]
    assert lenses["kano"] == {"value": 2.0, "missing": []}
    assert lenses["opportunity"] == {"value": None, "missing": ["importance", "satisfaction"]}
    assert (await explained(weighted, "loud"))["score"] == found[0]["score"]


async def test_momentum_is_a_lens_and_not_in_the_score(weighted: ServiceUnderTest) -> None:
    """Newer votes bring an idea up by momentum; the measured priority does not look at when."""
    await add_idea(weighted, "fresh")
    await add_idea(weighted, "stale")
    await weighted.deliver(
        voted("fresh", "fan-1", hours=0, segment=LOYAL), voted("stale", "fan-1", hours=-24 * 28, segment=LOYAL)
    )
    found = {idea["feature_id"]: idea for idea in (await get(weighted, "/api/v1/ranking?sort=momentum")).json()}
    assert (found["fresh"]["value"], found["stale"]["value"]) == pytest.approx((1.0, 0.25))
    assert found["fresh"]["score"] == found["stale"]["score"]


async def test_a_drawer_holds_the_explanation_alone(weighted: ServiceUnderTest) -> None:
    """The same address gives a page to a reader and its inside to the drawer."""
    whole = (await get(weighted, "/ideas/wanted/why")).text
    inside = (await get(weighted, "/ideas/wanted/why", **{"HX-Request": "true"})).text
    assert "<!doctype html>" in whole
    assert "<!doctype html>" not in inside
    for text in (whole, inside):
        assert "If everybody counted once it would be 2." in text
        assert re.search(r"other · pro · eu is 80% of customers and \d+% of those who took part", text)
        assert 'href="http://test/insights/sessions/session-1"' in text


async def test_estimates_are_typed_into_a_form(weighted: ServiceUnderTest) -> None:
    """What is typed is kept and shown again, confidence in percent; a wrong count says what to do."""
    headers = weighted.headers("manager")
    form = {"impact": "2", "confidence": "80", "ease": "", "kano-like-dislike": "6", "kano-must-live": ""}
    assert (await weighted.client.post("/ideas/loud/estimates", data=form, headers=headers)).status_code == 303
    stored = (await get(weighted, "/api/v1/ideas/loud/estimates")).json()
    assert (stored["impact"], stored["confidence"], stored["ease"], stored["changed_by"]) == (2.0, 0.8, None, "ana")
    assert stored["kano"] == [{"functional": "like", "dysfunctional": "dislike", "people": 6}]
    shown = (await get(weighted, "/ideas/loud/estimates", "manager")).text
    assert 'name="confidence" value="80"' in shown
    assert "Most see it as one-dimensional." in shown
    wrong = await weighted.client.post(
        "/ideas/loud/estimates", data=form | {"kano-like-like": "x", "ease": "11"}, headers=headers
    )
    assert wrong.status_code == 422
    assert "as a whole number" in wrong.text
    assert "Enter 10 or less." in wrong.text
    assert (await get(weighted, "/api/v1/ideas/loud/estimates")).json() == stored


@pytest.mark.parametrize("path", ["/ideas/nothing/why", "/api/v1/ideas/nothing/estimates", "/ideas/nothing/estimates"])
async def test_an_unknown_idea_is_not_found(roadmap: ServiceUnderTest, path: str) -> None:
    """There is no explanation of nothing."""
    assert (await roadmap.client.get(path, headers=roadmap.headers("manager"))).status_code == 404


async def test_estimates_of_an_unknown_idea_are_refused(roadmap: ServiceUnderTest) -> None:
    """Nothing is kept for an idea that does not exist."""
    answer = await roadmap.client.put(
        "/api/v1/ideas/nothing/estimates", json={"impact": 1}, headers=roadmap.headers("manager")
    )
    assert answer.status_code == 404
