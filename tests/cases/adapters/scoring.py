"""Answers to `scoring.json` from the roadmap's scoring and priority."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from services.roadmap.priority import audience, measured, scoring
from services.roadmap.priority.frame import Frame
from tests.cases import NotAnswered

Input = Mapping[str, Any]


def answer(case: dict[str, Any], data: Path) -> dict[str, Any]:  # noqa: ARG001 - no case names a file
    given, name = case["input"], case["method"].split(":")[0].split(" (")[0]
    if name in SCORES:
        return {"score": _or_undefined(lambda: SCORES[name](given))}
    if name not in METHODS:
        raise NotAnswered(f"{case['method']}: no such score in the product")
    return METHODS[name](given)


def _or_undefined(compute: Callable[[], float]) -> float | None:
    """The product refuses to divide by zero with an error; in a case file that reads `null`."""
    try:
        return compute()
    except ValueError:
        return None


def _customer_importance(given: Input) -> float:
    events = [scoring.ImportanceEvent(*event) for event in given["events"]]
    return sum(scoring.latest_importance(events).values())


def _bayesian(given: Input) -> dict[str, Any]:
    prior = {"prior_mean": given["prior_mean"], "prior_weight": given["prior_weight"]}
    pairs = zip(given["n"], given["mean"], strict=True)
    return {"score": [_or_undefined(partial(scoring.bayesian_average, n, mean, **prior)) for n, mean in pairs]}


def _momentum(given: Input) -> dict[str, Any]:
    start = given.get("start")
    momentum = scoring.NO_MOMENTUM if start is None else float(start)
    scores = []
    for voted_at in given["vote_times_ms"]:
        momentum = scoring.add_vote(momentum, voted_at, given["period_ms"])
        scores.append(momentum)
    return {"scores": scores, "score": momentum if math.isfinite(momentum) else None}


def _kano_table(given: Input) -> dict[str, Any]:
    rows, columns = given["rows_functional"], given["cols_dysfunctional"]
    return {"table": [[scoring.kano_class(row, column) for column in columns] for row in rows]}


def _kano_coefficients(given: Input) -> dict[str, Any]:
    found = scoring.kano_coefficients({"A": given["A"], "O": given["O"], "M": given["M"], "I": given["I"]})
    return {"better": found.better if found else None, "worse": found.worse if found else None}


def _measured_rice(given: Input) -> dict[str, Any]:
    settings = audience.Settings(
        pseudo_participants=given["alpha"], confidence=given["confidence"], kpi_weight=given["gamma"]
    )
    people = {cell: share * given["population"] for cell, share in given["population_share"].items()}
    everybody = audience.audience(given["participants"], Frame(people), settings)
    ideas = {
        name: measured.Idea(
            supporters,
            default_impact=given["impact"][name],
            kpi_gap=given["kpi_gap"][name],
            effort_weeks=given["effort"][name],
        )
        for name, supporters in given["supporters"].items()
    }
    total = sum(sum(idea.supporters.values()) for idea in ideas.values())
    p0 = given["p0"]
    if not isinstance(p0, int | float):
        p0 = measured.mean_support(total, len(ideas), everybody.active)
    found = {name: measured.prioritise(idea, everybody, p0, settings) for name, idea in ideas.items()}
    return {"n_eff": everybody.n_eff, "p0": p0, "ideas": {name: _terms(score) for name, score in found.items()}}


def _terms(found: measured.Priority) -> dict[str, float]:
    return {
        "raw_votes": found.raw_votes,
        "share": found.share,
        "lower_bound": found.interval[0],
        "conservative_reach": found.conservative_reach,
        "score": found.score,
    }


SCORES: dict[str, Callable[[Input], float]] = {
    "rice": lambda given: scoring.rice(**given),
    "ice": lambda given: scoring.ice(**given),
    "wsjf": lambda given: scoring.wsjf(**given),
    "opportunity": lambda given: scoring.opportunity(**given),
    "hacker_news": lambda given: scoring.hacker_news(**given),
    "wilson_lower_bound_95": lambda given: scoring.wilson_lower_bound(**given),
    "productboard_customer_importance": _customer_importance,
}

METHODS: dict[str, Callable[[Input], dict[str, Any]]] = {
    "bayesian_average": _bayesian,
    "forward_exponential_decay": _momentum,
    "forward_exponential_decay_log_sum": _momentum,
    "kano_evaluation_table": _kano_table,
    "kano_satisfaction_coefficients": _kano_coefficients,
    "measured RICE": _measured_rice,
}
