"""What happens at the same moment comes out as if one had been first."""

import asyncio

from services.insights import store_copies, tagging
from services.insights.model import Content
from shared.runtime import Principal
from tests.insights.examples import completed, erased
from tests.support.locks import waits_for_a_lock
from tests.support.service import ServiceUnderTest


async def test_an_erasure_waits_for_who_is_tagging(insights: ServiceUnderTest) -> None:
    """A quote that is being kept while its speaker is erased is erased with the rest."""
    await insights.deliver(completed())
    async with insights.database.transaction() as tx:
        await tagging.tag(tx, "s-1", Content("my own words"), Principal("mara", "researcher"))
        erasing = asyncio.create_task(insights.deliver(erased("ana")))
        await waits_for_a_lock(insights)
    await erasing
    (row,) = await insights.database.fetch("SELECT participant_id, quote FROM insights")
    assert row["quote"] is None
    assert row["participant_id"].startswith("anonymous-")


async def test_an_erasure_waits_for_a_session_that_arrives(insights: ServiceUnderTest) -> None:
    """A session that is being stored while its participant is erased does not keep the real id."""
    async with insights.database.transaction() as tx:
        assert await store_copies.erasure(tx.connection, "ana") is None
        erasing = asyncio.create_task(insights.deliver(erased("ana")))
        await waits_for_a_lock(insights)
        await tx.connection.execute(
            """
            INSERT INTO sessions (session_id, participant_id, completed_at, segment, listening)
            VALUES ('s-1', 'ana', now(), '{}', '{}')
            """
        )
    await erasing
    (row,) = await insights.database.fetch("SELECT participant_id, erased_at FROM sessions")
    assert row["participant_id"].startswith("anonymous-")
    assert row["erased_at"] is not None


async def test_two_changes_at_once_are_two_versions(insights: ServiceUnderTest) -> None:
    """Of two people who change an insight at the same moment neither overwrites the other's version number."""
    await insights.deliver(completed())
    headers = insights.headers("researcher")
    body = {"session_id": "s-1", "insight_id": "in-1", "tags": ["export"]}
    await insights.client.post("/api/v1/insights", json=body, headers=headers)
    answers = await asyncio.gather(
        *(
            insights.client.put("/api/v1/insights/in-1", json={"tags": [tag]}, headers=headers)
            for tag in ("import", "sharing")
        )
    )
    assert sorted(answer.json()["version"] for answer in answers) == [2, 3]
