"""What events do to KPIs: once, in any order, however late."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import permutations

import pytest

from shared.contract.events import KpiImpactAssessed, ParticipantErased
from tests.kpi.examples import FIRST, HIGHER, QUIET, RELEASED, WEEK, measured, shipped, tagged, weeks
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def kpi(start_service: Start) -> ServiceUnderTest:
    return await start_service("kpi")


async def values(kpi: ServiceUnderTest, kpi_id: str = "csat") -> list[float]:
    """Of the whole, in period order."""
    rows = await kpi.database.fetch(
        "SELECT value FROM measurements WHERE kpi_id = $1 AND dimensions_key = '' ORDER BY period_start", kpi_id
    )
    return [row["value"] for row in rows]


async def people(kpi: ServiceUnderTest) -> int:
    answer = await kpi.client.get("/api/v1/releases", headers=kpi.headers("viewer"))
    return int(answer.json()[0]["interviewees"])


async def holding(kpi: ServiceUnderTest) -> list[tuple[str, str, int]]:
    answer = await kpi.client.get("/api/v1/assessments", headers=kpi.headers("viewer"))
    return [(one["feature_id"], one["kpi_id"], one["version"]) for one in answer.json()]


async def reasons(kpi: ServiceUnderTest) -> list[str]:
    rows = await kpi.database.fetch("SELECT reason FROM dead_letters")
    return [row["reason"] for row in rows]


async def test_an_unknown_kpi_is_created_as_it_is_described(kpi: ServiceUnderTest) -> None:
    """The first measurement of a KPI creates it with name, unit, direction and objective."""
    await kpi.deliver(measured(0, 5, "churn", name="Churn", higher_is_better=False, baseline=5, target=3))
    answer = await kpi.client.get("/api/v1/kpis/churn", headers=kpi.headers("viewer"))
    assert answer.json() == {
        "kpi_id": "churn",
        "name": "Churn",
        "unit": "%",
        "higher_is_better": False,
        "objective": {"baseline": 5.0, "target": 3.0, "by": None},
        "defined": False,
        "created_at": "2025-08-12T00:00:00Z",
    }


async def test_one_batch_says_what_several_would(kpi: ServiceUnderTest) -> None:
    """Name, unit and objective of an unknown KPI are those said first, also when all come in one batch."""
    await kpi.deliver(
        measured(0, 70, name=None, unit=None),
        measured(1, 71, name="CSAT", unit="%", baseline=70, target=80),
        measured(2, 72, name="Other", unit="points", baseline=1, target=2),
    )
    answer = (await kpi.client.get("/api/v1/kpis/csat", headers=kpi.headers("viewer"))).json()
    assert (answer["name"], answer["unit"]) == ("CSAT", "%")
    assert answer["objective"] == {"baseline": 70.0, "target": 80.0, "by": None}


async def test_what_nobody_said_yet_is_filled_in(kpi: ServiceUnderTest) -> None:
    """A later measurement fills in a missing name, unit and objective, and changes none that is there."""
    await kpi.deliver(measured(0, 70, name=None, unit=None))
    await kpi.deliver(measured(1, 71, name="CSAT", unit="%", baseline=70, target=80))
    await kpi.deliver(measured(2, 72, name="Other", unit="points", baseline=1, target=2))
    answer = (await kpi.client.get("/api/v1/kpis/csat", headers=kpi.headers("viewer"))).json()
    assert (answer["name"], answer["unit"]) == ("CSAT", "%")
    assert answer["objective"] == {"baseline": 70.0, "target": 80.0, "by": None}


async def test_a_senseless_objective_does_not_cost_the_measurement(kpi: ServiceUnderTest) -> None:
    """A measurement whose objective asks for no improvement is stored without the objective."""
    await kpi.deliver(measured(0, 70, baseline=80, target=80), measured(0, 70, "nps", baseline=9, target=1))
    answers = (await kpi.client.get("/api/v1/kpis", headers=kpi.headers("viewer"))).json()
    assert [answer["objective"] for answer in answers] == [None, None]
    assert await values(kpi) == [70]


async def test_repeated_measurements_change_nothing(kpi: ServiceUnderTest) -> None:
    """The same measurement under the same or another event id is stored once."""
    event = measured(0, 70)
    await kpi.deliver(event, event)
    await kpi.deliver(kpi.record(event, event_id="a"), kpi.record(event, event_id="a"))
    assert await values(kpi) == [70]


@pytest.mark.parametrize("together", [True, False])
async def test_every_order_ends_with_the_same_measurement(kpi: ServiceUnderTest, *, together: bool) -> None:
    """Corrections and ties arriving in any order, in one batch or several, leave the same value."""
    first = FIRST + WEEK
    versions = [
        measured(0, 69, measured_at=first),
        measured(0, 71, measured_at=first + timedelta(hours=2)),
        measured(0, 70, measured_at=first + timedelta(hours=2)),
        measured(0, 99, measured_at=first + timedelta(hours=1)),
    ]
    for place, order in enumerate(permutations(versions)):
        events = [event.model_copy(update={"kpi_id": f"k{place}"}) for event in order]
        if together:
            await kpi.deliver(*events)
        else:
            for event in events:
                await kpi.deliver(event)
    assert [await values(kpi, f"k{place}") for place in range(24)] == [[71.0]] * 24


async def test_a_later_confirmation_outranks_what_was_measured_in_between(kpi: ServiceUnderTest) -> None:
    """A value confirmed later holds against a different one measured before the confirmation and delivered after it."""
    first = FIRST + WEEK
    await kpi.deliver(measured(0, 70, measured_at=first))
    await kpi.deliver(measured(0, 70, measured_at=first + timedelta(hours=2)))
    await kpi.deliver(measured(0, 99, measured_at=first + timedelta(hours=1)))
    assert await values(kpi) == [70]


async def test_parts_stand_beside_the_whole(kpi: ServiceUnderTest) -> None:
    """Measurements with dimensions are kept and never assessed."""
    long = {f"dimension {n} " + "ü" * 280: "x" * 300 for n in range(10)}
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER, dimensions={"plan": "team"}), measured(0, 1, dimensions=long))
    assert await values(kpi) == []
    answer = await kpi.client.get("/api/v1/kpis/csat/measurements", headers=kpi.headers("viewer"))
    assert len(answer.json()) == 29
    assert await kpi.published(KpiImpactAssessed) == []


@pytest.mark.parametrize("order", ["release first", "release last", "all in one batch", "one by one, backwards"])
async def test_a_release_is_assessed_whatever_comes_first(kpi: ServiceUnderTest, order: str) -> None:
    """Release and measurements lead to the same assessment in every order of arrival."""
    series = weeks(QUIET + HIGHER)
    if order == "release first":
        await kpi.deliver(shipped())
        await kpi.deliver(*series)
    elif order == "release last":
        await kpi.deliver(*series)
        await kpi.deliver(shipped())
    elif order == "all in one batch":
        await kpi.deliver(*series, shipped())
    else:
        await kpi.deliver(shipped())
        for event in reversed(series):
            await kpi.deliver(event)
    told = (await kpi.published(KpiImpactAssessed))[-1]
    assert (told.feature_id, told.kpi_id, told.verdict, told.unit) == ("export", "csat", "improved", "%")
    assert told.effect == pytest.approx(4.9, abs=0.3)
    assert told.effect_low < told.effect < told.effect_high
    assert (told.periods_before, told.periods_after) == (20, 8)
    assert (told.released_at, told.assessed_at) == (RELEASED, START)


async def test_what_comes_at_the_same_moment_is_seen(kpi: ServiceUnderTest) -> None:
    """A release and the last measurements handled at once, by two instances, still meet."""
    for n in range(5):
        name, feature = f"k{n}", f"f{n}"
        await asyncio.gather(
            kpi.deliver(*weeks(QUIET + HIGHER, kpi_id=name)), kpi.deliver(shipped(feature, kpi_ids=(name,)))
        )
    assert await holding(kpi) == [(f"f{n}", f"k{n}", 1) for n in range(5)]


async def test_only_news_is_told(kpi: ServiceUnderTest) -> None:
    """The same data assessed again publish nothing; a new week publishes the next version."""
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER))
    await kpi.deliver(*weeks(QUIET + HIGHER))
    await kpi.deliver(*weeks(QUIET + HIGHER, measured_at=START))
    await kpi.deliver(shipped(version=2, title="Export, renewed"))
    assert [told.version for told in await kpi.published(KpiImpactAssessed)] == [1]
    await kpi.deliver(measured(28, 75.2))
    told = await kpi.published(KpiImpactAssessed)
    assert [(one.version, one.periods_after) for one in told] == [(1, 8), (2, 9)]
    assert await holding(kpi) == [("export", "csat", 2)]


async def test_one_batch_is_assessed_once(kpi: ServiceUnderTest) -> None:
    """Measurements of one batch are assessed together, once for each feature and KPI."""
    await kpi.deliver(shipped(kpi_ids=("csat", "nps")), shipped("search", title="Search"))
    await kpi.deliver(*weeks(QUIET + HIGHER), *weeks(QUIET + HIGHER, kpi_id="nps", unit="points"))
    told = await kpi.published(KpiImpactAssessed)
    assert sorted((one.feature_id, one.kpi_id, one.version) for one in told) == [
        ("export", "csat", 1),
        ("export", "nps", 1),
        ("search", "csat", 1),
    ]


async def test_an_assessment_names_its_cause(kpi: ServiceUnderTest) -> None:
    """What is told carries the measurement that led to it as its cause."""
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER[:-1]))
    await kpi.deliver(kpi.record(measured(27, 74.8), event_id="last-week"))
    rows = await kpi.database.fetch("SELECT headers ->> 'causationid' AS cause FROM outbox ORDER BY seq DESC LIMIT 1")
    assert rows[0]["cause"] == "last-week"


async def test_too_early_tells_nothing(kpi: ServiceUnderTest) -> None:
    """Two weeks after the release nothing is said yet."""
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER[:2]))
    assert await kpi.published(KpiImpactAssessed) == []


async def test_a_release_without_kpis_is_assessed_against_none(kpi: ServiceUnderTest) -> None:
    """A feature that names no KPI, or an unknown one, is a release and no more."""
    await kpi.deliver(*weeks(QUIET + HIGHER))
    await kpi.deliver(shipped(kpi_ids=()), shipped("search", kpi_ids=("unknown",)))
    answer = await kpi.client.get("/api/v1/releases", headers=kpi.headers("viewer"))
    assert [one["feature_id"] for one in answer.json()] == ["export", "search"]
    assert await kpi.published(KpiImpactAssessed) == []


async def test_what_leaves_shipped_is_no_release_any_more(kpi: ServiceUnderTest) -> None:
    """A feature taken back loses its assessment; released again on another day it is told with the next version."""
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER))
    await kpi.deliver(shipped(version=2, status="planned", released_at=None))
    assert (await kpi.client.get("/api/v1/releases", headers=kpi.headers("viewer"))).json() == []
    assert await holding(kpi) == []
    await kpi.deliver(shipped(version=3, released_at=RELEASED + WEEK))
    told = await kpi.published(KpiImpactAssessed)
    assert [(one.version, one.released_at) for one in told] == [(1, RELEASED), (2, RELEASED + WEEK)]
    assert await holding(kpi) == [("export", "csat", 2)]


async def test_a_kpi_taken_off_a_feature_loses_its_assessment(kpi: ServiceUnderTest) -> None:
    """When a feature is no longer meant to move a KPI, what it did to it is not shown any more."""
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER))
    await kpi.deliver(shipped(version=2, kpi_ids=("nps",)))
    assert await holding(kpi) == []


async def test_stale_status_changes_nothing(kpi: ServiceUnderTest) -> None:
    """An older version that comes later neither releases nor withdraws a feature."""
    await kpi.deliver(shipped(version=3), *weeks(QUIET + HIGHER))
    await kpi.deliver(shipped(version=2, status="planned", released_at=None))
    assert await holding(kpi) == [("export", "csat", 1)]
    await kpi.deliver(shipped("search", version=5, status="declined", released_at=None), shipped("search", version=4))
    answer = await kpi.client.get("/api/v1/releases", headers=kpi.headers("viewer"))
    assert [one["feature_id"] for one in answer.json()] == ["export"]


async def test_a_second_release_corrects_the_first(kpi: ServiceUnderTest) -> None:
    """When another release comes between, the first is judged anew, by the weeks before the second alone."""
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER))
    await kpi.deliver(shipped("search", released_at=RELEASED + 4 * WEEK))
    told = await kpi.published(KpiImpactAssessed)
    assert [(one.feature_id, one.version, one.periods_after) for one in told] == [
        ("export", 1, 8),
        ("export", 2, 4),
        ("search", 1, 4),
    ]


async def test_evidence_counts_people_once(kpi: ServiceUnderTest) -> None:
    """Several insights of one person count one interviewee; repeated, stale and withdrawn ones do not count."""
    await kpi.deliver(shipped())
    await kpi.deliver(tagged("i1", "p1"), tagged("i2", "p1"), tagged("i3", "p2"), tagged("i3", "p2"))
    assert await people(kpi) == 2
    await kpi.deliver(tagged("i3", "p2", version=3, withdrawn=True), tagged("i3", "p2", version=2))
    assert await people(kpi) == 1
    await kpi.deliver(tagged("i4", "p4", feature_id=None), tagged("i5", "p5", feature_id="search"))
    assert await people(kpi) == 1


async def test_an_insight_moves_to_another_feature(kpi: ServiceUnderTest) -> None:
    """A newer version with another feature takes the person's word away from the first one."""
    await kpi.deliver(tagged("i1", "p1", version=2, feature_id="search"), tagged("i1", "p1"), shipped())
    assert await people(kpi) == 0


