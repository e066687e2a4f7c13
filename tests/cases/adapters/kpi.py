"""Answers to `kpi.json` from the KPI service's formulas, signals, sample sizes and objectives."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from services.kpi import formulas, intervals, objectives, retention, signals
from services.kpi.intervals import Interval
from services.kpi.retention import Activity
from tests.cases import NotAnswered

Input = Mapping[str, Any]
Answer = dict[str, Any]

COHORT_MONTHS = 7  # the cases follow a cohort through its first month and the six after it


def answer(case: dict[str, Any], data: Path) -> dict[str, Any]:
    given = case["input"] or {}
    if case["kind"] in FROM_FILE:
        return FROM_FILE[case["kind"]](given, find(data, given["file"]))
    if case["kind"] in FROM_NUMBERS:
        return FROM_NUMBERS[case["kind"]](given)
    raise NotAnswered(f"{case['kind']}: no such KPI formula in the product")


def find(data: Path, name: str) -> Path:
    """Find a data file by its path, or else by its name alone: the same file may lie in another folder."""
    if (data / name).is_file():
        return data / name
    alike = sorted(path for path in data.rglob("*") if path.name.lower() == Path(name).name.lower())
    if not alike:
        raise NotAnswered(f"no file {name} among the data")
    return alike[0]


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _csat(given: Input) -> Answer:
    if "counts" not in given:
        satisfied, total = given["satisfied"], given["total"]
        return {"csat": formulas.ratio(satisfied, total), **_share(satisfied, total)}
    found = formulas.satisfaction({int(key): count for key, count in given["counts"].items()}, given.get("scale", 5))
    return {
        "csat": found.csat,
        "mean": found.mean,
        "top_box": found.top_box,
        "net_satisfaction": found.net,
        **_share(found.satisfied, found.answers),
    }


def _share(successes: int, total: int) -> Answer:
    return {"wilson95": _pair(intervals.wilson(successes, total)), "wald95": _pair(intervals.wald(successes, total))}


def _nps(given: Input) -> Answer:
    if "scores" in given:
        found = formulas.net_promoter_of(given["scores"])
    else:
        found = formulas.net_promoter(given["promoters"], given["passives"], given["detractors"])
    return {
        "promoters": found.promoters,
        "passives": found.passives,
        "detractors": found.detractors,
        "nps": found.score,
        "se": found.error,
        "ci95": _pair(found.interval),
    }


def _period(given: Input) -> Answer:
    period = formulas.Period(given["start"], given["end"], given["new"])
    return {
        "lost": period.lost,
        "churn": period.churn,
        "retention": period.retention,
        "naive_start_minus_end": period.shrinkage,
    }


def _retention_definitions(given: Input) -> Answer:
    joined, active = date.fromisoformat(given["joined"]), [date.fromisoformat(day) for day in given["active"]]
    found = retention.brackets(joined, active, given["bracket_days"])
    return {
        "n_day": retention.n_day(joined, active),
        "rolling_days": retention.rolling_days(joined, active),
        "brackets": [f"{first}-{last}" for first, last in found],
    }


def _retention_incomplete(given: Input) -> Answer:
    cohorts = [
        retention.DatedCohort(
            cohort["size"], cohort["last_complete_day"], {int(day): count for day, count in cohort["active"].items()}
        )
        for cohort in given["cohorts"]
    ]
    days = range(1, 1 + max(cohort.last_complete_day for cohort in cohorts))
    found = {f"day{day}": retention.complete_day_retention(cohorts, day) for day in days}
    return found | {f"day{day}_naive": retention.naive_day_retention(cohorts, day) for day in days}


def _xmr(given: Input) -> Answer:
    limits = signals.xmr(given["values"])
    if limits is None:
        return dict.fromkeys(("centre", "mr_bar", "unpl", "lnpl", "url", "nist_ucl", "nist_lcl"))
    nist_low, nist_high = signals.three_sigma(limits)
    return {
        "centre": limits.centre,
        "mr_bar": limits.moving_range,
        "unpl": limits.high,
        "lnpl": limits.low,
        "url": limits.range_high,
        "nist_ucl": nist_high,
        "nist_lcl": nist_low,
    }


def _xmr_rules(given: Input) -> Answer:
    values = given["values"]
    limits = signals.xmr(values, baseline=given.get("baseline"))
    if limits is None:
        return {"rule1": [], "rule2": [], "rule3": []}
    return {
        "rule1": signals.outside(values, limits),
        "rule2": signals.runs(values, limits),
        "rule3": signals.near_limits(values, limits),
    }


def _xmr_constants(_: Input) -> Answer:
    return {
        "avg_x": signals.AVERAGE_LIMIT,
        "avg_mr": signals.AVERAGE_RANGE_LIMIT,
        "median_x": signals.MEDIAN_LIMIT,
        "median_mr": signals.MEDIAN_RANGE_LIMIT,
    }


def _sample_size(given: Input) -> Answer:
    needed = intervals.answers_needed(given["p1"], given["p2"], power=given["power"], alpha=given["alpha"])
    return {"n_per_group": needed, "n_per_period": needed}


def _power(given: Input) -> Answer:
    return {"power": intervals.power_of(given["n"], given["p1"], given["p2"], alpha=given["alpha"])}


def _mde(given: Input) -> Answer:
    n, power, alpha = given["n_per_period"], given["power"], given["alpha"]
    return {"mde": intervals.detectable_gain(given["p1"], n, power=power, alpha=alpha)}


def _proportion_diff(given: Input) -> Answer:
    found = intervals.share_difference(tuple(given["a"]), tuple(given["b"]))
    return {"diff": None, "ci95": None} if found is None else {"diff": found.value, "ci95": _pair(found.interval)}


def _mean_diff(given: Input) -> Answer:
    found = intervals.mean_difference(intervals.Sample(**given["a"]), intervals.Sample(**given["b"]))
    if found is None:
        return {"diff": None, "ci95": None, "p": None}
    return {"diff": found.value, "ci95": _pair(found.interval), "p": found.p}


def _progress(given: Input) -> Answer:
    found = formulas.progress(given["start"], given["target"], given["current"])
    return {"progress": found, "perdoo_display": None if found is None else max(found, 0.0)}


def _expected_progress(given: Input) -> Answer:
    planned = formulas.planned_progress(given["min"], given["max"], given["days_passed"], given["total_days"])
    current = given.get("current")
    status = None if planned is None or current is None else formulas.pace(current, planned)
    return {"expected": planned, "status_within_10pct": status}


def _objective_target(given: Input) -> Answer:
    match = re.fullmatch(r"\s*([+-]?[\d.]+)\s*%\s*", given["change"])
    if match is None:
        raise NotAnswered(f"change {given['change']!r}: not a percentage")
    percent, baseline = float(match[1]), given["baseline"]
    whole = 1.0 if abs(baseline) <= 1 else 100.0
    return {
        "relative": objectives.target(baseline, percent / 100, "relative"),
        "points": objectives.target(baseline, percent / 100 * whole, "points"),
    }


def _objective_realism(given: Input) -> Answer:
    low, high = given.get("bounds") or (None, None)
    goal = objectives.target(given["baseline"], given["change_relative"], "relative")
    return {"target": goal, "verdict": objectives.realism(objectives.Outlook(given["baseline"], goal, low, high))}


def _at_date(given: Input) -> Answer:
    now, goal, steps = given["now"], given["target"], given["steps"]
    return {"p": objectives.chance_at_date(now, goal, steps, given["drift"], given["sd_step"])}


def _any_time(given: Input) -> Answer:
    return {"p": objectives.chance_any_time(given["gap"], given["horizon"], given["drift"], given["sd_step"])}


def _window_mean(given: Input) -> Answer:
    n, window, goal = given["n"], given["window"], given["target"]
    return {"p": objectives.chance_of_window_mean(n, given["mean"], given["sd"], window, goal)}


def _orders(path: Path) -> list[Activity]:
    """Read lines of customer, sample number, day, quantity and amount."""
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [
        Activity(row[0], datetime.strptime(row[2], "%Y%m%d").date(), float(row[4]))  # noqa: DTZ007 - a day has no zone
        for row in rows
    ]


def _acquisition(_: Input, path: Path) -> Answer:
    found = retention.acquisition(_orders(path))
    return {
        "customers": found.customers,
        "transactions": found.transactions,
        "revenue": found.revenue,
        "new_by_month": found.new_by_month,
        "active_by_month": found.active_by_month,
    }


def _cohort(given: Input, path: Path) -> Answer:
    joined = date(int(given["cohort"][:4]), int(given["cohort"][4:]), 1)
    found = retention.month_cohort(retention.days_active(_orders(path)), joined, months=COHORT_MONTHS)
    return {
        "size": found.size,
        "active_by_month": found.active,
        "unbounded_by_month": found.unbounded,
        "retention_m1": _four_places(found.retention(1)),
    }


def _four_places(share: float | None) -> float | None:
    """Round as the source prints: these cases compare exactly."""
    return None if share is None else round(share, 4)


def _window(_: Input, path: Path) -> Answer:
    found = retention.window_retention(retention.days_active(_orders(path)))
    return {
        "customers": found.customers,
        "active_day_1_30": found.day_1_30,
        "active_day_31_60": found.day_31_60,
        "active_exactly_day_30": found.exactly_day_30,
        "active_day_30_or_later": found.day_30_or_later,
    }


def _base_rate(given: Input, path: Path) -> Answer:
    with path.open(encoding="utf-8", newline="") as lines:
        values = [float(row["y"]) for row in csv.DictReader(lines)]
    found = objectives.base_rate(values, given["horizon"], given["gain_relative"])
    return {"windows": found.windows, "hits": found.hits, "base_rate": found.share}


FROM_FILE: dict[str, Callable[[Input, Path], Answer]] = {
    "acquisition": _acquisition,
    "base_rate": _base_rate,
    "retention_cohort": _cohort,
    "retention_window": _window,
}

FROM_NUMBERS: dict[str, Callable[[Input], Answer]] = {
    "churn_compound": lambda given: {
        "annual": formulas.annual_churn(given["monthly"]),
        "naive_x12": given["monthly"] * formulas.MONTHS,
    },
    "churn_period": _period,
    "csat": _csat,
    "csat_mean_scaled": lambda given: {"score": formulas.weighted_mean(given["weights"], given["counts"])},
    "expected_progress": _expected_progress,
    "kpi_weights": lambda given: {"score": formulas.stage_score(given["weights"], given["progress"])},
    "mde": _mde,
    "mean_diff": _mean_diff,
    "nps": _nps,
    "objective_realism": _objective_realism,
    "objective_target": _objective_target,
    "p_reach_any_time": _any_time,
    "p_reach_at_date": _at_date,
    "p_reach_window_mean": _window_mean,
    "power": _power,
    "progress": _progress,
    "proportion_ci": lambda given: _share(given["successes"], given["total"]),
    "proportion_diff_ci": _proportion_diff,
    "retention_definitions": _retention_definitions,
    "retention_incomplete": _retention_incomplete,
    "retention_period": _period,
    "rollup": lambda given: {
        "weighted": formulas.rollup(given["progress"], given.get("weights")),
        "equal": formulas.rollup(given["progress"]),
    },
    "sample_size": _sample_size,
    "xmr": _xmr,
    "xmr_constants": _xmr_constants,
    "xmr_rules": _xmr_rules,
}
