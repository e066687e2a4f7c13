"""Who is told of ideas that are merged, and of each again when they are parted."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from services.roadmap.store import subscriptions
from tests.roadmap.events import add_idea, voted
from tests.roadmap.people import letters, links, move, notices, sign_in, tell, vote, wait
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]
HOUR = timedelta(hours=1)


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """Three ideas that mean the same; Ana is signed in and follows the first alone."""
    service = await start_service("roadmap")
    for name in ("csv", "excel", "sheets"):
        await add_idea(service, name)
    await sign_in(service, "ana@example.com")
    await follow(service, "csv")
    return service


async def follow(service: ServiceUnderTest, idea: str, wanted: str = "on") -> None:
    answer = await service.client.post(f"/board/{idea}/follow", data={"follow": wanted})
    assert answer.status_code == 303, answer.text


async def merge(service: ServiceUnderTest, idea: str, into: str) -> str:
    """Merge an hour later, so that what came before is told from what comes after; gives the merge's id."""
    service.now += HOUR
    body = {"feature_id": idea, "into_id": into}
    answer = await service.client.post("/api/v1/merges", json=body, headers=service.headers("researcher"))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["merge_id"])


async def undo(service: ServiceUnderTest, merge_id: str) -> None:
    service.now += HOUR
    answer = await service.client.post(f"/api/v1/merges/{merge_id}/undo", headers=service.headers("researcher"))
    assert answer.status_code == 200, answer.text


async def followers(service: ServiceUnderTest, *ideas: str) -> dict[str, list[str]]:
    """Who is told of each idea, by the first part of their address."""
    rows = await service.database.fetch(
        f"SELECT feature_id, split_part(email, '@', 1) AS who FROM ({subscriptions.FOLLOWERS}) AS follower"  # noqa: S608
        " JOIN contacts USING (person_id) ORDER BY who"
    )
    return {idea: [row["who"] for row in rows if row["feature_id"] == idea] for idea in ideas}


async def unsubscribe(service: ServiceUnderTest, mail: Any) -> None:
    """One click in the mail program, for the idea the mail is about."""
    answer = await service.client.post(mail["unsubscribe"].removeprefix("http://test/roadmap"))
    assert answer.status_code == 200, answer.text


async def test_a_mail_says_why_it_speaks_of_another_idea(roadmap: ServiceUnderTest) -> None:
    """Whoever asked for the absorbed idea alone hears that it is part of the other; who asked for both does not."""
    await sign_in(roadmap, "ben@example.com")
    await vote(roadmap, "csv")
    await vote(roadmap, "excel")
    await merge(roadmap, "csv", "excel")
    await move(
        roadmap, "excel", "planned", note="**Soon**, see [the plan](https://example.com/plan):\n\n* CSV\n* Excel"
    )
    for _ in range(3):
        await wait(roadmap, 10)
    ana, ben = sorted(await letters(roadmap), key=lambda mail: str(mail["recipient"]))
    reason = "“Csv”, which you asked for, is part of it now."
    assert reason in ana["text"]
    assert reason in ana["html"]
    assert "part of it now" not in ben["text"]
    assert "Soon, see the plan: CSV Excel" in ben["text"]
    assert "**" not in ben["html"]


async def test_whoever_follows_both_is_told_once(roadmap: ServiceUnderTest) -> None:
    """Ana followed the absorbed idea, Ben both, Cy voted for both: each gets one mail about the survivor."""
    await sign_in(roadmap, "ben@example.com")
    await follow(roadmap, "csv")
    await follow(roadmap, "excel")
    await sign_in(roadmap, "cy@example.com")
    await vote(roadmap, "csv")
    await vote(roadmap, "excel")
    await merge(roadmap, "csv", "excel")
    await move(roadmap, "excel", "planned")
    for _ in range(3):
        await wait(roadmap, 10)
    told = sorted((mail["recipient"], mail["subject"]) for mail in await letters(roadmap))
    assert told == [
        ("ana@example.com", "“Excel” is planned."),
        ("ben@example.com", "“Excel” is planned."),
        ("cy@example.com", "“Excel” is planned."),
    ]


async def test_a_vote_for_what_was_absorbed_follows_the_survivor(roadmap: ServiceUnderTest) -> None:
    """Whoever voted for the absorbed idea is told of the survivor, until the vote is taken back there."""
    await sign_in(roadmap, "ben@example.com")
    await vote(roadmap, "csv")
    await merge(roadmap, "csv", "excel")
    assert await followers(roadmap, "csv", "excel") == {"csv": [], "excel": ["ana", "ben"]}
    await vote(roadmap, "excel", "withdrawn")
    assert await followers(roadmap, "csv", "excel") == {"csv": [], "excel": ["ana"]}


