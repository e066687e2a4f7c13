"""Answers to `impact.json`: R's CausalImpact, textbook structural models, and panels with untouched units."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.kpi import panel
from services.kpi.compat import Summary, causal_impact
from services.kpi.structural import fit_local_level
from tests.cases import NotAnswered
from tests.cases.adapters.kpi import find

Answer = dict[str, Any]
Table = dict[str, list[Any]]

PANEL_METHODS: Mapping[str, panel.Method] = {
    "did": panel.difference_in_differences,
    "synthetic control": panel.synthetic_control,
    "synthetic did": panel.synthetic_difference_in_differences,
}
MONTHS = 12


def answer(case: dict[str, Any], data: Path) -> dict[str, Any]:
    name = (case.get("file") or "").split(" (")[0]
    if not name or name.startswith("("):
        raise NotAnswered("no series to assess")
    options = case.get("model_options") or {}
    table = _read(find(data, name))
    if "method" in options:
        return _panel(case, table, options)
    if "model" in options:
        return _structural(case, table, options["model"])
    return _causal_impact(case, table, options)


def _read(path: Path) -> Table:
    """Read a CSV with a header, or a JSON fixture with the response `data.y` and the controls `data.x`."""
    if path.suffix == ".json":
        held = json.loads(path.read_text(encoding="utf-8"))["data"]
        return {"y": held["y"], **(held["x"] or {})}
    with path.open(encoding="utf-8-sig", newline="") as lines:
        header, *rows = list(csv.reader(lines))
    return {name: [_cell(row[i]) for row in rows if row] for i, name in enumerate(header)}


def _cell(text: str) -> Any:
    try:
        return float(text) if text.strip() else math.nan
    except ValueError:
        return text


def _causal_impact(case: Mapping[str, Any], table: Table, options: Mapping[str, Any]) -> Answer:
    names = case["columns"] or [name for name in table if isinstance(table[name][0], float)]
    values = np.array([table[name] for name in names], dtype=float).T
    if case.get("transform") == "log":
        values = np.log(values)
    start, pre_end = _rows(table, case["pre_period"])
    released, end = _rows(table, case["post_period"])
    values[pre_end + 1 : released, 0] = np.nan
    values = values[start : end + 1]
    found = causal_impact(
        values[:, 0],
        released - start,
        controls=values[:, 1:] if values.shape[1] > 1 else None,
        prior_level_sd=options.get("prior_level_sd", 0.01),
        season=options.get("nseasons"),
        draws=options.get("niter", 1000),
    )
    return _summary(found)


def _summary(found: Summary) -> Answer:
    return {
        "avg_effect": found.average,
        "avg_sd": found.average_sd,
        "avg_ci95": list(found.average_interval),
        "cum_effect": found.cumulative,
        "cum_sd": found.cumulative_sd,
        "cum_ci95": list(found.cumulative_interval),
        "rel_effect": found.relative,
        "rel_ci95": list(found.relative_interval),
        "p_one_sided": found.p_one_sided,
        "actual_avg": found.actual_average,
        "pred_avg": found.predicted_average,
    }


def _rows(table: Table, period: Sequence[Any]) -> tuple[int, int]:
    """First and last row of a period, given as row numbers, or as values of the first column that holds them."""
    first, last = period
    for column in table.values():
        if isinstance(first, str) != isinstance(column[0], str) or column != sorted(column):
            continue
        inside = [row for row, value in enumerate(column) if first <= value <= last]
        if inside and column[inside[0]] == first:
            return inside[0], inside[-1]
    if isinstance(first, int):
        return first, last
    raise NotAnswered(f"no column holds the period {first}")


def _structural(case: Mapping[str, Any], table: Table, model: str) -> Answer:
    names = case["columns"]
    values = np.array(table[names[0]], dtype=float)
    if case.get("transform") == "log" or model.startswith("log"):
        values = np.log(values)
    regressors = {name: np.array(table[name], dtype=float) for name in names[1:]}
    step = re.search(r"step at (\d{4})", model)
    if step:
        years = next(column for column in table.values() if float(step[1]) in column)
        regressors["step"] = np.array([float(year >= float(step[1])) for year in years])
    season = MONTHS if "season" in model else None
    columns = np.column_stack(list(regressors.values())) if regressors else None
    found = fit_local_level(values, columns, season=season)
    named: Answer = {}
    for name, coefficient, error in zip(regressors, found.coefficients, found.standard_errors, strict=True):
        key = name.lower()
        named |= {key: coefficient, ("se" if key == "step" else f"{key}_se"): error}
    if "law" in named:
        named["pct"] = 100 * math.expm1(named["law"])
    if "step" in named:
        after = regressors["step"] == 1.0
        named["naive_difference"] = float(values[after].mean() - values[~after].mean())
        named["with_step_level_variance"] = found.level_variance
    return named | {
        "sigma2_irregular": found.irregular_variance,
        "sigma2_level": found.level_variance,
        "loglik": found.log_likelihood,
    }


@dataclass(frozen=True, slots=True)
class _Panel:
    treated: list[float]
    untouched: list[list[float]]
    released: int


def _panel(case: Mapping[str, Any], table: Table, options: Mapping[str, Any]) -> Answer:
    method = PANEL_METHODS.get(options["method"].lower())
    if method is None:
        raise NotAnswered(f"{options['method']}: no such comparison of units in the product")
    data = _wide(case, table, options["treated"]) or _long(case, table, options["treated"])
    found = panel.assess_panel(data.treated, data.untouched, data.released, method)
    return {"att": found.effect, "placebo_se": found.placebo_error}


def _wide(case: Mapping[str, Any], table: Table, treated: str) -> _Panel | None:
    """Read a column per unit, the period in the first."""
    if treated not in table:
        return None
    start, _ = _rows(table, case["pre_period"])
    released, end = _rows(table, case["post_period"])
    units = {name: column[start : end + 1] for name, column in list(table.items())[1:]}
    return _Panel(units.pop(treated), list(units.values()), released - start)


def _long(case: Mapping[str, Any], table: Table, treated: str) -> _Panel:
    """Read a row per unit and period: which column is which shows in what it holds."""
    first, released = case["pre_period"][0], case["post_period"][0]
    unit = next((name for name, column in table.items() if treated in column), None)
    period = next((name for name, column in table.items() if name != unit and first in column), None)
    outcomes = [name for name in case["columns"] or table if name not in {unit, period}]
    if unit is None or period is None or not outcomes:
        raise NotAnswered(f"the table does not show which rows are {treated}'s before and after")
    values: dict[str, dict[Any, float]] = {}
    for name, when, value in zip(table[unit], table[period], table[outcomes[0]], strict=True):
        values.setdefault(name, {})[when] = float(value)
    order = list(values[treated])
    rows = {name: [mine[when] for when in order] for name, mine in values.items() if set(mine) >= set(order)}
    return _Panel(rows.pop(treated), list(rows.values()), order.index(released))
