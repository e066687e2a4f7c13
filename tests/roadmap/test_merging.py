"""Ideas that are the same are merged, parted again, and nobody is lost or counted twice."""

import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.roadmap.board import editing
from services.roadmap.merges import merging
from services.roadmap.merges.trees import Merge, recorded_on, survivors
from shared.contract.events import EventData, FeatureVoted, ParticipantErased
from shared.runtime.recovery.rebuild import rebuild
from shared.runtime.serve import load
from tests.flow.story import publish
from tests.roadmap.events import LOYAL, OTHER, add_idea, counts, drift, supporters, tagged, voted
from tests.support.catching_up import ask, until_nothing_waits
from tests.support.running import stage
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]
HOUR = timedelta(hours=1)


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """Three ideas that mean the same, and one that does not; nobody has voted."""
    service = await start_service("roadmap")
    for name in ("csv", "excel", "sheets", "dark"):
        await add_idea(service, name)
    return service


async def merge(service: ServiceUnderTest, idea: str, into: str, status: int = 201) -> Any:
    body = {"feature_id": idea, "into_id": into}
    answer = await service.client.post("/api/v1/merges", json=body, headers=service.headers("researcher"))
    assert answer.status_code == status, answer.text
    return answer.json()


async def undo(service: ServiceUnderTest, merged: dict[str, Any], status: int = 200) -> Any:
    path = f"/api/v1/merges/{merged['merge_id']}/undo"
    answer = await service.client.post(path, headers=service.headers("researcher"))
    assert answer.status_code == status, answer.text
    return answer.json()


async def numbers(service: ServiceUnderTest, *names: str) -> dict[str, int]:
    return {name: await supporters(service, name) for name in names}


async def picture(service: ServiceUnderTest) -> list[dict[str, object]]:
    """Every counter of every idea, and the rows they count."""
    rows = await service.database.fetch(
        """
        SELECT 'idea' AS kind, feature_id AS a, merged_into AS b, supporters::text AS c,
               round(ln(nullif(momentum, 0))::numeric, 6)::text AS d FROM ideas
        UNION ALL SELECT 'count', feature_id, cell, people::text, importance_sum::text
          FROM support_counts WHERE people > 0
        UNION ALL SELECT 'vote', feature_id, voter_id, vote, voted_at::text FROM votes
        UNION ALL SELECT 'word', feature_id, person_id, importance::text, said_at::text FROM words
        ORDER BY 1, 2, 3
        """
    )
    return [dict(row) for row in rows]


async def test_a_survivor_has_everybody_once(roadmap: ServiceUnderTest) -> None:
    """Ana voted for both, Ben for one, Cem asked in an interview: three people, in their cells."""
    await roadmap.deliver(
        voted("csv", "ana"), voted("excel", "ana"), voted("excel", "ben", segment=OTHER), tagged("i1", "csv", "cem")
    )
    await merge(roadmap, "csv", "excel")
    assert await numbers(roadmap, "csv", "excel") == {"csv": 0, "excel": 3}
    assert await counts(roadmap, "excel") == {"loyal|pro|eu": (1, 0, 0), "other|pro|eu": (2, 2, 1)}
    assert await drift(roadmap) == []


async def test_parting_restores_each_exactly(roadmap: ServiceUnderTest) -> None:
    """After merging and undoing, with the same events delivered once more in between, every row is as it was."""
    events = [
        voted("csv", "ana"),
        voted("excel", "ana", hours=1),
        voted("excel", "ben", withdrawn=True, hours=1),
        voted("csv", "ben"),
        tagged("i1", "csv", "cem", importance=3),
        tagged("i2", "excel", "cem", importance=1, hours=1),
    ]
    await roadmap.deliver(*events)
    before = await picture(roadmap)
    roadmap.now = START + 2 * HOUR
    merged = await merge(roadmap, "csv", "excel")
    assert await picture(roadmap) != before
    await roadmap.deliver(*reversed(events))
    assert await drift(roadmap) == []
    roadmap.now = START + 3 * HOUR
    await undo(roadmap, merged)
    assert await picture(roadmap) == before
    assert await drift(roadmap) == []


async def test_the_latest_vote_over_the_group_holds(roadmap: ServiceUnderTest) -> None:
    """Ben took his later vote back on one of the two, so he no longer stands behind them; parted, he stands for one."""
    await roadmap.deliver(voted("csv", "ben"), voted("excel", "ben", withdrawn=True, hours=1))
    roadmap.now = START + 2 * HOUR
    merged = await merge(roadmap, "csv", "excel")
    assert await supporters(roadmap, "excel") == 0
    await undo(roadmap, merged)
    assert await numbers(roadmap, "csv", "excel") == {"csv": 1, "excel": 0}


