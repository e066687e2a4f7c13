"""The population frame: how many customers each segment holds, and what those who took part weigh against it.

Known by cells, people are post-stratified; known by single dimensions only, they are raked. A segment nobody speaks
for is not identified: it keeps its share of the customer base, and nothing but the mean is assumed of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from services.roadmap.priority.calibration import Calibrated, Margin, rake
from services.roadmap.priority.segments import DIMENSIONS, SEPARATOR, UNKNOWN
from services.roadmap.priority.weighting import post_stratify, trim

ANY = "*"
"""In place of a value: every value of the dimension."""

RAKING_TOLERANCE = 1e-6
"""Of the largest margin; a million customers are met to one."""

Margins = Mapping[str, Mapping[str, float]]
Collapses = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Frame:
    """Customers (counts) by `cells`, or by `margins` {dimension: {value: customers}}; neither: nobody knows.

    `collapses` {(dimension, value): value} are an admin's rules for values too thin to stand alone. Weights are cut at
    `trim_ratio` times their mean; None: not at all.
    """

    cells: Mapping[str, float] = field(default_factory=dict)
    margins: Margins = field(default_factory=dict)
    collapses: Collapses = field(default_factory=dict)
    trim_ratio: float | None = None

    @property
    def customers(self) -> float:
        """All customers; where margins add up to different numbers the largest of them."""
        sizes = [math.fsum(totals.values()) for totals in (self.cells, *self.margins.values())]
        return max(sizes)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Those the frame tells customers apart by; people are told apart by no others."""
        if not self.cells:
            return tuple(name for name in DIMENSIONS if name in self.margins)
        split = [collapsed(cell, self.collapses).split(SEPARATOR) for cell in self.cells]
        return tuple(
            name
            for place, name in enumerate(DIMENSIONS)
            if any(place < len(parts) and parts[place] != UNKNOWN for parts in split)
        )


NO_FRAME = Frame()


