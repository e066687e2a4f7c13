from collections.abc import Callable
from dataclasses import astuple

import numpy as np
import pytest
from numpy.typing import NDArray

from services.kpi.impact import Assessment, NotYet, assess, share_variance

Floats = NDArray[np.float64]
BEFORE, AFTER = 70, 30


def stable(rng: np.random.Generator) -> Floats:
    return 50 + rng.normal(size=BEFORE + AFTER)


def autocorrelated(rng: np.random.Generator) -> Floats:
    values = np.zeros(BEFORE + AFTER)
    for t in range(1, len(values)):
        values[t] = 0.6 * values[t - 1] + 0.8 * rng.normal()
    return 50 + values


def wandering(rng: np.random.Generator) -> Floats:
    return 50 + np.cumsum(rng.normal(0, 0.15, BEFORE + AFTER)) + rng.normal(size=BEFORE + AFTER)


def drifting(rng: np.random.Generator) -> Floats:
    return 50 + 0.03 * np.arange(BEFORE + AFTER) + rng.normal(size=BEFORE + AFTER)


def heavy_tailed(rng: np.random.Generator) -> Floats:
    return 50 + rng.standard_t(3, BEFORE + AFTER)


def assessed(*args: object, **options: object) -> Assessment:
    result = assess(*args, **options)  # type: ignore[arg-type]
    assert isinstance(result, Assessment)
    return result


def released(values: Floats, effect: float, at: int = BEFORE) -> Floats:
    return values + np.where(np.arange(len(values)) >= at, effect, 0.0)


@pytest.mark.parametrize("kpi", [stable, autocorrelated, wandering, drifting, heavy_tailed])
def test_the_interval_keeps_its_promise(kpi: Callable[[np.random.Generator], Floats]) -> None:
    """Of 100 releases without effect at most 12 are called a change, whatever way the KPI moves by itself."""
    alarms = 0
    for seed in range(100):
        found = assessed(kpi(np.random.default_rng(seed)), BEFORE)
        alarms += found.low > 0 or found.high < 0
    assert alarms <= 12


def test_an_effect_is_found_in_a_stable_kpi() -> None:
    """A rise of 1.5 standard deviations is called an improvement in at least 36 of 40 releases."""
    verdicts = [assessed(released(stable(np.random.default_rng(seed)), 1.5), BEFORE).verdict for seed in range(40)]
    assert verdicts.count("improved") >= 36


def test_the_effect_is_measured_minus_expected() -> None:
    """Adding 2 to every period after the release adds 2 to the effect and its interval, and to nothing expected."""
    values = wandering(np.random.default_rng(3))
    plain, raised = assessed(values, BEFORE), assessed(released(values, 2.0), BEFORE)
    assert raised.effect - plain.effect == pytest.approx(2.0, abs=1e-9)
    assert raised.low - plain.low == pytest.approx(2.0, abs=1e-6)
    assert raised.expected_mean == pytest.approx(plain.expected_mean, abs=1e-9)
    assert raised.effect == pytest.approx(raised.measured_mean - raised.expected_mean, abs=1e-12)


def test_the_unit_of_the_kpi_does_not_matter() -> None:
    """A KPI in percent has a hundred times the effect of the same KPI as a share, and the same verdict."""
    values = released(50 + stable(np.random.default_rng(1)), 1.5) / 100
    share, percent = assessed(values, BEFORE), assessed(values * 100, BEFORE)
    assert percent.effect == pytest.approx(100 * share.effect, rel=1e-9)
    assert percent.high == pytest.approx(100 * share.high, rel=1e-6)
    assert percent.verdict == share.verdict


def test_the_same_series_gives_the_same_assessment() -> None:
    """Assessing twice gives equal numbers to the last bit, so that a repeated event changes nothing."""
    values = wandering(np.random.default_rng(5))
    assert astuple(assessed(values, BEFORE, season=7)) == astuple(assessed(values.tolist(), BEFORE, season=7))


def test_lower_may_be_better() -> None:
    """A clear rise of a KPI such as churn is a worsening, and a clear fall an improvement."""
    values = stable(np.random.default_rng(2))
    assert assessed(released(values, 4.0), BEFORE, higher_is_better=False).verdict == "worsened"
    assert assessed(released(values, -4.0), BEFORE, higher_is_better=False).verdict == "improved"
    assert assessed(released(values, -4.0), BEFORE).verdict == "worsened"


def test_it_says_when_it_could_not_have_seen_the_effect() -> None:
    """Where nothing shows, the verdict depends on whether an effect that matters would have shown."""
    values = stable(np.random.default_rng(0))
    found = assessed(values, BEFORE, effect_of_interest=5.0)
    assert found.verdict == "no_visible_change"
    assert 0.3 < found.minimum_detectable < 2.0
    assert assessed(values, BEFORE, effect_of_interest=0.1).verdict == "cannot_tell"


def test_a_control_takes_the_market_out() -> None:
    """A rise that an untouched control shares is no effect of the release."""
    rng = np.random.default_rng(4)
    market = released(stable(rng), 5.0)
    values = 10 + 2 * market + rng.normal(size=len(market)) * 0.5
    assert assessed(values, BEFORE).effect == pytest.approx(10.0, abs=1.5)
    found = assessed(values, BEFORE, controls=market)
    assert abs(found.effect) < 1.0
    assert found.low < 0 < found.high


def test_a_weekly_pattern_is_no_effect() -> None:
    """A release before a weekend of a KPI that falls at weekends is not blamed for it when the season is known."""
    rng = np.random.default_rng(6)
    values = 50 + np.tile([1.0, 1, 1, 1, 1, -4, -4], 10)[:68] + rng.normal(size=68) * 0.3
    assert assessed(values, 61, season=7).verdict in {"no_visible_change", "cannot_tell"}