async def test_the_latest_word_over_the_group_counts(roadmap: ServiceUnderTest) -> None:
    """Cem called the one critical and later the other nice to have: the survivor has importance 1, once."""
    await roadmap.deliver(tagged("i1", "csv", "cem", importance=3), tagged("i2", "excel", "cem", importance=1, hours=1))
    await merge(roadmap, "csv", "excel")
    assert await counts(roadmap, "excel") == {"other|pro|eu": (1, 1, 1)}


async def test_votes_after_the_merge_are_the_survivors(roadmap: ServiceUnderTest) -> None:
    """A vote for the merged idea stays the survivor's when they part; an earlier one that comes late does not."""
    roadmap.now = START + HOUR
    merged = await merge(roadmap, "csv", "excel")
    await roadmap.deliver(voted("csv", "ana", hours=2), voted("csv", "late", hours=0.5))
    assert await numbers(roadmap, "csv", "excel") == {"csv": 0, "excel": 2}
    roadmap.now = START + 3 * HOUR
    await undo(roadmap, merged)
    assert await numbers(roadmap, "csv", "excel") == {"csv": 1, "excel": 1}
    await roadmap.deliver(voted("csv", "ana", hours=2), voted("csv", "late", hours=0.5))
    assert await numbers(roadmap, "csv", "excel") == {"csv": 1, "excel": 1}
    assert await drift(roadmap) == []


async def test_a_vote_on_the_merged_page_goes_to_the_survivor(roadmap: ServiceUnderTest) -> None:
    """Whoever presses the button of a merged idea that was still open votes for the survivor, and others hear so."""
    await merge(roadmap, "csv", "excel")
    answer = await roadmap.client.post(
        "/board/csv/vote", data={"vote": "up", "back": "/board/csv"}, headers=roadmap.headers("viewer", "sam")
    )
    assert answer.headers["location"] == "/board#idea-excel"
    assert [vote.feature_id for vote in await roadmap.published(FeatureVoted)] == ["excel"]
    assert await supporters(roadmap, "excel") == 1


async def test_a_merge_of_merges_moves_the_members_along(roadmap: ServiceUnderTest) -> None:
    """Three ideas become one step by step; each step can be undone alone, the first one too."""
    await roadmap.deliver(voted("csv", "ana"), voted("excel", "ben"), voted("sheets", "cem"), voted("sheets", "ana"))
    first = await merge(roadmap, "csv", "excel")
    second = await merge(roadmap, "excel", "sheets")
    assert await numbers(roadmap, "csv", "excel", "sheets") == {"csv": 0, "excel": 0, "sheets": 3}
    rows = await roadmap.database.fetch("SELECT feature_id, merged_into FROM ideas WHERE merged_into IS NOT NULL")
    assert {row["feature_id"]: row["merged_into"] for row in rows} == {"csv": "sheets", "excel": "sheets"}
    roadmap.now += HOUR
    await undo(roadmap, second)
    assert await numbers(roadmap, "csv", "excel", "sheets") == {"csv": 0, "excel": 2, "sheets": 2}
    again = await merge(roadmap, "excel", "sheets")
    roadmap.now += HOUR
    await undo(roadmap, first)
    assert await numbers(roadmap, "csv", "excel", "sheets") == {"csv": 1, "excel": 0, "sheets": 3}
    await undo(roadmap, again)
    assert await numbers(roadmap, "csv", "excel", "sheets") == {"csv": 1, "excel": 1, "sheets": 2}
    assert await drift(roadmap) == []


@pytest.mark.parametrize(
    ("idea", "into", "status", "said"),
    [
        ("csv", "csv", 409, "cannot be merged into itself"),
        ("excel", "csv", 409, "is itself merged into the idea 'excel'"),
        ("dark", "csv", 409, "choose that one or undo it first"),
        ("csv", "dark", 409, "is itself merged into"),
        ("dark", "nothing", 404, "There is no idea 'nothing'"),
        ("nothing", "dark", 404, "There is no idea 'nothing'"),
        ("ghost", "dark", 409, "Nobody has named the idea 'ghost'"),
        ("sheets", "dark", 409, "is shipped; reopen it first"),
        ("dark", "sheets", 409, "is shipped; reopen it first"),
    ],
)
async def test_what_cannot_be_merged_is_told_why(
    roadmap: ServiceUnderTest, idea: str, into: str, status: int, said: str
) -> None:
    """Itself, circles, merged, unknown, unnamed and closed ideas are refused with what to do, and nothing changes."""
    await roadmap.deliver(voted("ghost", "ana"))
    await merge(roadmap, "csv", "excel")
    await roadmap.client.post(
        "/api/v1/ideas/sheets/status", json={"status": "shipped"}, headers=roadmap.headers("manager")
    )
    before = await picture(roadmap)
    assert said in (await merge(roadmap, idea, into, status))["detail"]
    assert await picture(roadmap) == before


