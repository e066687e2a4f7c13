"""Sentences about KPIs and releases."""

from dataclasses import replace
from datetime import date

from services.kpi import words
from services.kpi.effects import Impact
from services.kpi.impact import NotYet
from services.kpi.kpis import Kpi, Objective
from shared.ui.words import DEFAULT
from tests.kpi.examples import FIRST, RELEASED

CSAT = Kpi("csat", FIRST, "CSAT", "%")
IMPACT = Impact(RELEASED, "%", "improved", 4.93, 4.31, 5.58, 0.82, 20, 8)


def sentence(impact: Impact) -> str:
    return words.effect(impact, CSAT, "New export", DEFAULT)


def test_every_verdict_is_a_sentence() -> None:
    """The sentence has verdict, effect and interval; where nothing shows, what would have shown."""
    worsened = replace(IMPACT, verdict="worsened", effect=-4.93, low=-5.58, high=-4.31)
    unmoved = replace(IMPACT, verdict="no_visible_change", effect=0.2, low=-0.5, high=0.9, smallest_visible=1.04)
    unknown = replace(IMPACT, verdict="cannot_tell", effect=2, low=-8.1, high=11.6, smallest_visible=14.07)
    assert sentence(IMPACT) == "CSAT rose by 4.9 points after “New export” (95% interval +4.3 to +5.6)."
    assert sentence(worsened) == "CSAT fell by 4.9 points after “New export” (95% interval −5.6 to −4.3)."
    assert sentence(unmoved) == (
        "No visible change in CSAT after “New export” (95% interval −0.50 to +0.90); "
        "1.0 points or more would have shown."
    )
    assert sentence(unknown) == (
        "Cannot tell whether “New export” moved CSAT (95% interval −8 to +12): "
        "only a change of 14 points or more would have shown."
    )


def test_numbers_have_the_digits_that_count() -> None:
    """Small and large values are rounded to what can be read, and carry their unit."""
    assert words.level(72.345, "%", DEFAULT) == "72.3%"
    assert words.level(1234567, "users", DEFAULT) == "1,234,567 users"
    assert words.level(0.001234, None, DEFAULT) == "0.00123"
    assert words.level(0, "min", DEFAULT) == "0 min"
    assert words.amount(-3.14159, "min", DEFAULT, sign=True) == "−3.1 min"
    assert words.amount(5, None, DEFAULT, sign=True) == "+5.0"


def test_standing_and_goals_are_words() -> None:
    """A change, an objective and the people behind a feature read as text."""
    assert words.change(0, "%", DEFAULT) == "As the period before"
    assert words.change(-1.5, "%", DEFAULT) == "−1.5 points on the period before"
    assert words.goal(Objective(70, 80), "%", DEFAULT) == "From 70% to 80%"
    assert words.goal(Objective(5, 3.5, date(2026, 6, 30)), "min", DEFAULT) == "From 5 min to 3.5 min by 30 Jun 2026"
    assert [words.asked_for(people) for people in (0, 1, 12)] == [
        "Nobody asked for it in an interview.",
        "Asked for by one interviewee.",
        "Asked for by 12 interviewees.",
    ]


def test_waiting_says_for_what() -> None:
    """What is missing is a number of periods, or cannot come because the next release came too soon."""
    assert words.waiting(NotYet(0, 2), None) == "Not yet: needs 2 more measured periods after the release."
    assert words.waiting(NotYet(3, 0), "Sharing") == "Not yet: needs 3 more measured periods before the release."
    assert words.waiting(NotYet(0, 2), "Sharing") == (
        "“Sharing” came too soon after it: their effects cannot be told apart."
    )