async def test_parted_each_is_told_of_their_own(roadmap: ServiceUnderTest) -> None:
    """Ana, who followed the absorbed idea, hears no more of the survivor, and of her own again; Ben the other way."""
    await sign_in(roadmap, "ben@example.com")
    await follow(roadmap, "excel")
    before = await followers(roadmap, "csv", "excel")
    merged = await merge(roadmap, "csv", "excel")
    await undo(roadmap, merged)
    assert await followers(roadmap, "csv", "excel") == before == {"csv": ["ana"], "excel": ["ben"]}
    await move(roadmap, "csv", "planned")
    await move(roadmap, "excel", "shipped")
    await wait(roadmap, 10)
    told = {mail["recipient"]: mail["subject"] for mail in await letters(roadmap)}
    assert told == {
        "ana@example.com": "“Csv” is planned.",
        "ben@example.com": "“Excel” is there: you can use it now.",
    }


async def test_what_waits_when_they_part_is_told_to_the_survivors_own(roadmap: ServiceUnderTest) -> None:
    """The survivor moved and was parted within ten minutes: who followed the absorbed one alone hears nothing."""
    await sign_in(roadmap, "ben@example.com")
    await follow(roadmap, "excel")
    merged = await merge(roadmap, "csv", "excel")
    roadmap.now += HOUR
    await move(roadmap, "excel", "planned")
    await tell(roadmap)
    await undo(roadmap, merged)
    await wait(roadmap, 10)
    assert [mail["recipient"] for mail in await letters(roadmap)] == ["ben@example.com"]
    rows = await roadmap.database.fetch("SELECT FROM notices WHERE mail_id IS NULL")
    assert rows == []


@pytest.mark.parametrize("noticed", [True, False])
async def test_what_an_absorbed_idea_did_before_waits_until_it_is_parted(
    roadmap: ServiceUnderTest,
    noticed: bool,  # noqa: FBT001 - whether the job ran in between
) -> None:
    """It moved and was absorbed before its people were told: its page is the survivor's now, so they are told after."""
    roadmap.now += HOUR - timedelta(minutes=1)
    await move(roadmap, "csv", "planned")
    if noticed:
        await tell(roadmap)
    roadmap.now -= HOUR - timedelta(minutes=1)
    merged = await merge(roadmap, "csv", "excel")
    await wait(roadmap, 90)
    assert await notices(roadmap) == []
    await undo(roadmap, merged)
    await wait(roadmap, 10)
    assert await notices(roadmap) == ["“Csv” is planned."]


async def test_other_news_are_told_as_if_nothing_waited(roadmap: ServiceUnderTest) -> None:
    """Old news of an absorbed idea neither come with those of others nor hurry them, and are told when it is parted."""
    await add_idea(roadmap, "dark")
    for name in ("sheets", "dark"):
        await follow(roadmap, name)
    await move(roadmap, "csv", "planned")
    await tell(roadmap)
    merged = await merge(roadmap, "csv", "excel")
    await move(roadmap, "sheets", "now")
    await wait(roadmap, 6)
    await move(roadmap, "dark", "now")
    await wait(roadmap, 6)
    assert await notices(roadmap) == []
    await wait(roadmap, 4)
    assert await notices(roadmap) == ["2 ideas moved"]
    await undo(roadmap, merged)
    await wait(roadmap, 0)
    assert await notices(roadmap) == ["2 ideas moved", "“Csv” is planned."]


async def test_one_click_on_the_survivor_ends_it_for_who_followed_the_absorbed(roadmap: ServiceUnderTest) -> None:
    """Ana gets no more of the survivor, though she never followed it itself; parted, she follows her own again."""
    merged = await merge(roadmap, "csv", "excel")
    await move(roadmap, "excel", "planned")
    await wait(roadmap, 10)
    [mail] = await letters(roadmap)
    roadmap.now += HOUR
    await unsubscribe(roadmap, mail)
    assert await followers(roadmap, "csv", "excel") == {"csv": [], "excel": []}
    await move(roadmap, "excel", "now")
    await wait(roadmap, 10)
    assert await notices(roadmap) == ["“Excel” is planned."]
    await undo(roadmap, merged)
    assert await followers(roadmap, "csv", "excel") == {"csv": ["ana"], "excel": []}


async def test_what_waits_is_not_told_after_the_click(roadmap: ServiceUnderTest) -> None:
    """A move of the survivor that Ana was to be told of is dropped when she ends its mails before."""
    await merge(roadmap, "csv", "excel")
    await move(roadmap, "excel", "planned")
    await wait(roadmap, 10)
    [mail] = await letters(roadmap)
    await move(roadmap, "excel", "now")
    await tell(roadmap)
    await unsubscribe(roadmap, mail)
    await wait(roadmap, 10)
    assert await notices(roadmap) == ["“Excel” is planned."]


