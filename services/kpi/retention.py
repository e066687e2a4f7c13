"""Retention and acquisition from what customers did and when. The definition is the number: each is a function."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.kpi.formulas import ratio

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Activity:
    """One customer doing what counts as active (an order, a login) on one day, and what it brought in."""

    customer: str
    day: date
    revenue: float = 0.0


def days_active(activities: Iterable[Activity]) -> dict[str, list[date]]:
    """Every customer's active days, ascending, each once; the first is the day they joined."""
    days: dict[str, set[date]] = defaultdict(set)
    for activity in activities:
        days[activity.customer].add(activity.day)
    return {customer: sorted(active) for customer, active in days.items()}


def month_number(day: date) -> int:
    """Months since year zero, so that months subtract."""
    return day.year * MONTHS + day.month - 1


def n_day(joined: date, active: Iterable[date]) -> list[int]:
    """Days after joining (1 = the day after) on which the customer was active, exactly."""
    return sorted({(day - joined).days for day in active if day > joined})


def rolling_days(joined: date, active: Iterable[date]) -> list[int]:
    """Days after joining for which the customer was active on that day or any later one."""
    exact = n_day(joined, active)
    return list(range(1, exact[-1] + 1)) if exact else []


def brackets(joined: date, active: Iterable[date], width: int) -> list[tuple[int, int]]:
    """Brackets of `width` days after joining, as (first, last) day, in which the customer was active."""
    if width < 1:
        raise ValueError(f"a bracket of {width} days holds nothing: give 1 or more")
    numbers = sorted({(day - 1) // width for day in n_day(joined, active)})
    return [(number * width + 1, (number + 1) * width) for number in numbers]


@dataclass(frozen=True, slots=True)
class WindowRetention:
    """Customers active again within days of their first activity."""

    customers: int
    day_1_30: int
    day_31_60: int
    exactly_day_30: int
    day_30_or_later: int


def window_retention(days: Mapping[str, Sequence[date]]) -> WindowRetention:
    """The same thirty days by four definitions, from `days_active`."""
    again = [n_day(active[0], active) for active in days.values()]
    return WindowRetention(
        customers=len(again),
        day_1_30=sum(any(1 <= day <= 30 for day in one) for one in again),  # noqa: PLR2004
        day_31_60=sum(any(31 <= day <= 60 for day in one) for one in again),  # noqa: PLR2004
        exactly_day_30=sum(30 in one for one in again),  # noqa: PLR2004
        day_30_or_later=sum(any(day >= 30 for day in one) for one in again),  # noqa: PLR2004
    )


@dataclass(frozen=True, slots=True)
class Cohort:
    """Customers who joined in one calendar month, month by month from it to the last one known."""

    size: int
    active: list[int]
    """Customers active in the month."""
    unbounded: list[int]
    """Customers active in the month or any later one."""

    def retention(self, month: int) -> float | None:
        """Share of the cohort active `month` months after joining; undefined beyond what is known."""
        return ratio(self.active[month], self.size) if month < len(self.active) else None


def month_cohort(days: Mapping[str, Sequence[date]], joined: date, *, months: int | None = None) -> Cohort:
    """The cohort that joined in the calendar month of `joined`, for `months` months (all that are known by default)."""
    first = month_number(joined)
    known = max((month_number(active[-1]) for active in days.values()), default=first) - first + 1
    length = max(known if months is None else min(months, known), 1)
    ages = [
        {month_number(day) - first for day in active} for active in days.values() if month_number(active[0]) == first
    ]
    return Cohort(
        size=len(ages),
        active=[sum(month in age for age in ages) for month in range(length)],
        unbounded=[sum(max(age) >= month for age in ages) for month in range(length)],
    )


@dataclass(frozen=True, slots=True)
class DatedCohort:
    """A cohort still under observation: active customers per day after joining, days complete up to the last one."""

    size: int
    last_complete_day: int
    active: Mapping[int, int]


def complete_day_retention(cohorts: Sequence[DatedCohort], day: int) -> float | None:
    """Share active on `day`, over the cohorts whose `day` is complete; undefined when none is."""
    complete = [cohort for cohort in cohorts if cohort.last_complete_day >= day]
    return ratio(sum(cohort.active.get(day, 0) for cohort in complete), sum(cohort.size for cohort in complete))


def naive_day_retention(cohorts: Sequence[DatedCohort], day: int) -> float | None:
    """The same over every cohort, young ones included: too low, here only to compare with."""
    return ratio(sum(cohort.active.get(day, 0) for cohort in cohorts), sum(cohort.size for cohort in cohorts))


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Customers won, by the month of their first activity."""

    customers: int
    transactions: int
    revenue: float
    new_by_month: dict[str, int]
    """Keyed YYYYMM, months without a new customer left out."""
    active_by_month: list[int]
    """Customers active in each month from the first to the last."""


def acquisition(activities: Sequence[Activity]) -> Acquisition:
    """Acquisition by first event; every activity counts as one transaction, repeated and free ones too."""
    days = days_active(activities)
    joined: dict[str, int] = defaultdict(int)
    active: dict[int, int] = defaultdict(int)
    for mine in days.values():
        joined[f"{mine[0]:%Y%m}"] += 1
        for month in {month_number(day) for day in mine}:
            active[month] += 1
    span = range(min(active), max(active) + 1) if active else range(0)
    return Acquisition(
        customers=len(days),
        transactions=len(activities),
        revenue=math.fsum(activity.revenue for activity in activities),
        new_by_month=dict(sorted(joined.items())),
        active_by_month=[active.get(month, 0) for month in span],
    )
