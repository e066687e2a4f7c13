"""Answers to `weighting.json` from the roadmap's weighting and calibration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.roadmap.priority import calibration, weighting
from services.roadmap.priority.audience import audience
from services.roadmap.priority.calibration import Margin
from services.roadmap.priority.frame import Frame
from tests.cases import NotAnswered

Input = Mapping[str, Any]
Floats = NDArray[np.float64]


def answer(case: dict[str, Any], data: Path) -> dict[str, Any]:  # noqa: ARG001 - no case names a file
    name = case["method"].split(" (")[0]
    for prefix, method in METHODS.items():
        if name.startswith(prefix):
            return method(case["input"])
    raise NotAnswered(f"{case['method']}: no such weighting in the product")


def _plain(values: Floats) -> Any:
    """Nested lists, NaN as None: undefined."""
    plain = values.astype(object)
    plain[np.isnan(values)] = None
    return plain.tolist()


def _two_margins(given: Input) -> list[Margin]:
    return [Margin((0,), given["population_margin_a"]), Margin((1,), given["population_margin_b"])]


def _post_stratify(given: Input) -> dict[str, Any]:
    weights = weighting.post_stratify(given["sample_counts_a_by_b"], given["population_counts_a_by_b"])
    return {"weights": _plain(weights), "weights_exact": _plain(weights)}


def _rake_cells(given: Input) -> dict[str, Any]:
    weights = calibration.rake(given["sample_counts_a_by_b"], _two_margins(given)).weights
    return {"weights": _plain(weights), "weights_exact": _plain(weights)}


def _calibrate(distance: calibration.Distance) -> Callable[[Input], dict[str, Any]]:
    def method(given: Input) -> dict[str, Any]:
        low_high = tuple(given["bounds"]) if "bounds" in given else None
        found = calibration.calibrate(
            given["sample_counts_a_by_b"], _two_margins(given), distance=distance, bounds=low_high
        )
        return {"weights": _plain(found.weights)}

    return method


def _fit(given: Input) -> dict[str, Any]:
    margins = [Margin((0,), given["row_targets"]), Margin((1,), given["col_targets"])]
    return {"fitted": calibration.rake(given["seed"], margins).fitted.tolist()}


def _kish(given: Input) -> dict[str, Any]:
    deff = weighting.design_effect(given["weights"])
    return {"deff": deff, "n_eff": weighting.effective_sample_size(given["weights"]) if deff is not None else None}


def _empty_cell(given: Input) -> dict[str, Any]:
    found = weighting.coverage(given["participants"], given["population_share"])
    return {"status": found.status, "covered_population_share": found.covered_share}


def _post_stratify_rows(given: Input) -> dict[str, Any]:
    targets = given["target_cell_totals"]
    columns = next(iter(targets)).count("|") + 1
    cells = ["|".join(str(value) for value in list(row.values())[:columns]) for row in given["rows"]]
    design = given.get("design_weights") or [1.0] * len(cells)
    return {"weights": _plain(weighting.post_stratify_rows(cells, design, targets))}


def _rake_rows(given: Input) -> dict[str, Any]:
    """Persons to a table of design weights, raked, and back: all persons of a cell are scaled alike."""
    names = list(given["population"])
    levels = [list(given["population"][name]) for name in names]
    design = np.array(given.get("design_weights") or [1.0] * len(given["rows"]))
    places = tuple(
        np.array([level.index(str(row[name])) for row in given["rows"]])
        for name, level in zip(names, levels, strict=True)
    )
    table = np.zeros([len(level) for level in levels])
    np.add.at(table, places, design)
    margins = [Margin((axis,), list(given["population"][name].values())) for axis, name in enumerate(names)]
    return {"weights": _plain(calibration.rake(table, margins).weights[places] * design)}


def _measures(weights: ArrayLike, cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Weighted mean and total of each `sum_<measure>` over the cells."""
    counts, held = np.array([cell["n"] for cell in cells]), np.asarray(weights, dtype=np.float64)
    found: dict[str, Any] = {}
    for column in (name for name in cells[0] if name.startswith("sum_")):
        sums = np.array([cell[column] for cell in cells])
        measure = column.removeprefix("sum_")
        found[f"mean_{measure}"] = weighting.weighted_mean(held, counts, sums)
        found[f"total_{measure}"] = float(np.sum((held * sums)[counts > 0]))
    return found


def _mean_unweighted(given: Input) -> dict[str, Any]:
    return _measures(np.ones(len(given["cells"])), given["cells"])


def _mean_joint(given: Input) -> dict[str, Any]:
    joint = given["population_joint"]
    names = [name for name in joint[0] if name != "N"]
    size = {tuple(row[name] for name in names): row["N"] for row in joint}
    return _mean_by(given["cells"], names, size)


def _mean_by_margin(given: Input) -> dict[str, Any]:
    [(name, totals)] = given["population"].items()
    return _mean_by(given["cells"], [name], {(level,): total for level, total in totals.items()})


