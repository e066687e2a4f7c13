"""Objectives that make sense, and which of two measurements holds."""

from dataclasses import replace

import pytest

from services.kpi.kpis import Kpi, Measurement, Objective, newest
from tests.kpi.examples import FIRST, WEEK

CSAT = Kpi("csat", FIRST, "CSAT")
CHURN = Kpi("churn", FIRST, higher_is_better=False)
ONE = Measurement("csat", FIRST, FIRST + WEEK, 70.0, FIRST + WEEK, 40)


def test_a_kpi_without_a_name_goes_by_its_id() -> None:
    """The title is the name, else the id."""
    assert [CSAT.title, CHURN.title] == ["CSAT", "churn"]


@pytest.mark.parametrize(
    ("kpi", "objective", "fault"),
    [
        (CSAT, Objective(70, 80), None),
        (CHURN, Objective(5, 3), None),
        (CSAT, Objective(70, 70), "The target equals the baseline, 70; set a target that asks for a change."),
        (
            CSAT,
            Objective(70, 60),
            "For CSAT higher is better, so the target must lie above the baseline; change one of them.",
        ),
        (
            CHURN,
            Objective(3, 5),
            "For churn lower is better, so the target must lie below the baseline; change one of them.",
        ),
        (CSAT, Objective(0, 1e200), "The objective is larger than 1e100; check its unit."),
    ],
)
def test_an_objective_asks_for_an_improvement(kpi: Kpi, objective: Objective, fault: str | None) -> None:
    """A target must lie in the KPI's good direction from the baseline."""
    assert kpi.fault_of(objective) == fault


def test_progress_is_a_share_of_the_way() -> None:
    """From 70 to 80, 72.5 is a quarter of the way and 65 is half a way back."""
    assert Objective(70, 80).progress(72.5) == 0.25
    assert Objective(70, 80).progress(65) == -0.5


def test_the_holding_measurement_does_not_depend_on_the_order() -> None:
    """The latest holds; of one moment the higher value, then the larger sample."""
    older = replace(ONE, measured_at=FIRST, value=99.0)
    lower = replace(ONE, value=69.0, sample_size=99)
    smaller = replace(ONE, sample_size=None)
    assert newest([ONE, older, lower, smaller]) == [ONE]
    assert newest([smaller, lower, older, ONE]) == [ONE]


def test_parts_are_measured_beside_the_whole() -> None:
    """Measurements of other dimensions, and of the same ones in another order, are told apart by their key."""
    plan = replace(ONE, dimensions={"plan": "team", "region": "EU"})
    same = replace(ONE, dimensions={"region": "EU", "plan": "team"}, value=1.0)
    assert ONE.dimensions_key == ""
    assert plan.key == same.key
    assert newest([ONE, plan, same]) == [ONE, plan]
