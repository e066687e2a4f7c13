import pytest

from services.kpi import formulas
from services.kpi.formulas import Period


def test_csat_is_the_top_two_boxes() -> None:
    """40, 30, 15, 10 and 5 answers from best to worst: 70 % satisfied, 40 % delighted, net 55 %, mean 3.9."""
    found = formulas.satisfaction({5: 40, 4: 30, 3: 15, 2: 10, 1: 5}, 5)
    assert (found.csat, found.top_box, found.net, found.mean) == pytest.approx((0.7, 0.4, 0.55, 3.9))
    assert (found.satisfied, found.answers) == (70, 100)


def test_nobody_asked_is_not_nobody_satisfied() -> None:
    """Without answers every satisfaction figure is undefined."""
    found = formulas.satisfaction({}, 5)
    assert (found.csat, found.top_box, found.net, found.mean) == (None, None, None, None)
    assert formulas.net_promoter(0, 0, 0).score is None


def test_an_answer_off_the_scale_is_refused() -> None:
    """A 6 on a scale of 5, an 11 as a recommendation and an answer without a weight are named."""
    with pytest.raises(ValueError, match="answer 6 is not a count on a scale of 1 to 5"):
        formulas.satisfaction({6: 1}, 5)
    with pytest.raises(ValueError, match="score 11 is not on the scale"):
        formulas.net_promoter_of([11])
    with pytest.raises(ValueError, match="'so-so' has no weight"):
        formulas.weighted_mean({"good": 1.0}, {"so-so": 2})


def test_a_scaled_mean_is_not_csat() -> None:
    """Weights 1, .75, .5, .25, 0 give five very good, two good and one bad answer 84.375 %."""
    weights = {"very good": 1.0, "good": 0.75, "average": 0.5, "bad": 0.25, "very bad": 0.0}
    assert formulas.weighted_mean(weights, {"very good": 5, "good": 2, "bad": 1}) == 0.84375


def test_nps_and_its_error() -> None:
    """60 promoters, 20 passives and 20 detractors: 40 points, plus or minus 15.68."""
    found = formulas.net_promoter(60, 20, 20)
    assert found.interval is not None
    assert (found.score, found.error) == pytest.approx((40.0, 8.0))
    assert (found.interval.low, found.interval.high) == pytest.approx((24.32, 55.68), abs=0.001)


def test_nps_bands() -> None:
    """9 and 10 promote, 7 and 8 are passive, 6 and below detract."""
    found = formulas.net_promoter_of([10, 9, 8, 7, 6, 0])
    assert (found.promoters, found.passives, found.detractors) == (2, 2, 2)


def test_growth_does_not_hide_churn() -> None:
    """From 100 to 110 with 20 new customers, 10 were lost: churn is 10 %, retention 90 %, shrinkage -10 %."""
    period = Period(start=100, end=110, new=20)
    assert (period.lost, period.churn, period.retention, period.shrinkage) == (10, 0.1, 0.9, -0.1)
    assert Period(start=0, end=5, new=5).churn is None


def test_churn_compounds() -> None:
    """5 % a month is 46 % a year, not 60 %."""
    assert formulas.annual_churn(0.05) == pytest.approx(0.459640, abs=1e-6)


def test_progress_may_be_negative_or_undefined() -> None:
    """Halfway is .5, backwards is negative, an objective that asks for nothing has none."""
    assert formulas.progress(70, 77, 73.5) == 0.5
    assert formulas.progress(70, 77, 68) == pytest.approx(-0.285714, abs=1e-6)
    assert formulas.progress(70, 70, 70) is None


@pytest.mark.parametrize(("current", "word"), [(50, "on track"), (46, "progressing"), (44, "off track")])
def test_pace(current: float, word: str) -> None:
    """Against a plan of 50 after half the time: at it, within 10 % of it, and further off."""
    planned = formulas.planned_progress(0, 100, 30, 60)
    assert planned == 50.0
    assert formulas.pace(current, planned) == word


def test_rollup() -> None:
    """30, 30 and 40 % weighted 40, 20 and 40 are 34 %; unweighted a third of 100."""
    assert formulas.rollup([0.3, 0.3, 0.4], [0.4, 0.2, 0.4]) == pytest.approx(0.34)
    assert formulas.rollup([0.3, 0.3, 0.4]) == pytest.approx(1 / 3)
    assert formulas.rollup([]) is None
    with pytest.raises(ValueError, match="2 key results have 1 weights"):
        formulas.rollup([0.3, 0.3], [1.0])


def test_a_stage_decides_what_counts() -> None:
    """Weights .6 and .4 on progress 1.5 (counted as 1) and -.2 (as 0) score .6; all weighed must be measured."""
    assert formulas.stage_score({"acquisition": 0.6, "retention": 0.4}, {"acquisition": 1.5, "retention": -0.2}) == 0.6
    with pytest.raises(ValueError, match="'retention' has a weight but no progress"):
        formulas.stage_score({"retention": 1.0}, {})
