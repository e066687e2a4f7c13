from datetime import date

import pytest

from services.kpi import retention
from services.kpi.retention import Activity, DatedCohort

JOINED = date(2024, 9, 1)
ACTIVE = [date(2024, 9, 3), date(2024, 9, 9)]
ORDERS = [
    Activity("anna", date(2024, 1, 5), 10.0),
    Activity("anna", date(2024, 1, 5), 10.0),
    Activity("anna", date(2024, 3, 1), 5.0),
    Activity("ben", date(2024, 1, 30), 0.0),
    Activity("ben", date(2024, 2, 29), 7.5),
    Activity("cleo", date(2024, 3, 31), 1.0),
]


def test_the_definition_is_the_number() -> None:
    """Active on days 2 and 8: retained on exactly those, on every day up to 8, in the first two weeks."""
    assert retention.n_day(JOINED, ACTIVE) == [2, 8]
    assert retention.rolling_days(JOINED, ACTIVE) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert retention.brackets(JOINED, ACTIVE, 7) == [(1, 7), (8, 14)]


def test_the_day_of_joining_is_no_retention() -> None:
    """A customer who never came back is retained on no day; a bracket of no days is refused."""
    assert retention.n_day(JOINED, [JOINED]) == []
    assert retention.rolling_days(JOINED, []) == []
    with pytest.raises(ValueError, match="bracket of 0 days"):
        retention.brackets(JOINED, ACTIVE, 0)


def test_a_month_cohort() -> None:
    """Two joined in January: one is active in February, one in March; from February on both are, later only one."""
    found = retention.month_cohort(retention.days_active(ORDERS), date(2024, 1, 1))
    assert (found.size, found.active, found.unbounded) == (2, [2, 1, 1], [2, 2, 1])
    assert found.retention(1) == 0.5
    assert found.retention(9) is None


def test_a_cohort_nobody_joined() -> None:
    """A month without new customers has a cohort of zero, whose retention is undefined."""
    found = retention.month_cohort(retention.days_active(ORDERS), date(2024, 2, 1))
    assert (found.size, found.retention(0)) == (0, None)


def test_thirty_days_by_four_definitions() -> None:
    """Back after 56 days, after exactly 30, and never: one each, and two on day 30 or later."""
    found = retention.window_retention(retention.days_active(ORDERS))
    assert (found.customers, found.day_1_30, found.day_31_60) == (3, 1, 1)
    assert (found.exactly_day_30, found.day_30_or_later) == (1, 2)


def test_incomplete_days_do_not_count_as_absence() -> None:
    """Of two cohorts of 100 only one has reached day 2: its 20 are 20 %, not 10 %."""
    cohorts = [DatedCohort(100, 2, {1: 40, 2: 20}), DatedCohort(100, 1, {1: 30})]
    assert retention.complete_day_retention(cohorts, 1) == 0.35
    assert retention.complete_day_retention(cohorts, 2) == 0.2
    assert retention.naive_day_retention(cohorts, 2) == 0.1
    assert retention.complete_day_retention(cohorts, 3) is None


def test_acquisition_counts_customers_by_their_first_order() -> None:
    """Three customers from six orders, a repeated and a free one included: two in January, one in March."""
    found = retention.acquisition(ORDERS)
    assert (found.customers, found.transactions, found.revenue) == (3, 6, 33.5)
    assert found.new_by_month == {"202401": 2, "202403": 1}
    assert found.active_by_month == [2, 1, 2]
    assert retention.acquisition([]).active_by_month == []