def measured_frame(values: Iterable[tuple[str, str, float]]) -> Frame:
    """The frame that a KPI's values by segment make, given as (dimensions, cell, customers).

    The finest split counts: by several dimensions together where it was measured so, else by single ones.
    """
    by_split: dict[str, dict[str, float]] = {}
    for dimensions, cell, customers in values:
        by_split.setdefault(dimensions, {})[cell] = customers
    finest = max(by_split, key=lambda split: (split.count(" "), split), default="")
    if " " in finest:
        return Frame(by_split[finest])
    return Frame(
        margins={split: {_part(cell, split): size for cell, size in cells.items()} for split, cells in by_split.items()}
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """How raking ended: the largest distance from a margin as a share of the largest, and after how many sweeps."""

    error: float
    sweeps: int
    converged: bool


@dataclass(frozen=True, slots=True)
class Weighed:
    """Strata of the frame and of those who took part.

    `strata` names the stratum of each person's cell. `shares` are parts of the customer base (0..1) by stratum,
    `weights` what one person in it counts; 0 where nobody took part or the frame does not name it.
    """

    strata: Mapping[str, str]
    people: Mapping[str, int]
    shares: Mapping[str, float]
    weights: Mapping[str, float]
    fit: Fit | None = None


def collapsed(cell: str, rules: Collapses, dimensions: Iterable[str] = DIMENSIONS) -> str:
    """The cell by these dimensions alone, with thin values replaced."""
    kept = set(dimensions)
    parts = [
        rules.get((name, part), rules.get((name, ANY), part)) if name in kept else UNKNOWN
        for name, part in zip(DIMENSIONS, cell.split(SEPARATOR), strict=False)
    ]
    return SEPARATOR.join(parts)


def weigh(active: Mapping[str, int], frame: Frame) -> Weighed:
    """Weigh the distinct active people per cell against a frame that knows some customers."""
    dimensions = frame.dimensions
    strata = {cell: collapsed(cell, frame.collapses, dimensions) for cell in active}
    people: dict[str, int] = {}
    for cell, count in active.items():
        people[strata[cell]] = people.get(strata[cell], 0) + count
    if frame.cells:
        wanted = _summed((collapsed(cell, frame.collapses, dimensions), size) for cell, size in frame.cells.items())
        shares, weights, fit = _post_stratified(people, wanted)
    else:
        margins = {
            name: _summed(
                (frame.collapses.get((name, value), frame.collapses.get((name, ANY), value)), size)
                for value, size in totals.items()
            )
            for name, totals in frame.margins.items()
        }
        shares, weights, fit = _raked(people, margins)
    if frame.trim_ratio is not None:
        shares, weights = _trimmed(people, shares, weights, frame.trim_ratio)
    return Weighed(MappingProxyType(strata), people, shares, weights, fit)


Shares = dict[str, float]

NOBODY = 1e-12
"""Of all customers; smaller shares are slips of some program, and their weights would vanish while rounding."""


def _post_stratified(people: Mapping[str, int], wanted: Mapping[str, float]) -> tuple[Shares, Shares, Fit | None]:
    shares = _shares(wanted)
    # People in a cell without customers weigh nothing, as those do whose cell nobody names.
    placed = sum(people.get(cell, 0) for cell, share in shares.items() if share > 0)
    weights = post_stratify([people.get(cell, 0) for cell in wanted], [share * placed for share in shares.values()])
    return shares, {cell: float(weight) for cell, weight in zip(wanted, weights, strict=True) if weight > 0}, None


def _raked(people: Mapping[str, int], margins: Margins) -> tuple[Shares, Shares, Fit | None]:
    """Shares and weights from single dimensions.

    Classes nobody speaks for cannot be raked to. Their share is set aside, as if dimensions were independent of each
    other (exact where only one of them has such classes), and the rest is raked to what remains of each margin.
    """
    shares_of = {name: _shares(totals) for name, totals in margins.items()}
    inside = {cell: count for cell, count in people.items() if count > 0 and _named(cell, shares_of)}
    spoken = {name: sorted({_part(cell, name) for cell in inside}) for name in margins}
    silent = {
        (name, value): share
        for name, shares in shares_of.items()
        for value, share in shares.items()
        if share > 0 and value not in spoken[name]
    }
    covered = math.prod(
        1 - math.fsum(share for (name, _), share in silent.items() if name == dimension) for dimension in margins
    )
    if not inside or covered <= 0:
        covered, inside = 0.0, {}
    found: Shares = {
        _alone(name, value): (1 - covered) * share / math.fsum(silent.values())
        for (name, value), share in silent.items()
    }
    if not inside:
        return found, {}, Fit(0.0, 0, converged=True)
    fitted = _fitted(inside, spoken, shares_of)
    total = float(fitted.fitted.sum())
    for cell in inside:
        place = tuple(spoken[name].index(_part(cell, name)) for name in spoken)
        share = covered * float(fitted.fitted[place]) / total
        found[cell] = 0.0 if share < NOBODY else share
    # Margins may leave nothing for a cell; its people weigh nothing, as those do whose cell nobody names.
    placed = sum(count for cell, count in inside.items() if found[cell] > 0)
    weights = {cell: found[cell] * placed / count for cell, count in inside.items() if found[cell] > 0}
    return found, weights, Fit(fitted.error, fitted.rounds, fitted.converged)


def _fitted(inside: Mapping[str, int], spoken: Mapping[str, list[str]], shares_of: Margins) -> Calibrated:
    table = np.zeros([len(values) for values in spoken.values()])
    for cell, count in inside.items():
        table[tuple(spoken[name].index(_part(cell, name)) for name in spoken)] = count
    wanted = []
    for axis, (name, values) in enumerate(spoken.items()):
        shares = np.array([shares_of[name][value] for value in values])
        wanted.append(Margin((axis,), shares / shares.sum() * table.sum()))
    return rake(table, wanted, tolerance=RAKING_TOLERANCE)


def _trimmed(
    people: Mapping[str, int], shares: Mapping[str, float], weights: Mapping[str, float], ratio: float
) -> tuple[Shares, Shares]:
    """Cut weights; what the heavy cells lose the others gain, and the shares follow."""
    cut = trim(list(weights.values()), [people[cell] for cell in weights], ratio)
    lighter = {cell: float(weight) for cell, weight in zip(weights, cut, strict=True)}
    placed = sum(people[cell] for cell in weights)
    return {**shares, **{cell: weight * people[cell] / placed for cell, weight in lighter.items()}}, lighter


def _shares(totals: Mapping[str, float]) -> Shares:
    size = math.fsum(totals.values())
    return {name: 0.0 if total < NOBODY * size else total / size for name, total in totals.items()}


def _summed(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for name, size in pairs:
        totals[name] = totals.get(name, 0) + size
    return totals


def _part(cell: str, dimension: str) -> str:
    return cell.split(SEPARATOR)[DIMENSIONS.index(dimension)]


def _alone(dimension: str, value: str) -> str:
    """Everybody with this value; not the cell of people of whom nothing else is known, who do speak."""
    return SEPARATOR.join(value if name == dimension else ANY for name in DIMENSIONS)


def _named(cell: str, margins: Margins) -> bool:
    """Whether every margin says how many customers are like this, and that there are any."""
    return all(margins[name].get(_part(cell, name), 0) > 0 for name in margins)
