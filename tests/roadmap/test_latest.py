"""What is left of a batch of measurements, in whatever order it comes: of each thing the latest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from services.roadmap.priority.kpis import (
    Measurement,
    Objective,
    SegmentValue,
    latest_by_segment,
    latest_measurements,
    latest_objectives,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNNAMED = {"name": None, "unit": None}


def test_the_latest_period_of_each_kpi_is_kept() -> None:
    """An older period that was measured later is not the present value, a later measurement of the same period is."""
    corrected = Measurement("csat", **UNNAMED, value=4.0, period_end=NOON, measured_at=NOON + 2 * HOUR)
    first = Measurement("csat", **UNNAMED, value=3.0, period_end=NOON, measured_at=NOON + HOUR)
    older = Measurement("csat", **UNNAMED, value=2.0, period_end=NOON - DAY, measured_at=NOON + DAY)
    other = Measurement("activation", **UNNAMED, value=1.0, period_end=NOON - DAY, measured_at=NOON)
    for batch in permutations([corrected, first, older, other]):
        assert latest_measurements(batch) == [other, corrected]


def test_the_first_of_two_equal_measurements_is_kept() -> None:
    """Nothing says which is right, and what is kept does not change for it."""
    first = Measurement("csat", **UNNAMED, value=3.0, period_end=NOON, measured_at=NOON)
    again = Measurement("csat", **UNNAMED, value=4.0, period_end=NOON, measured_at=NOON)
    assert latest_measurements([first, again]) == [first]
    here = SegmentValue("csat", "plan", "–|pro|–", 3.0, NOON, NOON)
    assert latest_by_segment([here, here._replace(value=4.0)]) == [here]
    set_first = Objective("csat", 3.0, 4.5, NOON)
    assert latest_objectives([set_first, Objective("csat", 3.0, 5.0, NOON)]) == [set_first]


def test_a_measurement_without_a_name_has_the_one_before() -> None:
    """Name and unit are each taken over where they are left out, and replaced where they are given."""
    named = Measurement("csat", "Satisfaction", "points", 3.0, NOON, NOON)
    silent = Measurement("csat", None, None, 4.0, NOON + DAY, NOON + DAY)
    renamed = Measurement("csat", "CSAT", None, 5.0, NOON + 2 * DAY, NOON + 2 * DAY)
    [kept] = latest_measurements([named, silent])
    assert (kept.name, kept.unit, kept.value) == ("Satisfaction", "points", 4.0)
    [kept] = latest_measurements([named, silent, renamed])
    assert (kept.name, kept.unit, kept.value) == ("CSAT", "points", 5.0)


def test_each_segment_has_its_latest_value() -> None:
    """By KPI, dimensions and segment; a correction of the same period counts."""
    corrected = SegmentValue("csat", "plan", "–|pro|–", 4.0, NOON, NOON + 2 * HOUR)
    first = corrected._replace(value=3.0, measured_at=NOON + HOUR)
    older = corrected._replace(value=2.0, period_end=NOON - DAY, measured_at=NOON + DAY)
    others = [
        older._replace(kpi_id="activation"),
        older._replace(dimensions="plan region"),
        older._replace(cell="–|free|–"),
    ]
    for batch in permutations([corrected, first, older, *others]):
        assert sorted(latest_by_segment(batch)) == sorted([corrected, *others])


def test_the_latest_objective_of_each_kpi_is_kept() -> None:
    """By the time it was set, ordered by KPI."""
    later, earlier = Objective("csat", 3.0, 4.5, NOON + HOUR), Objective("csat", 3.0, 4.0, NOON)
    other = Objective("activation", 40.0, 60.0, NOON - DAY)
    for batch in permutations([later, earlier, other]):
        assert latest_objectives(batch) == [other, later]
