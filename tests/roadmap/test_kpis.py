"""KpiMeasured and KpiImpactAssessed: what ideas are meant to move, and what they did move."""

from collections.abc import Awaitable, Callable

import pytest

from shared.contract.events import FeaturePriorityChanged
from tests.roadmap.events import add_idea, assessed, measured, voted
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """An idea that is meant to move activation and has one vote, and one that is not."""
    service = await start_service("roadmap")
    await add_idea(service, "onboarding", kpi_ids=["activation"])
    await add_idea(service, "dark-mode")
    await service.deliver(voted("onboarding", "ana"))
    return service


async def factors(roadmap: ServiceUnderTest) -> list[tuple[str, float]]:
    return [(told.feature_id, told.kpi_factor) for told in await roadmap.published(FeaturePriorityChanged)]


async def test_a_kpi_far_from_its_target_raises_its_ideas(roadmap: ServiceUnderTest) -> None:
    """Three quarters of the way still to go make the factor 1.375, for the linked idea alone."""
    await roadmap.deliver(measured("activation", 45.0, objective=(40.0, 60.0)))
    assert await factors(roadmap) == [("onboarding", 1.0), ("onboarding", 1.375)]


async def test_only_the_latest_value_of_a_batch_is_told(roadmap: ServiceUnderTest) -> None:
    """Ten days in one import, the last of them in their midst, are one change of priority."""
    days = [measured("activation", 40.0 + day, day=day, objective=(40.0, 60.0)) for day in range(1, 11)]
    await roadmap.deliver(*days[5:], *days[:5])
    assert await factors(roadmap) == [("onboarding", 1.0), ("onboarding", 1.25)]


async def test_an_older_period_or_a_repeat_changes_nothing(roadmap: ServiceUnderTest) -> None:
    """What is measured late about an earlier day is not the present value."""
    latest = roadmap.record(measured("activation", 50.0, day=5, objective=(40.0, 60.0)))
    await roadmap.deliver(latest)
    await roadmap.deliver(latest, measured("activation", 40.0, day=4))
    assert await factors(roadmap) == [("onboarding", 1.0), ("onboarding", 1.25)]


async def test_a_period_measured_again_replaces_its_value(roadmap: ServiceUnderTest) -> None:
    """A correction of the same day counts."""
    await roadmap.deliver(measured("activation", 50.0, day=5, objective=(40.0, 60.0)))
    await roadmap.deliver(measured("activation", 60.0, day=5, hours=1))
    assert await factors(roadmap) == [("onboarding", 1.0), ("onboarding", 1.25), ("onboarding", 1.0)]


async def test_a_measurement_without_an_objective_keeps_the_objective(roadmap: ServiceUnderTest) -> None:
    """Analytics may know the value and not the target, and come in any order."""
    await roadmap.deliver(measured("activation", 50.0, day=6))
    await roadmap.deliver(measured("activation", 41.0, day=5, objective=(40.0, 60.0)))
    assert await factors(roadmap) == [("onboarding", 1.0), ("onboarding", 1.25)]


async def test_a_value_of_some_customers_only_is_not_the_kpis(roadmap: ServiceUnderTest) -> None:
    """A measurement with dimensions says nothing about the whole."""
    await roadmap.deliver(measured("activation", 45.0, objective=(40.0, 60.0), dimensions={"plan": "pro"}))
    assert await factors(roadmap) == [("onboarding", 1.0)]


async def test_the_board_says_what_a_shipped_idea_changed(roadmap: ServiceUnderTest) -> None:
    """The highest version of an assessment stands on the idea's page as a sentence."""
    await roadmap.deliver(measured("activation", 45.0))
    headers = roadmap.headers("manager")
    await roadmap.client.post("/api/v1/ideas/onboarding/status", json={"status": "shipped"}, headers=headers)
    await roadmap.deliver(assessed("onboarding", 4.1, version=2), assessed("onboarding", 9.0, version=1))
    page = (await roadmap.client.get("/board/onboarding")).text
    assert "Activation improved: +4.1 points (95% interval +3.1 to +5.1)." in page
    await roadmap.deliver(assessed("onboarding", 0.1, version=3, verdict="no_visible_change"))
    page = (await roadmap.client.get("/board/onboarding")).text
    assert "Activation shows no visible change. A change of 0.50 points or more would have shown." in page


async def test_an_assessment_may_come_before_its_idea(roadmap: ServiceUnderTest) -> None:
    """An impact on an idea nobody knows yet is kept until the idea is there."""
    outcome = await roadmap.deliver(assessed("search", 1.0))
    assert outcome.refused == []
    await add_idea(roadmap, "search", status="shipped")
    assert "Activation improved" in (await roadmap.client.get("/board/search")).text