async def test_an_erased_person_is_forgotten(kpi: ServiceUnderTest) -> None:
    """Erasure removes a person from the evidence; a late or replayed insight does not bring them back."""
    await kpi.deliver(shipped(), tagged("i1", "p1"), tagged("i2", "p2"))
    erased = ParticipantErased(participant_id="p1", erased_at=START)
    await kpi.deliver(erased)
    await kpi.deliver(erased, tagged("i1", "p1", version=2), tagged("i9", "p1"))
    assert await people(kpi) == 1
    rows = await kpi.database.fetch("SELECT row_to_json(evidence)::text AS row FROM evidence")
    assert [("p1" in row["row"]) for row in rows] == [False]


async def test_an_erasure_may_come_first(kpi: ServiceUnderTest) -> None:
    """An insight of a person erased before it came is not stored."""
    await kpi.deliver(ParticipantErased(participant_id="p1", erased_at=START))
    await kpi.deliver(tagged("i1", "p1"), shipped())
    assert await people(kpi) == 0


async def test_an_impossible_value_is_kept_aside(kpi: ServiceUnderTest) -> None:
    """A value beyond calculation and a sample beyond counting become dead letters; what came with them is stored."""
    await kpi.deliver(measured(0, 1e308), measured(1, 71, sample_size=10**30), measured(2, 72))
    assert await values(kpi) == [72]
    kept = sorted(await reasons(kpi))
    assert kept[0].startswith(
        "sample_size is a number of more than 30 digits; the largest whole number that can be kept"
    )
    assert kept[1] == "the value of KPI 'csat', 1e+308, is larger than 1e100; check its unit"