def _mean_by(
    cells: Sequence[Mapping[str, Any]], names: Sequence[str], size: Mapping[tuple[Any, ...], float]
) -> dict[str, Any]:
    strata = [tuple(cell[name] for name in names) for cell in cells]
    people = weighting.post_stratify_rows(strata, [cell["n"] for cell in cells], size)
    counts = np.array([cell["n"] for cell in cells], dtype=np.float64)
    return _measures(weighting.post_stratify(counts, people), cells)


def _mean_raked(given: Input) -> dict[str, Any]:
    names, cells = list(given["population"]), given["cells"]
    levels = [list(given["population"][name]) for name in names]
    places = tuple(
        np.array([level.index(cell[name]) for cell in cells]) for name, level in zip(names, levels, strict=True)
    )
    table = np.zeros([len(level) for level in levels])
    np.add.at(table, places, [cell["n"] for cell in cells])
    margins = [Margin((axis,), list(given["population"][name].values())) for axis, name in enumerate(names)]
    return _measures(calibration.rake(table, margins).weights[places], cells)


def _mean_raked_joint(given: Input) -> dict[str, Any]:
    counts = given["counts_stype_schwide_compimp"]
    margins = [Margin((0, 1), given["population_joint_stype_schwide"]), Margin((2,), given["population_comp_imp"])]
    weights = calibration.rake(counts, margins).weights
    return {"mean_api00": weighting.weighted_mean(weights, counts, given["sum_api00"])}


def _trim(given: Input) -> dict[str, Any]:
    """Names carry the number of people: `loyal (x100)`."""
    parsed = [(re.fullmatch(r"(.+?)(?: \(x(\d+)\))?", name), weight) for name, weight in given["weights"].items()]
    names = [match[1] for match, _ in parsed if match]
    counts = [int(match[2] or 1) for match, _ in parsed if match]
    trimmed = weighting.trim([weight for _, weight in parsed], counts, given["cap_ratio"])
    return {
        **dict(zip(names, trimmed.tolist(), strict=True)),
        "n_eff": weighting.effective_sample_size(trimmed, counts),
    }


def _support(given: Input) -> dict[str, Any]:
    everybody = audience(given["participants"], Frame(given["population_share"]))
    votes = {idea: sum(by_cell.values()) for idea, by_cell in given["supporters"].items()}
    shares = _shares(given, dict.fromkeys(votes, 0.0), 0.0)
    return {
        "raw_votes": votes,
        "raw_rank": _ranked(votes),
        "weights": {
            cell: everybody.cells[cell].weight if count else None for cell, count in given["participants"].items()
        },
        "share": shares,
        "rank": _ranked({idea: share for idea, share in shares.items() if share is not None}),
        "n_eff": everybody.n_eff,
    }


def _support_shrunk(given: Input) -> dict[str, Any]:
    people = sum(given["participants"].values())
    raw = {idea: sum(by_cell.values()) / people for idea, by_cell in given["supporters"].items()}
    prior = given["p0"]
    if isinstance(prior, int | float):
        priors = dict.fromkeys(raw, float(prior))
    elif "mean" in prior:
        priors = dict.fromkeys(raw, sum(raw.values()) / len(raw))
    else:
        priors = raw
    return {"share": _shares(given, priors, given["alpha"])}


def _shares(given: Input, priors: Mapping[str, float], alpha: float) -> dict[str, float | None]:
    cells = list(given["population_share"])
    population = [given["population_share"][cell] for cell in cells]
    active = [given["participants"].get(cell, 0) for cell in cells]
    shares = {}
    for idea, by_cell in given["supporters"].items():
        by_order = [by_cell.get(cell, 0) for cell in cells]
        share = float(np.dot(population, weighting.shrunk_shares(by_order, active, priors[idea], alpha)))
        shares[idea] = None if np.isnan(share) else share
    return shares


def _ranked(scores: Mapping[str, float]) -> list[str]:
    return sorted(scores, key=lambda name: -scores[name])


METHODS: dict[str, Callable[[Input], dict[str, Any]]] = {
    "calibration_linear": _calibrate("linear"),
    "calibration_truncated_linear": _calibrate("linear"),
    "calibration_logit": _calibrate("logit"),
    "iterative_proportional_fitting": _fit,
    "kish_design_effect": _kish,
    "post_stratification_cell_weights": _post_stratify,
    "post_stratification_empty_sample_cell": _empty_cell,
    "post_stratification_row_weights": _post_stratify_rows,
    "post_stratified_mean_and_total": _mean_by_margin,
    "post_stratified_mean": _mean_joint,
    "post_stratified_share_with_pseudo_counts": _support_shrunk,
    "post_stratified_support_share": _support,
    "raked_mean_and_total": _mean_raked,
    "raked_mean": _mean_raked_joint,
    "raking_cell_weights": _rake_cells,
    "raking_row_weights": _rake_rows,
    "unweighted_mean": _mean_unweighted,
    "weight_trimming": _trim,
}
