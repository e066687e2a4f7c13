import pytest

from services.kpi.intervals import (
    Interval,
    Sample,
    answers_needed,
    detectable_gain,
    mean_difference,
    power_of,
    share_difference,
    wald,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_newcombes_table(successes: int, total: int, low: float, high: float) -> None:
    """Wilson's interval is that of table I of Newcombe (1998), also at and near zero."""
    found = wilson(successes, total)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_without_answers_nothing_is_known() -> None:
    """No answers give no interval, rather than one around zero."""
    assert wilson(0, 0) is None
    assert wald(0, 0) is None
    assert share_difference((0, 0), (1, 2)) is None


def test_wald_collapses_where_wilson_does_not() -> None:
    """None of 20 satisfied: Wald claims to be certain."""
    assert wald(0, 20) == Interval(0.0, 0.0)


@pytest.mark.parametrize(
    ("a", "b", "value", "low", "high"),
    [
        ((56, 70), (48, 80), 0.2, 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.6, 0.1705, 0.8090),
        ((10, 10), (0, 10), 1.0, 0.6075, 1.0),
    ],
)
def test_newcombes_difference(a: tuple[int, int], b: tuple[int, int], value: float, low: float, high: float) -> None:
    """The difference of two shares has the interval of table II, method 10, of Newcombe (1998)."""
    found = share_difference(a, b)
    assert found is not None
    assert found.value == pytest.approx(value)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=5e-5)


def test_welch_by_hand() -> None:
    """Means 10 and 8 with deviations 3 and 4 of 9 and 16 answers differ by 2, t = 1.4142 with 20.87 df."""
    found = mean_difference(Sample(10.0, 3.0, 9), Sample(8.0, 4.0, 16))
    assert found is not None
    assert found.value == 2.0
    assert (found.interval.low, found.interval.high) == pytest.approx((-0.9421, 4.9421), abs=5e-4)
    assert found.p == pytest.approx(0.1721, abs=5e-4)


def test_a_mean_of_one_answer_has_no_interval() -> None:
    """With fewer than two answers on a side the difference is undefined."""
    assert mean_difference(Sample(10.0, 0.0, 1), Sample(8.0, 4.0, 16)) is None


def test_answers_needed_and_power_are_those_of_r() -> None:
    """power.prop.test's help page: 76.7 per group for .5 against .75 at 90 %; 50 per group have power .740."""
    assert answers_needed(0.5, 0.75, power=0.9) == pytest.approx(76.7, abs=0.05)
    assert power_of(50, 0.5, 0.75) == pytest.approx(0.740, abs=5e-4)
    assert answers_needed(0.5, 0.5) is None


def test_the_smallest_gain_that_shows() -> None:
    """From 72 % with 200 answers a period, 11.6 points show; from 95 % with 20 not even perfection would."""
    assert detectable_gain(0.72, 200) == pytest.approx(0.116, abs=5e-4)
    assert detectable_gain(0.95, 20) is None
    assert detectable_gain(0.72, 0) is None
