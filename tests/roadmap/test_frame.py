"""The population frame: what people weigh against it, against tables worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.roadmap.priority.audience import audience
from services.roadmap.priority.frame import Fit, Frame, collapsed, measured_frame, weigh

LOYAL, OTHER = "loyal|pro|eu", "other|pro|eu"


def rounded(values: dict[str, float] | object) -> dict[str, float]:
    assert isinstance(values, dict)
    return {name: round(value, 6) for name, value in values.items()}


def test_cells_are_post_stratified() -> None:
    """100 loyal and 10 others against 20 and 80 percent of customers weigh 0.22 and 8.8."""
    found = weigh({LOYAL: 100, OTHER: 10}, Frame({LOYAL: 200, OTHER: 800}))
    assert rounded(found.shares) == {LOYAL: 0.2, OTHER: 0.8}
    assert rounded(found.weights) == {LOYAL: 0.22, OTHER: 8.8}
    assert found.fit is None


def test_a_frame_by_fewer_dimensions_takes_people_together() -> None:
    """Customers known by loyalty alone weigh people of all plans and regions."""
    frame = Frame({"loyal|–|–": 50, "other|–|–": 50})
    found = weigh({"loyal|pro|eu": 6, "loyal|team|us": 3, "other|pro|eu": 1}, frame)
    assert found.people == {"loyal|–|–": 9, "other|–|–": 1}
    assert rounded(found.weights) == {"loyal|–|–": 0.555556, "other|–|–": 5.0}


def test_margins_are_raked() -> None:
    """Two margins over a two by two table: the fitted shares meet both, and keep the table's odds ratio."""
    people = {"a|x|–": 40, "a|y|–": 10, "b|x|–": 20, "b|y|–": 30}
    found = weigh(people, Frame(margins={"loyalty": {"a": 300, "b": 700}, "plan": {"x": 500, "y": 500}}))
    shares = found.shares
    assert shares["a|x|–"] + shares["a|y|–"] == pytest.approx(0.3, abs=1e-5)
    assert shares["a|x|–"] + shares["b|x|–"] == pytest.approx(0.5, abs=1e-5)
    odds = shares["a|x|–"] * shares["b|y|–"] / (shares["a|y|–"] * shares["b|x|–"])
    assert odds == pytest.approx(6.0, rel=1e-9)
    assert found.fit is not None
    assert found.fit.converged


def test_margins_that_contradict_who_took_part_are_told() -> None:
    """Everybody loyal is on x and everybody else on y, so margins that differ cannot both hold: 200 sweeps, not met."""
    people = {"a|x|–": 10, "b|y|–": 10}
    found = weigh(people, Frame(margins={"loyalty": {"a": 30, "b": 70}, "plan": {"x": 50, "y": 50}}))
    assert found.fit is not None
    assert (found.fit.sweeps, found.fit.converged) == (200, False)
    assert found.fit.error > 0.1
    assert sum(found.shares.values()) == pytest.approx(1.0)


def test_a_margin_nobody_speaks_for_is_set_aside() -> None:
    """A fifth of customers in a region without anybody stays a fifth, not identified; the rest is weighted."""
    frame = Frame(margins={"region": {"eu": 600, "us": 200, "apac": 200}})
    found = audience({"loyal|pro|eu": 5, "other|pro|us": 5}, frame)
    assert found.silent == {"*|*|apac": pytest.approx(0.2)}
    assert found.covered_share == pytest.approx(0.8)
    assert rounded({name: cell.weight for name, cell in found.cells.items()}) == {
        "*|*|apac": 0.0,
        "–|–|eu": 1.2,
        "–|–|us": 0.4,
    }


def test_silent_margins_of_two_dimensions_are_taken_as_independent() -> None:
    """Nobody from a fifth by region and a half by plan: 0.8 x 0.5 of customers are spoken for."""
    frame = Frame(margins={"plan": {"pro": 50, "free": 50}, "region": {"eu": 80, "apac": 20}})
    found = audience({"–|pro|eu": 10}, frame)
    assert found.covered_share == pytest.approx(0.4)
    assert sum(found.silent.values()) == pytest.approx(0.6)


def test_an_empty_cell_keeps_its_share_and_is_not_identified() -> None:
    """Customers nobody speaks for are neither dropped nor counted as 0 support."""
    found = audience({LOYAL: 10}, Frame({LOYAL: 300, OTHER: 700}))
    assert found.silent == {OTHER: 0.7}
    assert found.covered_share == pytest.approx(0.3)


def test_people_outside_the_frame_weigh_nothing_and_are_told() -> None:
    """Three people of a segment without customers are counted as outside."""
    found = audience({LOYAL: 10, "vip|pro|eu": 3}, Frame({LOYAL: 300, OTHER: 700}))
    assert (found.outside, found.cells["vip|pro|eu"].weight) == (3, 0.0)


def test_thin_values_are_taken_together_by_rule() -> None:
    """A rule turns one value into another, a star turns all of a dimension into one."""
    rules = {("plan", "starter"): "small", ("region", "*"): "all"}
    assert collapsed("loyal|starter|eu", rules) == "loyal|small|all"
    assert collapsed("loyal|pro|us", rules) == "loyal|pro|all"


def test_collapsing_covers_what_was_empty() -> None:
    """A plan nobody is on counts with its neighbour, on both sides of the comparison."""
    frame = Frame({"–|starter|–": 30, "–|team|–": 30, "–|pro|–": 40}, collapses={("plan", "starter"): "team"})
    found = audience({"–|team|–": 2, "–|pro|–": 2}, frame)
    assert found.covered_share == pytest.approx(1.0)
    assert found.cells["–|team|–"].population_share == pytest.approx(0.6)


