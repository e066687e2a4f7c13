"""A service with one rule, to see what the runtime does with events whatever they mean."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from fastapi import APIRouter, Request

from services import PUBLIC_EVERYWHERE
from shared.contract.events import FeatureVoted, KpiImpactAssessed, KpiMeasured
from shared.contract.types import UtcTime
from shared.runtime import Body, Handlers, Received, Rejected, Researcher, Service, Transaction, Tx, Viewer


class Thing(Body):
    """One field of each kind that JSON and Python write differently."""

    count: int = 1
    share: float = 0.5
    is_big: bool = False
    name: str = "thing"
    seen_at: UtcTime | None = None
    bought_on: date | None = None
    identifier: UUID | None = None
    parts: tuple["Thing", ...] = ()


def tiny_service() -> Service:
    """Publishes one KpiImpactAssessed for every KpiMeasured; negative values are against its rules, 666 breaks it."""
    handlers = Handlers()
    router = APIRouter(prefix="/api/v1")

    @handlers.on(KpiMeasured)
    async def assess(tx: Transaction, event: Received[KpiMeasured]) -> None:
        if event.data.value == 666:
            raise ZeroDivisionError("a fault in the handler")
        await tx.publish(assessment(event.data))
        if event.data.value < 0:
            raise Rejected("value must not be negative; send what was measured")

    @handlers.on_batch(FeatureVoted)
    async def count(tx: Transaction, events: Sequence[Received[FeatureVoted]]) -> None:
        await tx.publish(*(voted(event.data) for event in events))

    @router.get("/things")
    async def things(_tx: Tx, _who: Viewer) -> list[str]:
        return []

    @router.post("/things")
    async def add(_tx: Tx, _who: Researcher, body: Thing | None = None) -> dict[str, str]:
        return {"added": body.name if body else "nothing"}

    @router.post("/raw")
    async def raw(_tx: Tx, _who: Researcher, request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/open")
    async def open_to_all() -> dict[str, str]:
        return {"open": "yes"}

    @router.get("/broken")
    async def broken(_who: Viewer) -> None:
        raise ZeroDivisionError("a fault in the endpoint")

    return Service(
        name="kpi",
        summary="A service for tests.",
        handlers=handlers,
        routers=(router,),
        public=PUBLIC_EVERYWHERE | {"GET /api/v1/open"},
    )


def assessment(measured: KpiMeasured) -> KpiImpactAssessed:
    return KpiImpactAssessed(
        feature_id=measured.kpi_id,
        kpi_id=measured.kpi_id,
        version=1,
        released_at=measured.period_start,
        effect=measured.value,
        effect_low=measured.value,
        effect_high=measured.value,
        verdict="cannot_tell",
        periods_before=0,
        periods_after=0,
        assessed_at=measured.measured_at,
    )


def voted(vote: FeatureVoted) -> KpiImpactAssessed:
    return KpiImpactAssessed(
        feature_id=vote.feature_id,
        kpi_id="votes",
        version=1,
        released_at=vote.voted_at,
        effect=1,
        effect_low=1,
        effect_high=1,
        verdict="cannot_tell",
        periods_before=0,
        periods_after=0,
        assessed_at=vote.voted_at,
    )
