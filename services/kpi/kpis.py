"""What a KPI, its objective, its measurements and a release are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import sha256

from services.kpi.formulas import progress

MOST = 1e100
"""Largest amount of a value; beyond it squares overflow, and no KPI is that large."""


@dataclass(frozen=True, slots=True)
class Objective:
    """From `baseline` to `target`, in the KPI's unit, by a day or without one."""

    baseline: float
    target: float
    by: date | None = None

    def progress(self, value: float) -> float | None:
        """Share of the way that is done; negative when the KPI went backwards."""
        return progress(self.baseline, self.target, value)


@dataclass(frozen=True, slots=True)
class Kpi:
    """A KPI; without a name as long as nobody gave it one."""

    kpi_id: str
    created_at: datetime
    name: str | None = None
    unit: str | None = None
    higher_is_better: bool = True
    objective: Objective | None = None
    defined: bool = False
    """False while it is known only because somebody measured it."""

    @property
    def title(self) -> str:
        return self.name or self.kpi_id

    def same_definition(self, other: Kpi) -> bool:
        """Whether both say the same about what is measured."""
        return (self.name, self.unit, self.higher_is_better) == (other.name, other.unit, other.higher_is_better)

    def fault_of(self, objective: Objective) -> str | None:
        """What is wrong with an objective for this KPI, and what to do."""
        better = objective.target > objective.baseline
        if objective.target == objective.baseline:
            return f"The target equals the baseline, {objective.baseline:g}; set a target that asks for a change."
        if better != self.higher_is_better:
            good, place = ("higher", "above") if self.higher_is_better else ("lower", "below")
            return (
                f"For {self.title} {good} is better, so the target must lie {place} the baseline; change one of them."
            )
        if max(abs(objective.baseline), abs(objective.target)) > MOST:
            return "The objective is larger than 1e100; check its unit."
        return None


def first_said(kpis: Iterable[Kpi]) -> list[Kpi]:
    """Each KPI once, with what was said first of each of its sides, however many events said it."""
    known: dict[str, Kpi] = {}
    for kpi in kpis:
        held = known.setdefault(kpi.kpi_id, kpi)
        known[kpi.kpi_id] = replace(
            held,
            name=held.name or kpi.name,
            unit=held.unit or kpi.unit,
            objective=held.objective or kpi.objective,
        )
    return list(known.values())


@dataclass(frozen=True, slots=True)
class Measurement:
    """A KPI's value over a period [start, end), for the whole or for the part that `dimensions` names."""

    kpi_id: str
    period_start: datetime
    period_end: datetime
    value: float
    measured_at: datetime
    sample_size: int | None = None
    """Answers behind the value."""
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @property
    def dimensions_key(self) -> str:
        """Equal for equal dimensions; empty for the whole."""
        if not self.dimensions:
            return ""
        return sha256(json.dumps(dict(self.dimensions), sort_keys=True).encode()).hexdigest()

    @property
    def key(self) -> tuple[str, str, datetime, datetime]:
        """What is measured: of the same key one measurement holds."""
        return self.kpi_id, self.dimensions_key, self.period_start, self.period_end

    @property
    def rank(self) -> tuple[datetime, float, int]:
        """The greatest holds: the latest; of two made at the same moment the higher value, then the larger sample.

        Values say nothing about which is right, but every order of arrival ends with the same one.
        """
        return self.measured_at, self.value, -1 if self.sample_size is None else self.sample_size


@dataclass(frozen=True, slots=True)
class Release:
    """A feature that customers have."""

    feature_id: str
    title: str
    released_at: datetime
    kpi_ids: tuple[str, ...]
    interviewees: int
    """How many people asked for it in interviews."""


def newest(measurements: Iterable[Measurement]) -> list[Measurement]:
    """Of each key the measurement that holds."""
    holding: dict[tuple[str, str, datetime, datetime], Measurement] = {}
    for measurement in measurements:
        present = holding.setdefault(measurement.key, measurement)
        if measurement.rank > present.rank:
            holding[measurement.key] = measurement
    return list(holding.values())
