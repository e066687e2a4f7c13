"""The JSON endpoints of the KPI service."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.contract.events import KpiImpactAssessed, KpiMeasured
from tests.kpi.examples import HIGHER, QUIET, RELEASED, WEEK, shipped, tagged, weeks
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]

CSAT = {"kpi_id": "csat", "name": "CSAT", "unit": "%", "higher_is_better": True}
MARCH = {"period_start": "2026-03-01T00:00:00Z", "period_end": "2026-04-01T00:00:00Z", "value": 72.5}


@pytest.fixture
async def kpi(start_service: Start) -> ServiceUnderTest:
    return await start_service("kpi")


async def post(kpi: ServiceUnderTest, path: str, body: Any, role: str = "researcher") -> httpx.Response:
    return await kpi.client.post(f"/api/v1/{path}", json=body, headers=kpi.headers(role))


async def put(kpi: ServiceUnderTest, path: str, body: Any, role: str = "researcher") -> httpx.Response:
    return await kpi.client.put(f"/api/v1/{path}", json=body, headers=kpi.headers(role))


async def get(kpi: ServiceUnderTest, path: str) -> Any:
    answer = await kpi.client.get(f"/api/v1/{path}", headers=kpi.headers("viewer"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def upload(kpi: ServiceUnderTest, text: str, kpi_id: str = "csat", kind: str = "text/csv") -> httpx.Response:
    headers = kpi.headers("researcher") | {"Content-Type": kind}
    return await kpi.client.post(f"/api/v1/kpis/{kpi_id}/measurements/csv", content=text.encode(), headers=headers)


async def test_a_kpi_is_defined_once(kpi: ServiceUnderTest) -> None:
    """The same definition again adds nothing; another one under the same id is a conflict."""
    first, again = await post(kpi, "kpis", CSAT), await post(kpi, "kpis", CSAT)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["defined"] is True
    other = await post(kpi, "kpis", CSAT | {"unit": "points"})
    assert other.status_code == 409
    assert other.json()["detail"] == (
        "KPI 'csat' is defined already, as 'CSAT' in %; choose another id, or send the same name, unit and direction"
    )
    assert [one["kpi_id"] for one in await get(kpi, "kpis")] == ["csat"]


async def test_an_id_is_made_where_none_is_given(kpi: ServiceUnderTest) -> None:
    """A KPI without an id gets one, and higher is better unless said otherwise."""
    answer = (await post(kpi, "kpis", {"name": "Retention"})).json()
    assert len(answer["kpi_id"]) == 36
    assert await get(kpi, f"kpis/{answer['kpi_id']}") == answer
    assert answer["higher_is_better"] is True


async def test_a_measured_kpi_can_be_defined(kpi: ServiceUnderTest) -> None:
    """Defining a KPI known only by its measurements keeps them, and verdicts follow the direction."""
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER, name=None, unit=None))
    answer = await post(kpi, "kpis", CSAT | {"unit": None, "higher_is_better": False})
    assert answer.status_code == 201
    assert [one.verdict for one in await kpi.published(KpiImpactAssessed)] == ["improved", "worsened"]
    assert len(await get(kpi, "kpis/csat/measurements")) == 28


async def test_lists_are_by_name_and_limited(kpi: ServiceUnderTest) -> None:
    """KPIs come by name, as many as asked for."""
    for name in ("retention", "CSAT", "NPS"):
        await post(kpi, "kpis", {"kpi_id": name.lower(), "name": name})
    assert [one["kpi_id"] for one in await get(kpi, "kpis")] == ["csat", "nps", "retention"]
    assert [one["kpi_id"] for one in await get(kpi, "kpis?limit=1")] == ["csat"]


async def test_measurements_are_stored_and_told(kpi: ServiceUnderTest) -> None:
    """Measurements are stored, published with the KPI's definition and objective, and repeated ones are not."""
    await post(kpi, "kpis", CSAT)
    await put(kpi, "kpis/csat/objective", {"baseline": 70, "target": 80})
    part = MARCH | {"dimensions": {"plan": "team"}, "value": 60, "sample_size": 12}
    answer = await post(kpi, "kpis/csat/measurements", [MARCH, part, MARCH])
    assert answer.json() == {"stored": 2, "unchanged": 1}
    told = await kpi.published(KpiMeasured)
    assert [(one.value, one.sample_size, dict(one.dimensions)) for one in told] == [
        (72.5, None, {}),
        (60, 12, {"plan": "team"}),
    ]
    assert {(one.name, one.unit, one.baseline, one.target, one.measured_at) for one in told} == {
        ("CSAT", "%", 70, 80, START)
    }
    kpi.now += timedelta(hours=1)
    assert (await post(kpi, "kpis/csat/measurements", [MARCH])).json() == {"stored": 0, "unchanged": 1}
    assert len(await kpi.published(KpiMeasured)) == 2


