"""Other formulas over the same inputs: their values by hand, and what they say when something is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.roadmap.priority.kano import kano
from services.roadmap.priority.lenses import LANDMARK, LENSES, Estimates, Inputs, LensName, read
from services.roadmap.priority.scoring import KanoAnswer

DAY = 86_400
FULL = Estimates(
    impact=2.0,
    confidence=0.8,
    ease=5.0,
    value=8.0,
    criticality=5.0,
    risk=3.0,
    importance=9.0,
    satisfaction=3.0,
    kano={("like", "dislike"): 6, ("like", "neutral"): 3, ("neutral", "neutral"): 1},
)
GIVEN = Inputs(
    estimates=FULL,
    reach=500.0,
    supporters=11,
    momentum=3.0,
    effort_weeks=4.0,
    revenue=1200.0,
    created_at=LANDMARK - 8 * 3600.0,
    now=float(LANDMARK),
)


@pytest.mark.parametrize(
    ("lens", "value"),
    [
        ("momentum", 3.0),
        ("revenue", 1200.0),
        ("rice", 869.6428571),  # 500 x 2 x 0.8 / (4 / 4.348214)
        ("wsjf", 4.0),  # (8 + 5 + 3) / 4
        ("ice", 266.6666667),  # 6.67 x 8 x 5
        ("kano", 1.5),  # 9 of 10 would be satisfied, 6 of 10 annoyed
        ("opportunity", 15.0),  # 9 + (9 - 3)
        ("hot", 0.1584893),  # 10 / 10 ** 1.8
    ],
)
def test_each_lens_by_hand(lens: LensName, value: float) -> None:
    """The formula as its authors wrote it."""
    assert read(lens, GIVEN).value == pytest.approx(value)


@pytest.mark.parametrize(("lens", "value"), [("rice", 13914.2857143), ("wsjf", 64.0)])
@pytest.mark.parametrize("effort", [5e-324, 0.1, 0.25])
def test_effort_never_counts_as_less_than_a_quarter_of_a_week(lens: LensName, value: float, effort: float) -> None:
    """As in the measured score: what takes next to nothing would have the value of everything else together."""
    assert read(lens, replace(GIVEN, effort_weeks=effort)).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("lens", "missing"),
    [
        ("rice", ("impact", "confidence", "effort_weeks")),
        ("wsjf", ("value", "criticality", "risk", "effort_weeks")),
        ("ice", ("impact", "confidence", "ease")),
        ("kano", ("kano",)),
        ("opportunity", ("importance", "satisfaction")),
        ("revenue", ("revenue",)),
    ],
)
def test_a_lens_names_what_it_lacks(lens: LensName, missing: tuple[str, ...]) -> None:
    """Without inputs there is no number, and each missing one is named."""
    found = read(lens, replace(GIVEN, estimates=Estimates(), effort_weeks=None, revenue=None))
    assert (found.value, found.missing) == (None, missing)


@pytest.mark.parametrize("name", ["impact", "confidence", "ease", "value", "criticality", "risk", "satisfaction"])
def test_a_single_missing_input_is_no_default(name: str) -> None:
    """Taking one estimate away silences every lens that asks for it."""
    changes: dict[str, Any] = {name: None}
    poorer = replace(GIVEN, estimates=replace(FULL, **changes))
    silenced = [lens for lens in LENSES if read(lens, poorer).value is None]
    assert silenced
    assert all(read(lens, poorer).missing == (name,) for lens in silenced)


def test_momentum_halves_every_fortnight() -> None:
    """Three votes cast now are one and a half in 14 days, whoever looks."""
    later = replace(GIVEN, now=GIVEN.now + 14 * DAY)
    assert read("momentum", later).value == pytest.approx(1.5)


def test_an_idea_from_a_clock_ahead_has_no_negative_age() -> None:
    """Hot is finite for an idea created a moment from now."""
    assert read("hot", replace(GIVEN, created_at=GIVEN.now + DAY)).value == pytest.approx(10 / 2**1.8)


def test_kano_counts_people_by_class() -> None:
    """Each pair of answers has its class in the table of Berger et al.; most people decide."""
    answers: dict[tuple[KanoAnswer, KanoAnswer], int] = {
        ("like", "dislike"): 2,
        ("neutral", "dislike"): 2,
        ("like", "like"): 1,
    }
    found = kano(answers)
    assert found is not None
    assert {kind: count for kind, count in found.people.items() if count} == {"O": 2, "M": 2, "Q": 1}
    assert found.most == "M"
    assert found.coefficients == (0.5, -1.0)


def test_answers_that_contradict_themselves_have_no_coefficients() -> None:
    """Only questionable answers: a class, but nothing to compute, and the lens says what is missing."""
    answers: dict[tuple[KanoAnswer, KanoAnswer], int] = {("like", "like"): 3}
    found = kano(answers)
    assert found is not None
    assert (found.most, found.coefficients) == ("Q", None)
    assert read("kano", replace(GIVEN, estimates=replace(FULL, kano=answers))).missing == ("kano",)
    assert kano({}) is None