async def test_refusing_holds_when_the_survivor_is_absorbed_too(roadmap: ServiceUnderTest) -> None:
    """Ana ended mails about the group of two; merged into a third one the group brings her none, a later wish does."""
    await merge(roadmap, "csv", "excel")
    roadmap.now += HOUR
    await follow(roadmap, "excel", "off")
    await merge(roadmap, "excel", "sheets")
    assert await followers(roadmap, "sheets") == {"sheets": []}
    await follow(roadmap, "csv", "on")
    assert await followers(roadmap, "sheets") == {"sheets": ["ana"]}


async def test_who_refused_the_survivor_before_still_follows_the_other(roadmap: ServiceUnderTest) -> None:
    """The survivor's people are those of either: a merge takes nobody's news away."""
    await follow(roadmap, "excel", "off")
    await sign_in(roadmap, "ben@example.com")
    await follow(roadmap, "csv", "off")
    await vote(roadmap, "csv")
    await vote(roadmap, "excel")
    await merge(roadmap, "csv", "excel")
    assert await followers(roadmap, "excel") == {"excel": ["ana", "ben"]}


async def test_a_vote_taken_back_on_one_follows_nothing(roadmap: ServiceUnderTest) -> None:
    """Ben took back his vote for the absorbed idea, and voted for the survivor but refused its mails: he gets none."""
    await sign_in(roadmap, "ben@example.com")
    await vote(roadmap, "csv")
    await vote(roadmap, "csv", "withdrawn")
    roadmap.now += HOUR
    await vote(roadmap, "excel")
    await follow(roadmap, "excel", "off")
    await merge(roadmap, "csv", "excel")
    assert await followers(roadmap, "excel") == {"excel": ["ana"]}


async def test_the_link_of_an_older_mail_ends_the_absorbed_one_alone(roadmap: ServiceUnderTest) -> None:
    """Ana followed both and clicks in a mail about the absorbed idea: she still hears of the survivor she follows."""
    await follow(roadmap, "excel")
    await move(roadmap, "csv", "planned")
    await wait(roadmap, 10)
    [mail] = await letters(roadmap)
    await merge(roadmap, "csv", "excel")
    await unsubscribe(roadmap, mail)
    assert await followers(roadmap, "excel") == {"excel": ["ana"]}
    await follow(roadmap, "excel", "off")
    assert await followers(roadmap, "excel") == {"excel": []}


async def test_follow_on_the_page_of_an_absorbed_idea_is_the_survivors(roadmap: ServiceUnderTest) -> None:
    """A page that was still open when its idea was absorbed: the wish stays with the survivor, and so does its end."""
    await sign_in(roadmap, "ben@example.com")
    merged = await merge(roadmap, "csv", "excel")
    answer = await roadmap.client.post("/board/csv/follow", data={"follow": "on"})
    assert answer.headers["location"] == "/board/excel"
    await undo(roadmap, merged)
    assert await followers(roadmap, "csv", "excel") == {"csv": ["ana"], "excel": ["ben"]}


async def test_a_digest_of_survivors_names_each_once(roadmap: ServiceUnderTest) -> None:
    """Ana follows two ideas by what was merged into them: one mail, a link to each, and a way to end each."""
    await follow(roadmap, "sheets")
    await add_idea(roadmap, "dark")
    await merge(roadmap, "csv", "excel")
    await merge(roadmap, "sheets", "dark")
    await move(roadmap, "excel", "planned")
    await move(roadmap, "dark", "declined")
    await wait(roadmap, 10)
    [mail] = await letters(roadmap)
    assert mail["subject"] == "2 ideas moved"
    secret = mail["unsubscribe"].rsplit("/", 1)[1]
    assert links(mail) == [
        "/board/dark",
        "/board/excel",
        f"/unsubscribe/{secret}?idea=dark",
        f"/unsubscribe/{secret}?idea=excel",
        f"/unsubscribe/{secret}",
    ]
    await roadmap.client.post(links(mail)[3])
    await move(roadmap, "excel", "now")
    await move(roadmap, "dark", "new")
    await wait(roadmap, 10)
    assert await notices(roadmap) == ["2 ideas moved", "“Dark” is open again."]


async def test_votes_delivered_again_tell_nobody_again(roadmap: ServiceUnderTest) -> None:
    """Whatever Kafka delivers once more while ideas are merged, moved and parted, every change is one mail."""
    ana = str((await roadmap.database.fetch("SELECT person_id FROM contacts"))[0]["person_id"])
    events = [voted("csv", ana), voted("excel", ana), voted("csv", ana)]
    await roadmap.deliver(*events)
    merged = await merge(roadmap, "csv", "excel")
    await roadmap.deliver(*reversed(events))
    await move(roadmap, "excel", "planned")
    await wait(roadmap, 10)
    await roadmap.deliver(*events)
    await wait(roadmap, 10)
    await undo(roadmap, merged)
    await roadmap.deliver(*events)
    await wait(roadmap, 10)
    assert await notices(roadmap) == ["“Excel” is planned."]