async def test_a_correction_is_told(kpi: ServiceUnderTest) -> None:
    """Another value for the same period replaces the first and is published."""
    await post(kpi, "kpis", CSAT)
    await post(kpi, "kpis/csat/measurements", [MARCH])
    kpi.now += timedelta(hours=1)
    assert (await post(kpi, "kpis/csat/measurements", [MARCH | {"value": 70}])).json() == {"stored": 1, "unchanged": 0}
    assert [one["value"] for one in await get(kpi, "kpis/csat/measurements")] == [70]
    assert [one.value for one in await kpi.published(KpiMeasured)] == [72.5, 70]


async def test_what_is_told_comes_back_without_effect(kpi: ServiceUnderTest) -> None:
    """The service reads its own KpiMeasured too; that changes nothing."""
    await post(kpi, "kpis", CSAT)
    await post(kpi, "kpis/csat/measurements", [MARCH])
    await kpi.deliver(*await kpi.published(KpiMeasured))
    assert len(await kpi.published(KpiMeasured)) == 1
    assert len(await get(kpi, "kpis/csat/measurements")) == 1


async def test_contradictions_are_refused(kpi: ServiceUnderTest) -> None:
    """Two values for one period in one request store nothing."""
    await post(kpi, "kpis", CSAT)
    answer = await post(kpi, "kpis/csat/measurements", [MARCH, MARCH | {"value": 1}])
    assert answer.status_code == 422
    assert "2026-03-01T00:00:00+00:00 to 2026-04-01T00:00:00+00:00 is given twice" in answer.json()["detail"]
    assert await get(kpi, "kpis/csat/measurements") == []


async def test_measurements_are_assessed_at_once(kpi: ServiceUnderTest) -> None:
    """Measurements by the API lead to the assessment of the releases they say something about."""
    await kpi.deliver(*weeks(QUIET), shipped(), tagged("i1", "p1"))
    after = [
        {"period_start": (RELEASED + n * WEEK).isoformat(), "period_end": (RELEASED + (n + 1) * WEEK).isoformat()}
        for n in range(8)
    ]
    body = [period | {"value": value} for period, value in zip(after, HIGHER, strict=True)]
    await post(kpi, "kpis/csat/measurements", body)
    (assessed,) = await get(kpi, "assessments")
    effect = assessed.pop("effect")
    assert effect == pytest.approx(4.9, abs=0.3)
    assert assessed.pop("effect_low") < effect < assessed.pop("effect_high")
    assert 0 < assessed.pop("smallest_visible_effect") < 4
    assert assessed == {
        "feature_id": "export",
        "kpi_id": "csat",
        "version": 1,
        "verdict": "improved",
        "unit": "%",
        "periods_before": 20,
        "periods_after": 8,
        "released_at": "2025-12-22T00:00:00Z",
        "assessed_at": "2026-03-02T09:00:00Z",
    }
    assert await get(kpi, "releases") == [
        {
            "feature_id": "export",
            "title": "New export",
            "released_at": "2025-12-22T00:00:00Z",
            "kpi_ids": ["csat"],
            "interviewees": 1,
        }
    ]


