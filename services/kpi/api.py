"""The JSON endpoints: KPIs, objectives, measurements, releases and what they did."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.kpi import measuring, rows
from services.kpi.kpis import Kpi, Measurement, Objective
from services.kpi.schemas import (
    AssessmentAnswer,
    KpiAnswer,
    MeasurementAnswer,
    NewKpi,
    NewMeasurement,
    NewObjective,
    RecordedAnswer,
    ReleaseAnswer,
)
from services.kpi.store import features, impacts, kpis, measurements
from shared.contract.types import Id
from shared.runtime import Limit, Problem, Researcher, Tx, Viewer, known_already, unprocessable

router = APIRouter(prefix="/api/v1")

CSV_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}},
}


@router.get("/kpis", tags=["KPIs"], summary="KPIs, by name")
async def list_kpis(tx: Tx, _who: Viewer, limit: Limit = 100) -> Sequence[KpiAnswer]:
    return [KpiAnswer.model_validate(kpi) for kpi in await kpis.list_all(tx.connection, limit)]


@router.post("/kpis", tags=["KPIs"], summary="Define a KPI", status_code=201, responses=known_already(KpiAnswer))
async def add_kpi(body: NewKpi, response: Response, tx: Tx, _who: Researcher) -> KpiAnswer:
    wanted = Kpi(
        kpi_id=body.kpi_id or str(uuid4()),
        created_at=tx.now,
        name=body.name,
        unit=body.unit,
        higher_is_better=body.higher_is_better,
    )
    kpi, new = await measuring.define(tx, wanted)
    response.status_code = 201 if new else 200
    return KpiAnswer.model_validate(kpi)


@router.get("/kpis/{kpi_id}", tags=["KPIs"], summary="One KPI")
async def get_kpi(kpi_id: Id, tx: Tx, _who: Viewer) -> KpiAnswer:
    return KpiAnswer.model_validate(await measuring.find(tx, kpi_id))


@router.put("/kpis/{kpi_id}/objective", tags=["KPIs"], summary="Set what the KPI shall reach, and by when")
async def put_objective(kpi_id: Id, body: NewObjective, tx: Tx, _who: Researcher) -> KpiAnswer:
    objective = Objective(body.baseline, body.target, body.by)
    return KpiAnswer.model_validate(await measuring.set_objective(tx, kpi_id, objective))


@router.get("/kpis/{kpi_id}/measurements", tags=["measurements"], summary="A KPI's measurements, latest period first")
async def list_measurements(kpi_id: Id, tx: Tx, _who: Viewer, limit: Limit = 100) -> Sequence[MeasurementAnswer]:
    await measuring.find(tx, kpi_id)
    return [MeasurementAnswer.model_validate(one) for one in await measurements.list_of(tx.connection, kpi_id, limit)]


@router.post("/kpis/{kpi_id}/measurements", tags=["measurements"], summary="Add or correct measurements")
async def add_measurements(
    kpi_id: Id, body: Annotated[list[NewMeasurement], Field(min_length=1, max_length=1000)], tx: Tx, _who: Researcher
) -> RecordedAnswer:
    given = [
        Measurement(
            kpi_id=kpi_id,
            period_start=one.period_start,
            period_end=one.period_end,
            value=one.value,
            measured_at=tx.now,
            sample_size=one.sample_size,
            dimensions=one.dimensions,
        )
        for one in body
    ]
    return RecordedAnswer.model_validate(await measuring.record(tx, kpi_id, given))


@router.post(
    "/kpis/{kpi_id}/measurements/csv",
    tags=["measurements"],
    summary="Upload measurements: period_start,period_end,value[,sample_size]; all or nothing",
    openapi_extra=CSV_BODY,
)
async def upload_measurements(kpi_id: Id, request: Request, tx: Tx, _who: Researcher) -> RecordedAnswer:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "text/csv":
        raise Problem(415, "Not a CSV file", f"The Content-Type is {media_type!r}; send text/csv.")
    try:
        return RecordedAnswer.model_validate(await measuring.record_file(tx, kpi_id, await request.body()))
    except rows.BadFile as bad:
        raise unprocessable(str(bad)) from None


@router.get("/releases", tags=["releases"], summary="Released features, latest first")
async def list_releases(tx: Tx, _who: Viewer, limit: Limit = 100) -> Sequence[ReleaseAnswer]:
    return [ReleaseAnswer.model_validate(release) for release in await features.releases(tx.connection, limit)]


@router.get("/assessments", tags=["releases"], summary="What releases did to KPIs, latest release first")
async def list_assessments(
    tx: Tx, _who: Viewer, feature_id: Id | None = None, kpi_id: Id | None = None, limit: Limit = 100
) -> Sequence[AssessmentAnswer]:
    found = await impacts.list_holding(
        tx.connection,
        limit,
        feature_ids=[feature_id] if feature_id else None,
        kpi_ids=[kpi_id] if kpi_id else None,
    )
    return [AssessmentAnswer.of(assessed) for assessed in found]
