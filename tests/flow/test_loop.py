"""From a demo request to a measured effect, over Kafka and HTTP, with a client that is not ours."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from tests.flow.loop import Loop, Outside
from tests.support.platform import Platform

pytestmark = pytest.mark.xdist_group("platform")


@pytest.fixture
async def outside(platform: Platform) -> AsyncIterator[Outside]:
    made = Outside(platform)
    yield made
    await made.close()


async def test_one_request_goes_all_the_way_round(outside: Outside) -> None:
    """A foreign client's DemoRequested can be followed by its ids to a KPI effect with an interval."""
    loop = Loop(outside)
    await loop.prepare()
    loop.ask_for_a_demo()
    await loop.interview_is_booked()
    await loop.hold_the_interview()
    untouched = (await loop.priority())["score"]
    await loop.tag_a_quote()
    tagged = (await loop.priority_when(lambda found: found["score"] > untouched))["score"]
    loop.vote_over_kafka(5)
    voted = (await loop.priority_when(lambda found: found["raw_votes"] == 6))["score"]
    await loop.vote_on_the_board()
    await loop.confirm_the_vote()
    boarded = (await loop.priority_when(lambda found: found["raw_votes"] == 7))["score"]
    assert untouched < tagged < voted < boarded
    await loop.ship()
    loop.measure()
    effect = await loop.effect()
    [notice] = await loop.notices()

    assert effect["effect_low"] < 6 < effect["effect_high"]
    assert effect["effect"] == pytest.approx(6, abs=1)
    assert effect["verdict"] == "improved"
    assert notice["email"] == f"mara-{outside.run}@customer.example"
    page = await outside.visitor.get(f"/roadmap/board/{loop.feature}", headers={"Accept": "text/html"})
    assert f"Kpi {outside.run}" in page.text

    events = {event.name: event for event in outside.log()}
    participant = notice["participant_id"]
    chain = [
        ("DemoRequested", "request_id", loop.request),
        ("InterviewScheduled", "request_id", loop.request),
        ("SessionCompleted", "interview_id", events["InterviewScheduled"].data["interview_id"]),
        ("InsightTagged", "session_id", events["SessionCompleted"].data["session_id"]),
        ("FeaturePriorityChanged", "feature_id", events["InsightTagged"].data["feature_id"]),
        ("FeatureStatusChanged", "feature_id", loop.feature),
        ("KpiImpactAssessed", "feature_id", loop.feature),
    ]
    assert [(name, events[name].data[field]) for name, field, _ in chain] == [(name, value) for name, _, value in chain]
    assert events["FeatureStatusChanged"].data["asked_by"] == [participant]
    assert events["InterviewScheduled"].correlation == outside.name("e-request")
    assert events["InterviewScheduled"].cause == outside.name("e-request")
    assert "mara" not in str([e.data for name, e in events.items() if name != "DemoRequested"]).lower()


async def test_services_killed_on_the_way_lose_and_double_nothing(outside: Outside, platform: Platform) -> None:
    """With every service killed -9 in the middle of the flow and started again, it completes, once."""
    before = _dead_letters(platform)
    loop = Loop(outside)
    await loop.prepare()
    loop.ask_for_a_demo()
    platform.kill("scheduling")
    await platform.up("--no-demo")
    await loop.interview_is_booked()
    platform.kill("sessions")
    await platform.up("--no-demo")
    await loop.hold_the_interview()
    platform.kill("insights")
    await platform.up("--no-demo")
    await loop.tag_a_quote()
    loop.vote_over_kafka(5)
    platform.kill("roadmap")
    await platform.up("--no-demo")
    await loop.priority_when(lambda found: found["raw_votes"] == 6)
    await loop.ship()
    loop.measure()
    platform.kill("kpi")
    await platform.up("--no-demo")
    effect = await loop.effect()
    assert effect["verdict"] == "improved"
    assert len(await loop.notices()) == 1

    log = outside.log()
    ids = Counter((event.name, event.id) for event in log)
    names = Counter(name for name, _ in ids)
    once = ("InterviewScheduled", "SessionCompleted", "InsightTagged")
    assert {name: names[name] for name in once} == dict.fromkeys(once, 1)
    assert names["FeatureStatusChanged"] == 2  # new, shipped
    assert _dead_letters(platform) == before


def _dead_letters(platform: Platform) -> dict[str, int]:
    return {name: service["dead_letters"] for name, service in platform.status()["services"].items()}


async def test_the_platform_says_how_it_is(platform: Platform) -> None:
    """`status --json` has the fields that other programs rely on."""
    status = platform.status()
    assert list(status) == ["broker", "database", "gateway", "services"]
    assert set(status["broker"]) == {"address", "pid"}
    assert set(status["database"]) == {"host", "port", "name", "pid"}
    assert set(status["gateway"]) == {"url", "pid"}
    assert list(status["services"]) == ["scheduling", "sessions", "insights", "roadmap", "kpi", "webhooks"]
    for service in status["services"].values():
        assert set(service) == {"url", "pid", "ready", "lag", "outbox", "dead_letters"}
        assert service["ready"] is True
