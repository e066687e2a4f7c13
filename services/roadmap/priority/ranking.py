"""All ideas in order, as of now: what is stored of them is kept in memory and read again where it changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.roadmap import store
from services.roadmap.ideas import STATUSES, Status
from services.roadmap.priority.audience import Audience, audience
from services.roadmap.priority.frame import Frame
from services.roadmap.priority.standings import Floats, Places, Standings, Terms
from services.roadmap.store import Mark
from shared.runtime import Connection

AT_ONCE = 500
"""Ideas read in one go; others get their turn in between."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every idea's terms as of now.

    `plain` is the audience if everybody counted once and `unweighted` are the terms before it; the same as the others
    where the customer base is unknown.
    """

    standings: Standings
    everybody: Audience
    mean_support: float
    terms: Terms
    plain: Audience
    unweighted: Terms

    def ordered(self, key: Floats, statuses: Collection[Status] = STATUSES) -> Places:
        return self.standings.order(key, statuses)

    def ids(self, rows: Iterable[int] | Places) -> list[str]:
        return [self.standings.ids[row] for row in rows]

    def row(self, feature_id: str) -> int:
        return self.standings.ids.index(feature_id)


class Remembered:
    """What one process remembers of the ideas; nothing of it outlives the process or must."""

    def __init__(self) -> None:
        self._known: tuple[Mark, Standings] | None = None
        self._weighed: tuple[Mapping[str, int], Frame, Audience] | None = None

    async def ranking(self, connection: Connection) -> Ranking:
        standings = await self._standings(connection)
        frame = (await store.stored_frame(connection)).frame
        active = await store.active_people(connection)
        kpis = await store.kpis(connection)
        everybody = self._audience(active, frame)
        p0 = standings.mean_support(everybody.active)
        gaps = {name: kpi.gap for name, kpi in kpis.items()}
        terms = standings.terms(everybody, p0, gaps)
        plain = audience(active) if everybody.weighted else everybody
        unweighted = standings.terms(plain, p0, gaps) if everybody.weighted else terms
        return Ranking(standings, everybody, p0, terms, plain, unweighted)

    async def _standings(self, connection: Connection) -> Standings:
        now = await store.mark(connection)
        before, known = self._known or (None, Standings())
        if before is not None and not before.reaches(now):
            before, known = None, Standings()
        changed = await store.changed_since(connection, before)
        for first in range(0, len(changed), AT_ONCE):
            known = known.updated(await store.standings_of(connection, changed[first : first + AT_ONCE]))
        if not now.wrote:
            self._known = now, known
        return known

    def _audience(self, active: Mapping[str, int], frame: Frame) -> Audience:
        """Raking takes milliseconds and seldom changes."""
        if self._weighed is None or self._weighed[:2] != (active, frame):
            self._weighed = active, frame, audience(active, frame)
        return self._weighed[2]


async def _ranking(request: Request) -> Remembered:
    state = request.app.state
    if not hasattr(state, "remembered"):
        state.remembered = Remembered()
    remembered: Remembered = state.remembered
    return remembered


Ranked = Annotated[Remembered, Depends(_ranking)]
"""What an endpoint asks for that needs all ideas in order."""