def test_missing_periods_are_skipped() -> None:
    """A period without a value, a control or any answer is not counted, and is still given an expectation."""
    values, control = stable(np.random.default_rng(7)), stable(np.random.default_rng(8))
    sizes = np.full(len(values), 40.0)
    values[10], control[20], sizes[80] = np.nan, np.nan, 0.0
    found = assessed(values, BEFORE, controls=control, sizes=sizes)
    assert (found.n_before, found.n_after) == (68, 29)
    assert len(found.expected) == 100
    assert np.isfinite(found.expected).all()


def test_answers_behind_a_share_decide_how_sure_it_is() -> None:
    """The same shares from 2,000 answers a week each are surer than from 20."""
    shares = 0.7 + 0.01 * np.tile([1.0, -1.0, 0.5, -0.5], 8)
    few, many = np.full(32, 20), np.full(32, 2000)
    unsure = assessed(shares, 24, sizes=few, answer_variance=share_variance(shares, few))
    sure = assessed(shares, 24, sizes=many, answer_variance=share_variance(shares, many))
    assert unsure.high - unsure.low > 2 * (sure.high - sure.low)


def test_the_variance_of_an_answer() -> None:
    """Shares of .6 and .8 behind 30 and 10 answers pool to .65, variance .2275; unanimity does not make certain."""
    assert share_variance([0.6, 0.8], [30, 10]) == pytest.approx(0.2275)
    assert share_variance([60.0, 80.0], [30, 10], whole=100) == pytest.approx(2275.0)
    assert share_variance([1.0, 1.0], [5, 5]) == pytest.approx(0.0196)
    with pytest.raises(ValueError, match="no period has both"):
        share_variance([float("nan")], [5])


def test_one_wild_period_does_not_drown_the_rest() -> None:
    """A value a million times too large before the release, say a wrong unit, leaves the interval usable."""
    values = released(stable(np.random.default_rng(9)), 3.0)
    values[30] = 5e7
    found = assessed(values, BEFORE)
    assert found.verdict == "improved"
    assert found.effect == pytest.approx(3.0, abs=1.0)


def test_a_kpi_that_never_moves() -> None:
    """A constant KPI is assessed without a division by zero: no change seen; a jump out of constancy is a change."""
    still = assessed([5.0] * 20, 10)
    assert still.verdict == "no_visible_change"
    assert still.effect == pytest.approx(0.0, abs=1e-12)
    assert assessed([0.0] * 10 + [5.0] * 10, 10).verdict == "improved"


@pytest.mark.parametrize("amount", [5e-324, 1e-300, 1e-160, 1e100])
@pytest.mark.parametrize("answers", [None, 1.0, 2.0**53])
def test_amounts_at_the_edge_of_what_numbers_hold(amount: float, answers: float | None) -> None:
    """A KPI of vanishing or of the largest accepted amounts gets a finite interval, however many answers are behind."""
    values = amount * stable(np.random.default_rng(1)) / 50
    known = {"sizes": np.full(len(values), answers), "answer_variance": 1.0} if answers else {}
    got = assessed(values, BEFORE, **known)
    assert np.isfinite([got.effect, got.low, got.high, got.minimum_detectable]).all()


def test_over_zero_a_relative_effect_is_undefined() -> None:
    """A KPI around zero has an effect but no relative effect; one around 50 has both."""
    values = stable(np.random.default_rng(10))
    around_zero = assessed(values - 50, BEFORE)
    assert (around_zero.relative, around_zero.relative_low, around_zero.relative_high) == (None, None, None)
    found = assessed(released(values, 5.0), BEFORE)
    assert found.relative is not None
    assert found.relative_low is not None
    assert found.relative_high is not None
    assert 0.05 < found.relative_low < 0.1 < found.relative_high < 0.15
    assert found.relative == pytest.approx(0.1, abs=0.02)


def test_no_effect_is_certain() -> None:
    """However large the effect, p stays at the floor of one in ten thousand."""
    assert assessed(released(stable(np.random.default_rng(11)), 500.0), BEFORE).p == 0.0001


def test_too_little_data_says_what_is_needed() -> None:
    """Too few measured periods give a count of those that are missing, and no exception."""
    assert assess([1.0, 2.0, 3.0, float("nan"), 5.0], 2) == NotYet(6, 1)
    assert str(NotYet(6, 1)) == (
        "Not yet: needs 6 more measured periods before the release and 1 more measured period after the release."
    )
    assert assess([], 0) == NotYet(8, 3)
    assert assess(np.arange(30.0), 20, season=12) == NotYet(4, 0)


def test_controls_that_are_never_measured_before_the_release() -> None:
    """A control without one value before the release leaves nothing to compare, and that is said, not raised."""
    assert assess(np.arange(30.0), 20, controls=[float("nan")] * 30) == NotYet(8, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"released_index": 99}, "released_index is 99: with 30 values it must lie from 0 to 30"),
        ({"sizes": [1.0]}, "sizes has 1 periods, values has 30"),
        ({"controls": [float("inf")] * 30}, "controls holds an infinite number at period 0"),
        ({"season": 1}, "season is 1"),
        ({"drift": 2.0}, "drift is a probability"),
        ({"answer_variance": 0.2}, "answer_variance needs sizes"),
        ({"sizes": [5.0] * 30, "answer_variance": 0.0}, "answer_variance is 0.0"),
    ],
)
def test_wrong_input_is_named(options: dict[str, object], message: str) -> None:
    """Input that cannot be meant is refused with what is wrong and what would be right."""
    with pytest.raises(ValueError, match=message):
        assess(np.arange(30.0), **{"released_index": 20, **options})  # type: ignore[arg-type]