async def test_hostile_texts_are_only_texts(kpi: ServiceUnderTest) -> None:
    """Markup, emoji, right-to-left text and the longest allowed name are stored as they are."""
    names = ["<script>alert(1)</script>", "😀 رضا العملاء", "n" * 300]
    await kpi.deliver(*(measured(0, 1, f"k{place}", name=name) for place, name in enumerate(names)))
    answers = (await kpi.client.get("/api/v1/kpis", headers=kpi.headers("viewer"))).json()
    assert sorted(answer["name"] for answer in answers) == sorted(names)


async def test_a_constant_kpi_can_be_assessed(kpi: ServiceUnderTest) -> None:
    """A KPI that never moved, and one that then jumped, have an answer."""
    await kpi.deliver(shipped(kpi_ids=("still", "jump")))
    await kpi.deliver(*weeks([70] * 28, kpi_id="still"), *weeks([70] * 20 + [75] * 8, kpi_id="jump"))
    told = {one.kpi_id: one.verdict for one in await kpi.published(KpiImpactAssessed)}
    assert told == {"still": "no_visible_change", "jump": "improved"}


async def test_a_measurement_is_known_by_what_was_measured(kpi: ServiceUnderTest) -> None:
    """The same measurement told by two systems is one."""
    event = measured(0, 70)
    await kpi.deliver(kpi.record(event, source="/billing"), kpi.record(event, source="/analytics"))
    assert await values(kpi) == [70]
