"""Events as other systems would send them to the roadmap, with only what a test is about spelled out."""

from datetime import datetime, timedelta

from shared.contract.events import FeatureVoted, InsightTagged, KpiImpactAssessed, KpiMeasured
from shared.contract.types import Segment
from tests.support.service import START, ServiceUnderTest

LOYAL = Segment(loyalty="loyal", plan="pro", region="eu")
OTHER = Segment(loyalty="other", plan="pro", region="eu")


def voted(
    feature_id: str,
    voter_id: str,
    *,
    withdrawn: bool = False,
    hours: float = 0,
    segment: Segment = LOYAL,
    kind: str = "customer",
) -> FeatureVoted:
    """A vote some hours after the start of the test."""
    return FeatureVoted.model_validate(
        {
            "feature_id": feature_id,
            "voter_id": voter_id,
            "voter_kind": kind,
            "vote": "withdrawn" if withdrawn else "up",
            "voted_at": START + timedelta(hours=hours),
            "channel": "in-app",
            "segment": segment.model_dump(),
        }
    )


def tagged(
    insight_id: str,
    feature_id: str | None,
    participant_id: str,
    *,
    version: int = 1,
    withdrawn: bool = False,
    importance: int = 2,
    hours: float = 0,
    segment: Segment = OTHER,
) -> InsightTagged:
    """A quote that asks for a feature."""
    return InsightTagged(
        insight_id=insight_id,
        version=version,
        withdrawn=withdrawn,
        feature_id=feature_id,
        session_id="session-1",
        participant_id=participant_id,
        quote=f"I rebuild the sheet every Monday, says {participant_id}.",
        sentiment="negative",
        importance=importance,
        tagged_at=START + timedelta(hours=hours),
        segment=segment,
    )


def measured(
    kpi_id: str,
    value: float,
    *,
    day: int = 1,
    hours: float = 0,
    objective: tuple[float, float] | None = None,
    dimensions: dict[str, str] | None = None,
) -> KpiMeasured:
    """A KPI's value on a day of the test's month; `objective` is (baseline, target)."""
    begin = datetime(START.year, START.month, day, tzinfo=START.tzinfo)
    return KpiMeasured(
        kpi_id=kpi_id,
        name="Activation",
        unit="%",
        period_start=begin,
        period_end=begin + timedelta(days=1),
        value=value,
        baseline=objective[0] if objective else None,
        target=objective[1] if objective else None,
        dimensions=dimensions or {},
        measured_at=begin + timedelta(days=1, hours=hours),
    )


def assessed(feature_id: str, effect: float, *, version: int = 1, verdict: str = "improved") -> KpiImpactAssessed:
    """What a feature did to activation."""
    return KpiImpactAssessed.model_validate(
        {
            "feature_id": feature_id,
            "kpi_id": "activation",
            "version": version,
            "released_at": START,
            "effect": effect,
            "effect_low": effect - 1,
            "effect_high": effect + 1,
            "unit": "points",
            "verdict": verdict,
            "smallest_visible_effect": 0.5,
            "periods_before": 20,
            "periods_after": 8,
            "assessed_at": START,
        }
    )


async def add_idea(service: ServiceUnderTest, feature_id: str, **fields: object) -> None:
    """Add an idea through the API."""
    body = {"feature_id": feature_id, "title": feature_id.replace("-", " ").capitalize(), **fields}
    response = await service.client.post("/api/v1/ideas", json=body, headers=service.headers("researcher"))
    assert response.status_code == 201, response.text


async def supporters(service: ServiceUnderTest, feature_id: str) -> int:
    """How many people support the idea, as the database has it."""
    rows = await service.database.fetch("SELECT supporters FROM ideas WHERE feature_id = $1", feature_id)
    return int(rows[0]["supporters"])


async def counts(service: ServiceUnderTest, feature_id: str) -> dict[str, tuple[int, int, int]]:
    """Per cell: people, sum of importance, people who said one."""
    rows = await service.database.fetch(
        "SELECT * FROM support_counts WHERE feature_id = $1 AND people > 0 ORDER BY cell", feature_id
    )
    return {row["cell"]: (row["people"], row["importance_sum"], row["importance_people"]) for row in rows}


async def active(service: ServiceUnderTest) -> dict[str, int]:
    """People who took part per cell."""
    rows = await service.database.fetch("SELECT cell, people FROM active_counts WHERE people > 0 ORDER BY cell")
    return {row["cell"]: row["people"] for row in rows}


async def drift(service: ServiceUnderTest) -> list[str]:
    """Where a counter differs from what it counts; empty when all are right."""
    rows = await service.database.fetch(
        """
        SELECT 'active ' || cell AS place
          FROM (SELECT cell, count(*) AS people FROM people WHERE erased_at IS NULL GROUP BY cell) AS counted
          FULL JOIN (SELECT cell, people FROM active_counts WHERE people > 0) AS kept USING (cell, people)
         WHERE counted.cell IS NULL OR kept.cell IS NULL
        UNION ALL
        SELECT 'support ' || feature_id || ' ' || cell
          FROM (SELECT feature_id, cell, count(*) AS people, coalesce(sum(importance), 0) AS importance_sum,
                       count(importance) AS importance_people
                  FROM supporters GROUP BY feature_id, cell) AS counted
          FULL JOIN (SELECT * FROM support_counts WHERE people > 0) AS kept
               USING (feature_id, cell, people, importance_sum, importance_people)
         WHERE counted.people IS NULL OR kept.people IS NULL
        UNION ALL
        SELECT 'idea ' || ideas.feature_id FROM ideas
         WHERE supporters <> (SELECT count(*) FROM supporters AS s WHERE s.feature_id = ideas.feature_id)
        UNION ALL
        SELECT 'cell of ' || person_id FROM supporters JOIN people USING (person_id)
         WHERE supporters.cell IS DISTINCT FROM people.cell
        """
    )
    return [row["place"] for row in rows]