async def test_a_merge_is_undone_once(roadmap: ServiceUnderTest) -> None:
    """A second undo says when the first was; an unknown merge is 404."""
    merged = await merge(roadmap, "csv", "excel")
    undone = await undo(roadmap, merged)
    assert (undone["merged_by"], undone["unmerged_by"]) == ("ana", "ana")
    assert "was undone on 2026-03-02 already" in (await undo(roadmap, merged, 409))["detail"]
    await undo(roadmap, {"merge_id": "none"}, 404)


async def test_a_merged_idea_does_not_move(roadmap: ServiceUnderTest) -> None:
    """Its status is the survivor's."""
    await merge(roadmap, "csv", "excel")
    answer = await roadmap.client.post(
        "/api/v1/ideas/csv/status", json={"status": "now"}, headers=roadmap.headers("manager")
    )
    assert (answer.status_code, "merged into 'excel'" in answer.text) == (409, True)


async def test_people_change_segment_within_a_group(roadmap: ServiceUnderTest) -> None:
    """Ana voted for both and moves to another cell: she is counted there, once."""
    await roadmap.deliver(voted("csv", "ana"), voted("excel", "ana"))
    await merge(roadmap, "csv", "excel")
    await roadmap.deliver(voted("dark", "ana", hours=2, segment=OTHER))
    assert await counts(roadmap, "excel") == {"other|pro|eu": (1, 0, 0)}
    assert await drift(roadmap) == []


async def test_an_erased_person_leaves_the_group(roadmap: ServiceUnderTest) -> None:
    """Whoever asks to be forgotten is counted nowhere, merged or parted."""
    await roadmap.deliver(voted("csv", "ana"), voted("excel", "ana"), tagged("i1", "csv", "ana"), voted("csv", "ben"))
    merged = await merge(roadmap, "csv", "excel")
    await roadmap.deliver(ParticipantErased(participant_id="ana", erased_at=START))
    assert await supporters(roadmap, "excel") == 1
    assert await drift(roadmap) == []
    await undo(roadmap, merged)
    assert await numbers(roadmap, "csv", "excel") == {"csv": 1, "excel": 0}
    assert await drift(roadmap) == []


async def test_every_order_of_votes_and_words_in_a_group_ends_the_same(roadmap: ServiceUnderTest) -> None:
    """Late, repeated and reordered events over a group leave what a recount finds, one batch or many."""
    merged_at = START + HOUR
    events = [
        voted("csv", "ana"),
        voted("excel", "ana", withdrawn=True, hours=0.5),
        voted("csv", "ana", hours=2, segment=OTHER),
        tagged("i1", "csv", "ana", importance=3, hours=0.2, segment=LOYAL),
    ]
    roadmap.now = merged_at
    await merge(roadmap, "csv", "excel")
    seen = set()
    for order in itertools.permutations(events):
        for event in order:
            await roadmap.deliver(event)
        assert await drift(roadmap) == []
        seen.add(repr(await counts(roadmap, "excel")))
    assert seen == {"{'other|pro|eu': (1, 3, 1)}"}


async def test_the_page_of_a_merged_idea_leads_to_the_survivor(roadmap: ServiceUnderTest) -> None:
    """Its address leads on to the survivor, which says what was merged; the board lists the survivor alone."""
    await merge(roadmap, "csv", "excel")
    answer = await roadmap.client.get("/board/csv")
    assert (answer.status_code, answer.headers["location"]) == (302, "/board/excel?from=csv")
    page = (await roadmap.client.get("/board/excel?from=csv")).text
    assert "“Csv”, is merged into this one" in page
    listed = (await roadmap.client.get("/board")).text
    assert ("title-excel" in listed, "title-csv" in listed) == (True, False)


async def test_comments_are_shown_together_and_parted_again(roadmap: ServiceUnderTest) -> None:
    """The survivor shows what was said on either, with its origin; what is said after the merge is its own."""

    async def say(idea: str, body: str) -> None:
        headers = roadmap.headers("note_taker", "mara")
        answer = await roadmap.client.post(f"/api/v1/ideas/{idea}/comments", json={"body": body}, headers=headers)
        assert answer.status_code == 201, answer.text

    async def said(idea: str) -> list[str]:
        answer = await roadmap.client.get(f"/api/v1/ideas/{idea}/comments", headers=roadmap.headers("viewer"))
        return [comment["body"] for comment in answer.json()]

    await say("csv", "on csv")
    await say("excel", "on excel")
    merged = await merge(roadmap, "csv", "excel")
    roadmap.now += HOUR
    await say("csv", "after the merge")
    assert await said("excel") == ["on csv", "on excel", "after the merge"] or await said("excel") == [
        "on excel",
        "on csv",
        "after the merge",
    ]
    assert "Written on “Csv”" in (await roadmap.client.get("/board/excel")).text
    await undo(roadmap, merged)
    assert (await said("csv"), await said("excel")) == (["on csv"], ["on excel", "after the merge"])


