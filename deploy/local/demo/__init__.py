"""The loop once, on a demo study, through the same doors as everybody: Kafka and HTTP.

Every step is safe to repeat: what is there already is found and shown, nothing is added twice.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.local.demo import story
from deploy.local.demo.doors import Doors
from deploy.local.errors import Fault, Say
from deploy.local.installation import Installation
from deploy.local.preparing import kafka_settings
from deploy.local.probe import is_healthy
from shared.runtime.settings import KafkaSettings

Json = dict[str, Any]


def play(installation: Installation, say: Say) -> None:
    """Run the demo against the running platform, saying each step.

    Raises:
        Fault: the platform does not run, or a step failed.
    """
    if not is_healthy(installation.gateway_url):
        raise Fault(f"Nothing answers at {installation.gateway_url}; run `earshot up` first.")
    token = installation.token(subject="demo", role="admin", lifetime=timedelta(hours=1))
    kafka = kafka_settings(installation.bootstrap, prefix=installation.topic_prefix)
    asyncio.run(run_demo(say, gateway_url=installation.gateway_url, token=token, kafka=kafka))
    if installation.home.is_ours:
        _mark(installation).touch()


def was_played(installation: Installation) -> bool:
    """Whether this local installation has had its demo."""
    return _mark(installation).exists()


def _mark(installation: Installation) -> Path:
    return installation.home.run / "demo.done"


async def run_demo(say: Say, *, gateway_url: str, token: str, kafka: KafkaSettings) -> None:
    """Run the loop and say each step as it happens.

    Raises:
        Fault: a service refused a step or did not get to it in time; the message says which.
    """
    async with Doors(gateway_url, token, kafka) as doors:
        say("The loop on a demo study (invented people and numbers):")
        now = datetime.now(UTC)
        await _set_the_stage(doors)
        interview = await _request_an_interview(doors, say, now)
        await _interview(doors, say, interview)
        await _tag_quotes(doors, say)
        await _vote(doors, say, now)
        released = await _ship(doors, say, now)
        await _measure(doors, say, released)
        await _tell(doors, say)


async def _set_the_stage(doors: Doors) -> None:
    await doors.post("/scheduling/api/v1/studies", story.STUDY_BODY)
    await doors.post("/scheduling/api/v1/hosts", story.HOST_BODY)
    await doors.post("/kpi/api/v1/kpis", story.KPI_BODY)
    for idea in story.IDEAS:
        await doors.post("/roadmap/api/v1/ideas", idea)


async def _request_an_interview(doors: Doors, say: Say, now: datetime) -> Json:
    await doors.publish("DemoRequested", story.demo_requested(now), event_id=story.REQUEST)
    say("  request     DemoRequested from the website, over Kafka: Mara Lind of Lind & Co, two wishes for a time")
    request = await doors.wait(
        f"/scheduling/api/v1/requests/{story.REQUEST}", lambda found: found["interview"], what="a booked interview"
    )
    interview: Json = request["interview"]
    starts = datetime.fromisoformat(interview["starts_at"])
    say(f"  interview   booked for {starts:%a %d %b %Y, %H:%M} UTC with {story.HOST_BODY['name']}")
    return interview


async def _interview(doors: Doors, say: Say, interview: Json) -> None:
    sessions = await doors.wait(
        "/sessions/api/v1/sessions?limit=1000",
        lambda found: [one for one in found if one["interview_id"] == interview["interview_id"]],
        what="the planned session",
    )
    [session] = [one for one in sessions if one["interview_id"] == interview["interview_id"]]
    path = f"/sessions/api/v1/sessions/{session['session_id']}"
    if session["state"] != "completed":
        await doors.post(f"{path}/start", {})
        await doors.upload(f"{path}/transcript?moderator={story.MODERATOR}", story.TRANSCRIPT, "text/vtt")
        session = await doors.post(f"{path}/complete", {"moderator": story.MODERATOR})
    share = session["listening"]["moderator_talk_share"]
    say(f"  session     transcript attached, completed; the moderator talked {share:.0%} of the time")
    doors.session_id = session["session_id"]


async def _tag_quotes(doors: Doors, say: Say) -> None:
    await doors.wait(f"/insights/api/v1/sessions/{doors.session_id}", bool, what="the session among the insights")
    before = await _priority(doors)
    for insight in story.QUOTES:
        await doors.post("/insights/api/v1/insights", insight | {"session_id": doors.session_id})
        say(f"  insight     “{insight['quote']}” ({insight['sentiment']}, importance {insight['importance']})")
    after = await _moved(doors, lambda found: found["impact"] > 1, what="the insights to count")
    say(f"  priority    {_title()}: {before['score']:.3f} → {after['score']:.3f} (impact {after['impact']:.2f})")


async def _vote(doors: Doors, say: Say, now: datetime) -> None:
    before, people = await _priority(doors), len(story.VOTERS)
    summary = f"/roadmap/api/v1/ideas/{story.FEATURE}/votes/summary"
    is_first = (await doors.get(summary))["up"] < people
    for voter in story.VOTERS:
        vote = {
            "feature_id": story.FEATURE,
            "voter_id": voter,
            "voted_at": now.isoformat(),
            "channel": "in-app",
            "segment": story.SEGMENT,
        }
        await doors.publish("FeatureVoted", vote, event_id=f"vote-{voter}")
    if is_first:  # else the visitor was there at an earlier demo
        await doors.vote_on_the_board(story.FEATURE)
    await doors.wait(summary, lambda found: found["up"] >= people, what="the votes to count")
    after = await _priority(doors)
    counted = f"{people} over Kafka, and 1 on the public board that counts when its visitor confirms it"
    say(f"  votes       {counted}: {before['score']:.3f} → {after['score']:.3f}")


async def _ship(doors: Doors, say: Say, now: datetime) -> datetime:
    idea = await doors.get(f"/roadmap/api/v1/ideas/{story.FEATURE}")
    if idea["status"] != "shipped":
        body = {"status": "shipped", "released_at": story.released_at(now).isoformat()}
        idea = await doors.post(f"/roadmap/api/v1/ideas/{story.FEATURE}/status", body)
    released = datetime.fromisoformat(idea["released_at"])
    say(f"  shipped     {_title()}, dated {released:%d %b %Y}, since the demo cannot wait ten weeks for the effect")
    await doors.wait(
        "/kpi/api/v1/releases",
        lambda found: [one for one in found if one["feature_id"] == story.FEATURE],
        what="the release among the KPIs",
    )
    return released


async def _measure(doors: Doors, say: Say, released: datetime) -> None:
    weeks = story.satisfaction(released)
    for week in weeks:
        data = week | {"kpi_id": story.KPI, "name": story.KPI_BODY["name"], "unit": "points"}
        data |= {"measured_at": week["period_end"]}
        await doors.publish("KpiMeasured", data, event_id=f"{story.KPI}-{week['period_start'][:10]}")
    say(f"  KPI         {len(weeks)} weekly measurements of satisfaction, from the analytics system over Kafka")
    query = f"/kpi/api/v1/assessments?feature_id={story.FEATURE}&kpi_id={story.KPI}"
    [found] = await doors.wait(
        query, lambda all_: all_ and all_[0]["periods_after"] == story.WEEKS_AFTER, what="the impact assessment"
    )
    say(
        f"  effect      {found['effect']:+.1f} points, 95 % interval {found['effect_low']:+.1f} to "
        f"{found['effect_high']:+.1f}: {found['verdict'].replace('_', ' ')}"
    )


async def _tell(doors: Doors, say: Say) -> None:
    notices = await doors.wait(
        "/scheduling/api/v1/notices?limit=1000",
        lambda found: [one for one in found if one["feature_id"] == story.FEATURE and one["status"] == "shipped"],
        what="the list of whom to tell",
    )
    names = sorted({one["name"] for one in notices if one["feature_id"] == story.FEATURE})
    say(f"  tell        {', '.join(names)} asked for it and should hear that it is there")


async def _priority(doors: Doors) -> Json:
    found: Json = await doors.get(f"/roadmap/api/v1/ideas/{story.FEATURE}/priority")
    return found


async def _moved(doors: Doors, enough: Callable[[Json], bool], *, what: str) -> Json:
    found: Json = await doors.wait(f"/roadmap/api/v1/ideas/{story.FEATURE}/priority", enough, what=what)
    return found


def _title() -> str:
    return str(story.IDEAS[0]["title"])