async def test_assessments_are_found_by_feature_and_kpi(kpi: ServiceUnderTest) -> None:
    """Both filters narrow the list; what is unknown finds nothing."""
    await kpi.deliver(shipped(kpi_ids=("csat", "nps")), *weeks(QUIET + HIGHER), *weeks(QUIET + HIGHER, kpi_id="nps"))
    assert len(await get(kpi, "assessments")) == 2
    assert [one["kpi_id"] for one in await get(kpi, "assessments?feature_id=export&kpi_id=nps")] == ["nps"]
    assert await get(kpi, "assessments?feature_id=search") == []


async def test_an_objective_is_set_and_told(kpi: ServiceUnderTest) -> None:
    """An objective travels with the latest measurement, told anew; set again unchanged it tells nothing."""
    await kpi.deliver(*weeks(QUIET[:3]))
    wanted = {"baseline": 70, "target": 80, "by": "2026-12-31"}
    answer = await put(kpi, "kpis/csat/objective", wanted)
    assert answer.json()["objective"] == {"baseline": 70.0, "target": 80.0, "by": "2026-12-31"}
    kpi.now += timedelta(hours=1)
    await put(kpi, "kpis/csat/objective", wanted)
    (told,) = await kpi.published(KpiMeasured)
    assert (told.value, told.baseline, told.target, told.measured_at) == (70.8, 70, 80, START)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"baseline": 70, "target": 60}, "the target must lie above the baseline"),
        ({"baseline": 70, "target": 70}, "The target equals the baseline"),
        ({"baseline": 70}, "target: Field required"),
        ({"baseline": 70, "target": 1e300}, "target: Value error, is larger than 1e100; check its unit"),
        ({"baseline": 70, "target": 80, "due": "2026-12-31"}, "due: Extra inputs are not permitted"),
        ({"baseline": 70, "target": 80, "by": "soon"}, "by: Input should be a valid date"),
    ],
)
async def test_a_senseless_objective_is_refused(kpi: ServiceUnderTest, body: Any, detail: str) -> None:
    """An objective that asks for no improvement, or is misspelt, is refused and says why."""
    await post(kpi, "kpis", CSAT)
    answer = await put(kpi, "kpis/csat/objective", body)
    assert answer.status_code == 422
    assert detail in answer.json()["detail"]


async def test_a_file_is_uploaded(kpi: ServiceUnderTest) -> None:
    """A CSV file stores its rows; uploaded again with one more it stores that one."""
    await post(kpi, "kpis", CSAT)
    text = "period_start,period_end,value,sample_size\n2026-02-01,2026-03-01,70,40\n"
    assert (await upload(kpi, text)).json() == {"stored": 1, "unchanged": 0}
    kpi.now += timedelta(hours=1)
    answer = await upload(kpi, f"{text}2026-03-01,2026-04-01,71,\n", kind="text/csv; charset=utf-8")
    assert answer.json() == {"stored": 1, "unchanged": 1}
    assert [(one["value"], one["sample_size"]) for one in await get(kpi, "kpis/csat/measurements")] == [
        (71, None),
        (70, 40),
    ]


async def test_a_file_is_taken_whole_or_not(kpi: ServiceUnderTest) -> None:
    """One wrong line stores nothing of the file, and the answer names line and column."""
    await post(kpi, "kpis", CSAT)
    answer = await upload(kpi, "period_start,period_end,value\n2026-02-01,2026-03-01,70\n2026-03-01,2026-04-01,many\n")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "Line 3, column value: 'many' is no number; write for example 72.5."
    assert await get(kpi, "kpis/csat/measurements") == []
    assert await kpi.published(KpiMeasured) == []


