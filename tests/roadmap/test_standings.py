"""All ideas as arrays: the same numbers as one by one, to the last bit."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.roadmap.priority.audience import audience
from services.roadmap.priority.frame import Frame
from services.roadmap.priority.measured import Idea, prioritise
from services.roadmap.priority.standings import Standing, Standings, ranks

CELLS = ["a|x|–", "a|y|–", "b|x|–", "b|y|–", "–|–|–"]


def standing(name: str, people: dict[str, int], **facts: object) -> Standing:
    speakers = sum(min(count, 3) for count in people.values())
    given_facts = {
        "status": "new",
        "effort_weeks": None,
        "kpi_ids": (),
        "supporters": sum(people.values()),
        "momentum": 0.0,
        "created_at": 0.0,
        "hidden": False,
        "cells": list(people),
        "people": list(people.values()),
        "importance": 2 * speakers,
        "speakers": speakers,
    } | facts
    return Standing(feature_id=name, **given_facts)  # type: ignore[arg-type]  # spelled out above


ideas = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(CELLS), st.integers(1, 30), max_size=5),
        st.none() | st.floats(0.01, 100),
        st.sampled_from([(), ("activation",), ("churn", "activation")]),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(
    drawn=ideas,
    active=st.dictionaries(st.sampled_from(CELLS), st.integers(0, 25), max_size=5),
    customers=st.dictionaries(st.sampled_from(CELLS), st.floats(0, 1e6), max_size=5),
    trim_ratio=st.none() | st.just(5.0),
    p0=st.floats(0, 1),
)
@example(drawn=[({"a|x|–": 1}, None, ())], active={"a|x|–": 1}, customers={}, trim_ratio=None, p0=0.5)
def test_arrays_give_what_each_idea_gets_alone(
    drawn: list[tuple[dict[str, int], float | None, tuple[str, ...]]],
    active: dict[str, int],
    customers: dict[str, float],
    trim_ratio: float | None,
    p0: float,
) -> None:
    """Whatever the votes and the frame, score, share and interval are exactly those of the explanation."""
    everybody = audience(active, Frame(customers, trim_ratio=trim_ratio, collapses={("plan", "y"): "x"}))
    gaps = {"activation": 0.4, "churn": 0.9}
    stored = [
        standing(f"idea-{place}", people, effort_weeks=effort, kpi_ids=kpis)
        for place, (people, effort, kpis) in enumerate(drawn)
    ]
    terms = Standings().updated(stored).terms(everybody, p0, gaps)
    for row, (people, effort, kpis) in enumerate(drawn):
        speakers = sum(min(count, 3) for count in people.values())
        gap = max((gaps[kpi] for kpi in kpis), default=0.0)
        one = prioritise(Idea(people, 2 * speakers, speakers, kpi_gap=gap, effort_weeks=effort), everybody, p0)
        assert reduce(add, (line.contribution for line in one.rows), 0.0) == terms.share[row]
        assert (terms.low[row], terms.high[row]) == one.interval
        assert (terms.impact[row], terms.kpi_factor[row], terms.effort[row]) == (
            one.impact,
            one.kpi_factor,
            one.effort_weeks,
        )
        assert (terms.reach[row], terms.score[row]) == (one.conservative_reach, one.score)


def test_an_update_replaces_what_was_known_of_an_idea() -> None:
    """People who left a cell are gone from it, a new idea and a new cell get their place, and nothing else changes."""
    before = Standings().updated([standing("b", {"a|x|–": 2}), standing("c", {"a|x|–": 1})])
    after = before.updated([standing("b", {"b|y|–": 3}), standing("a", {"a|x|–": 7})])
    assert (after.ids, after.cells) == (("b", "c", "a"), ("a|x|–", "b|y|–"))
    assert after.people.tolist() == [[0, 3], [1, 0], [7, 0]]
    assert before.people.tolist() == [[2], [1]]


def test_order_is_by_key_then_people_then_id() -> None:
    """Equal keys go by supporters and then by id; an idea without a key is behind all that have one."""
    given_ideas = [standing("d", {}), standing("b", {}), standing("a", {}), standing("c", {"a|x|–": 1})]
    known = Standings().updated(given_ideas)
    order = known.order(np.array([np.nan, 1.0, 1.0, 1.0]))
    assert [known.ids[row] for row in order] == ["c", "a", "b", "d"]
    assert ranks(order, 4).tolist() == [4, 3, 2, 1]


def test_hidden_ideas_and_other_statuses_have_no_rank() -> None:
    """A merged idea is in no order; a shipped one only where shipped ones are asked for."""
    given_ideas = [standing("a", {}), standing("b", {}, hidden=True), standing("c", {}, status="shipped")]
    known = Standings().updated(given_ideas)
    assert ranks(known.order(np.zeros(3), ["new"]), 3).tolist() == [1, 0, 0]
    assert ranks(known.order(np.zeros(3)), 3).tolist() == [1, 0, 2]


def test_mean_support_is_over_ranked_ideas() -> None:
    """Three of four people for one idea and none for the other is a mean of 3/8; what is hidden does not count."""
    given_ideas = [standing("a", {"a|x|–": 3}), standing("b", {}), standing("c", {"a|x|–": 4}, hidden=True)]
    assert Standings().updated(given_ideas).mean_support(4) == 0.375
