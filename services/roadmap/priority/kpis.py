"""The KPIs that ideas are meant to move, and what shipped ideas did to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from services.roadmap.priority.measured import kpi_gap


@dataclass(frozen=True, slots=True)
class Measurement:
    """A KPI's value over all customers in the period that ends at `period_end`."""

    kpi_id: str
    name: str | None
    unit: str | None
    value: float
    period_end: datetime
    measured_at: datetime


class SegmentValue(NamedTuple):
    """A KPI's value over the customers of one segment; `dimensions` are those it was measured by, "loyalty plan"."""

    kpi_id: str
    dimensions: str
    cell: str
    value: float
    period_end: datetime
    measured_at: datetime


@dataclass(frozen=True, slots=True)
class Objective:
    """Where a KPI came from and where it is to go."""

    kpi_id: str
    baseline: float
    target: float
    set_at: datetime


@dataclass(frozen=True, slots=True)
class Kpi:
    """A KPI as it stands; baseline and target belong together and may both be unknown."""

    kpi_id: str
    name: str | None
    unit: str | None
    value: float
    baseline: float | None
    target: float | None

    @property
    def gap(self) -> float:
        """The part of the way to the target that is still to go, 0..1; 0 without an objective."""
        if self.baseline is None or self.target is None:
            return 0.0
        return kpi_gap(self.baseline, self.value, self.target)


@dataclass(frozen=True, slots=True)
class Impact:
    """What a shipped idea did to a KPI, in the KPI's unit; `name` is the KPI's, where it is known."""

    feature_id: str
    kpi_id: str
    version: int
    released_at: datetime
    effect: float
    effect_low: float
    effect_high: float
    confidence: float
    unit: str | None
    verdict: str
    smallest_visible_effect: float | None
    periods_after: int
    assessed_at: datetime
    name: str | None = None


def widest_gap(kpis: Iterable[Kpi]) -> float:
    """An idea with several KPIs is worth most to the one that lacks most; 0 without any."""
    return max((kpi.gap for kpi in kpis), default=0.0)


def latest_measurements(measurements: Iterable[Measurement]) -> list[Measurement]:
    """The latest period of each KPI, of the same period the latest measurement, ordered by KPI.

    One that leaves out name or unit has those of the one it follows, as if they had come one by one.
    """
    latest: dict[str, Measurement] = {}
    for given in measurements:
        held = latest.get(given.kpi_id)
        if held is None:
            latest[given.kpi_id] = given
        elif (given.period_end, given.measured_at) > (held.period_end, held.measured_at):
            latest[given.kpi_id] = replace(given, name=given.name or held.name, unit=given.unit or held.unit)
    return [latest[kpi] for kpi in sorted(latest)]


def latest_by_segment(values: Iterable[SegmentValue]) -> list[SegmentValue]:
    """The latest period of each KPI in each segment, of the same period the latest measurement."""
    latest: dict[tuple[str, str, str], SegmentValue] = {}
    for given in values:
        held = latest.setdefault(given[:3], given)
        if (given.period_end, given.measured_at) > (held.period_end, held.measured_at):
            latest[given[:3]] = given
    return list(latest.values())


def latest_objectives(objectives: Iterable[Objective]) -> list[Objective]:
    """The latest objective of each KPI, ordered by KPI."""
    latest: dict[str, Objective] = {}
    for given in objectives:
        if given.kpi_id not in latest or given.set_at > latest[given.kpi_id].set_at:
            latest[given.kpi_id] = given
    return [latest[kpi] for kpi in sorted(latest)]