async def test_only_csv_is_a_file(kpi: ServiceUnderTest) -> None:
    """Another content type is refused by name."""
    await post(kpi, "kpis", CSAT)
    answer = await upload(kpi, "{}", kind="application/json")
    assert answer.status_code == 415
    assert answer.json()["detail"] == "The Content-Type is 'application/json'; send text/csv."


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "kpis/none", None),
        ("PUT", "kpis/none/objective", {"baseline": 1, "target": 2}),
        ("GET", "kpis/none/measurements", None),
        ("POST", "kpis/none/measurements", [MARCH]),
    ],
)
async def test_an_unknown_kpi_is_said_to_be_unknown(kpi: ServiceUnderTest, method: str, path: str, body: Any) -> None:
    """Whatever is asked about an unknown KPI is answered by 404."""
    answer = await kpi.client.request(method, f"/api/v1/{path}", json=body, headers=kpi.headers("researcher"))
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no KPI 'none'; check the address."


async def test_a_file_for_an_unknown_kpi_is_refused(kpi: ServiceUnderTest) -> None:
    """A good file for an unknown KPI is answered by 404."""
    answer = await upload(kpi, "period_start,period_end,value\n2026-02-01,2026-03-01,70\n", "none")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("kpis", {"name": "a\u0000b"}),
        ("kpis", {"name": ""}),
        ("kpis", {"name": "n" * 301}),
        ("kpis", {"name": "CSAT", "kpi_id": "../etc"}),
        ("kpis", {"name": "CSAT", "unitt": "%"}),
        ("kpis/csat/measurements", []),
        ("kpis/csat/measurements", [MARCH | {"period_end": "2026-03-01T00:00:00Z"}]),
        ("kpis/csat/measurements", [MARCH | {"period_start": "2026-03-01T00:00:00"}]),
        ("kpis/csat/measurements", [MARCH | {"value": 1e200}]),
        ("kpis/csat/measurements", [MARCH | {"sample_size": -1}]),
        ("kpis/csat/measurements", [MARCH | {"dimensions": {"plan": "a\u0000"}}]),
        ("kpis/csat/measurements", [MARCH | {"dimensions": {str(n): "x" for n in range(11)}}]),
    ],
)
async def test_wrong_bodies_are_refused(kpi: ServiceUnderTest, path: str, body: Any) -> None:
    """A body that breaks a limit is answered by 422 and stores nothing."""
    await post(kpi, "kpis", CSAT)
    assert (await post(kpi, path, body)).status_code == 422
    assert len(await get(kpi, "kpis")) == 1
    assert await get(kpi, "kpis/csat/measurements") == []


@pytest.mark.parametrize("path", ["kpis?limit=0", "kpis?limit=1001", "assessments?feature_id=%00", "releases?limit=x"])
async def test_wrong_questions_are_refused(kpi: ServiceUnderTest, path: str) -> None:
    """Limits outside 1 to 1000 and ids that cannot be are answered by 422."""
    answer = await kpi.client.get(f"/api/v1/{path}", headers=kpi.headers("viewer"))
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "kpis"),
        ("POST", "kpis"),
        ("GET", "kpis/csat"),
        ("PUT", "kpis/csat/objective"),
        ("GET", "kpis/csat/measurements"),
        ("POST", "kpis/csat/measurements"),
        ("POST", "kpis/csat/measurements/csv"),
        ("GET", "releases"),
        ("GET", "assessments"),
    ],
)
async def test_nothing_is_for_strangers(kpi: ServiceUnderTest, method: str, path: str) -> None:
    """Every endpoint needs somebody signed in; whoever may only look changes nothing."""
    assert (await kpi.client.request(method, f"/api/v1/{path}")).status_code == 401
    if method != "GET":
        answer = await kpi.client.request(method, f"/api/v1/{path}", headers=kpi.headers("note_taker"))
        assert answer.status_code == 403


async def test_the_pulse_counts(kpi: ServiceUnderTest) -> None:
    """The home page learns how many KPIs, measurements and assessed impacts there are."""
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER))
    assert await get(kpi, "pulse") == {"KPIs": 1, "measurements": 28, "impacts assessed": 1}