def test_trimming_cuts_the_heaviest_and_the_design_effect_falls() -> None:
    """A weight of 8.8 beside 0.22 is cut at five times the mean; 110 people are then worth 29 instead of 16."""
    people = {LOYAL: 100, OTHER: 10}
    plain = audience(people, Frame({LOYAL: 200, OTHER: 800}))
    cut = audience(people, Frame({LOYAL: 200, OTHER: 800}, trim_ratio=5.0))
    # 100 x 0.22 + 10 x 5 = 72, scaled by 110 / 72.
    assert cut.cells[OTHER].weight == pytest.approx(5 * 110 / 72)
    assert cut.cells[OTHER].population_share == pytest.approx(50 / 72)
    assert plain.design_effect == pytest.approx(7.084)
    assert cut.design_effect == pytest.approx(110 * (100 * 0.22**2 + 10 * 25) / 72**2)


def test_without_a_frame_nothing_is_weighted() -> None:
    """Rules and trimming alone make no frame."""
    found = audience({LOYAL: 3}, Frame(collapses={("plan", "pro"): "all"}, trim_ratio=5.0))
    assert not found.weighted
    assert found.cells[LOYAL].weight == 1.0


def test_a_kpi_measured_by_several_dimensions_gives_cells() -> None:
    """The finest split counts, coarser ones of the same KPI do not count again."""
    values = [("loyalty plan", "loyal|pro|–", 5.0), ("loyalty plan", "other|pro|–", 15.0), ("plan", "–|pro|–", 20.0)]
    assert measured_frame(values) == Frame({"loyal|pro|–": 5.0, "other|pro|–": 15.0})


def test_a_kpi_measured_by_single_dimensions_gives_margins() -> None:
    """Each dimension for itself."""
    values = [("plan", "–|pro|–", 20.0), ("region", "–|–|eu", 12.0), ("region", "–|–|us", 8.0)]
    assert measured_frame(values) == Frame(margins={"plan": {"pro": 20.0}, "region": {"eu": 12.0, "us": 8.0}})
    assert measured_frame([]) == Frame()


@pytest.mark.parametrize("trim_ratio", [None, 2.0])
def test_people_in_a_cell_without_customers_weigh_nothing(trim_ratio: float | None) -> None:
    """Whoever is in a cell of no customers leaves the weights and shares of the others as they are."""
    found = audience({"a|a|a": 1, "a|a|b": 1}, Frame({"a|a|a": 0.0, "a|a|b": 1.0}, {}, trim_ratio=trim_ratio))
    assert {name: (cell.population_share, cell.weight) for name, cell in found.cells.items()} == {
        "a|a|a": (0.0, 0.0),
        "a|a|b": (1.0, 1.0),
    }


def test_people_whom_the_margins_leave_nothing_weigh_nothing() -> None:
    """Two classes of a plan and two of a region can leave no customers in a cell: its people count for nothing."""
    frame = Frame({}, {"plan": {"a": 1.0, "b": 1.0}, "region": {"b": 0.015625, "a": 1.0}})
    found = audience({"–|a|a": 1, "–|a|b": 1, "–|b|b": 1}, frame).cells
    assert found["–|a|b"].weight == 0.0
    assert sum(cell.weight * cell.active for cell in found.values()) == pytest.approx(2.0)


def test_people_of_whom_little_is_known_do_not_speak_for_a_silent_class() -> None:
    """Whoever names a plan but no region is outside margins of both, and stands for no plan that nobody speaks for."""
    frame = Frame({}, {"plan": {"a": 1.0, "b": 1.0}, "region": {"a": 1.0}})
    found = audience({"–|a|–": 1, "–|b|a": 1}, frame)
    assert found.silent == {"*|a|*": pytest.approx(0.5)}
    assert found.cells["–|a|–"].population_share == 0.0
    assert found.outside == 1


cells = st.builds("|".join, st.tuples(*(st.sampled_from(["a", "b", "–"]) for _ in range(3))))
sizes = st.floats(0, 1e6)


@given(
    active=st.dictionaries(cells, st.integers(0, 50), max_size=8),
    joint=st.dictionaries(cells, sizes, max_size=8),
    margins=st.dictionaries(
        st.sampled_from(["loyalty", "plan", "region"]),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), sizes, min_size=1, max_size=3),
        max_size=3,
    ),
    trim_ratio=st.none() | st.floats(1.5, 10),
)
def test_shares_of_every_frame_add_up_to_one(
    active: dict[str, int],
    joint: dict[str, float],
    margins: dict[str, dict[str, float]],
    trim_ratio: float | None,
) -> None:
    """Whoever took part, whatever is known: shares add up to 1, and weights of those who count to the covered part."""
    known = {name: totals for name, totals in margins.items() if sum(totals.values()) > 0}
    found = audience(active, Frame(joint, {} if joint else known, trim_ratio=trim_ratio))
    if not found.weighted:
        return
    assert sum(cell.population_share for cell in found.cells.values()) == pytest.approx(1.0)
    inside = sum(cell.active for cell in found.cells.values() if cell.weight > 0)
    weights = sum(cell.weight * cell.active for cell in found.cells.values())
    assert weights == pytest.approx(found.covered_share * inside, rel=1e-6, abs=1e-6)


def test_margins_nobody_is_in_need_no_raking() -> None:
    """Nobody weighs anything, the shares stay those of the margins, and no sweep is told of."""
    found = weigh({"a|x|–": 3}, Frame(margins={"region": {"eu": 600, "us": 200}}))
    assert found.weights == {}
    assert found.shares == {"*|*|eu": 0.75, "*|*|us": 0.25}
    assert found.fit == Fit(0.0, 0, converged=True)