async def test_the_desk_suggests_and_people_decide(roadmap: ServiceUnderTest) -> None:
    """Titles that look alike are suggested once, merged by a button, undone by another; dismissed ones never return."""
    await add_idea(roadmap, "a", title="Export tables to CSV files")
    await add_idea(roadmap, "b", title="Export a table to CSV file")
    await add_idea(roadmap, "c", title="Remind me by SMS")
    headers = roadmap.headers("researcher", "mara")
    found = (await roadmap.client.get("/api/v1/lookalikes", headers=headers)).json()
    assert [(pair["first_id"], pair["second_id"]) for pair in found] == [("a", "b")]
    desk = (await roadmap.client.get("/merges", headers=headers)).text
    assert "Export a table to CSV file" in desk
    answer = await roadmap.client.post("/merges", data={"idea": "b", "into": "a"}, headers=headers)
    assert answer.status_code == 303
    desk = (await roadmap.client.get("/merges", headers=headers)).text
    assert "mara" in desk
    [path] = {
        part.split('"')[0] for part in desk.split('action="')[1:] if part.startswith("/merges/") and "undo" in part
    }
    assert (await roadmap.client.post(path, headers=headers)).status_code == 303
    await roadmap.client.post("/merges/dismiss", data={"first": "a", "second": "b"}, headers=headers)
    assert (await roadmap.client.get("/api/v1/lookalikes", headers=headers)).json() == []
    await roadmap.client.patch("/api/v1/ideas/a", json={"title": "Export tables to CSV file"}, headers=headers)
    assert (await roadmap.client.get("/api/v1/lookalikes", headers=headers)).json() == []


async def test_a_rebuild_leaves_a_group_as_it_was(tmp_path: Path) -> None:
    """Built again from the log, votes and words lie where they lay, through merges undone and not."""
    async with stage(load("roadmap"), tmp_path) as staged:
        events: list[EventData] = [
            voted("csv", "ana"),
            voted("excel", "ana", hours=1),
            tagged("i1", "csv", "cem"),
            voted("csv", "ben", hours=3),
            voted("csv", "dia", hours=5),
            voted("sheets", "ana", hours=7, segment=OTHER),
        ]
        async with staged.run() as service:
            service.database.clock = lambda: START + 2 * HOUR
            async with service.database.transaction() as tx:
                for name in ("csv", "excel", "sheets"):
                    await editing.create(tx, name, editing.Content(name))
                undone = await merging.merge(tx, "csv", "excel", "ana")
            service.database.clock = lambda: START + 4 * HOUR
            async with service.database.transaction() as tx:
                await merging.unmerge(tx, undone.merge_id, "ana")
            service.database.clock = lambda: START + 6 * HOUR
            async with service.database.transaction() as tx:
                await merging.merge(tx, "sheets", "excel", "ana")
            publish(staged.settings, events, seed=1)
            await until_nothing_waits(service)
        where = "SELECT string_agg(voter_id || ' ' || feature_id, ', ' ORDER BY voter_id, feature_id) FROM votes"
        assert await ask(staged, where) == "ana csv, ana excel, ben excel, dia csv"
        dsn = staged.settings.database_dsn.get_secret_value()
        assert (await rebuild(staged.service, dsn, staged.settings)).differing == []
        assert await ask(staged, where) == "ana csv, ana excel, ben excel, dia csv"


def merged_at(hours: float, name: str, into: str, parted: float | None = None) -> Merge:
    ended = (START + parted * HOUR, "ana") if parted is not None else (None, None)
    return Merge(f"{name}-{hours}", name, into, START + hours * HOUR, "ana", *ended)


@pytest.mark.parametrize(
    ("hours", "where"),
    [(0, "a"), (1, "b"), (1.5, "b"), (2, "c"), (3, "b"), (4, "a"), (9, "a")],
)
def test_a_vote_is_recorded_on_the_survivor_of_its_moment(hours: float, where: str) -> None:
    """A into b at 1, b into c at 2, b parted from c at 3, a parted from b at 4: the vote's own time says where."""
    merges = [merged_at(1, "a", "b", 4), merged_at(2, "b", "c", 3)]
    assert recorded_on("a", START + hours * HOUR, merges) == where


def test_survivors_are_the_roots_of_what_is_not_undone() -> None:
    """Of a into b into c, and d parted from c, c stands for a and b."""
    merges = [merged_at(1, "a", "b"), merged_at(2, "b", "c"), merged_at(1, "d", "c", 2)]
    assert survivors(["a", "b", "c", "d"], merges) == {"a": "c", "b": "c", "c": None, "d": None}
