"""The team's pages on what to build next: the ranking by any formula, and why an idea stands where it does."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from services.roadmap import store
from services.roadmap.ideas import STATUSES, Status
from services.roadmap.priority.lenses import LENSES, LensName, Reading
from services.roadmap.priority.measured import prioritise_all
from services.roadmap.priority.ranking import Ranked
from services.roadmap.priority.shown import explained
from services.roadmap.priority.standings import ranks
from services.roadmap.priority.why import OPEN, by_lens
from services.roadmap.templates import templates
from shared.contract.types import Id
from shared.runtime import Tx, Viewer, not_found

router = APIRouter(include_in_schema=False)

Shown = Literal["open", "shipped", "declined", "all"]
GROUPS: Mapping[Shown, tuple[Status, ...]] = {
    "open": OPEN,
    "shipped": ("shipped",),
    "declined": ("declined",),
    "all": STATUSES,
}
PAGE_SIZE = 100


@router.get("/")
async def show_ranking(
    request: Request,
    tx: Tx,
    ranked: Ranked,
    _who: Viewer,
    show: Shown = "open",
    sort: Literal["priority"] | LensName = "priority",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    ranking = await ranked.ranking(tx.connection)
    statuses = GROUPS[show]
    order = ranking.ordered(ranking.terms.score, statuses)
    key = ranking.terms.score
    shown: Callable[[int], Reading] | None = None
    if sort != "priority":
        key, shown = await by_lens(tx.connection, ranking, sort, tx.now)
    chosen = ranking.ordered(key, statuses)
    first = (page - 1) * PAGE_SIZE
    rows = chosen[first : first + PAGE_SIZE].tolist()
    ids = ranking.ids(rows)
    ideas = await store.read_ideas(tx.connection, ids)
    inputs = {given.feature_id: given for given in await store.inputs(tx.connection, ids)}
    scored = prioritise_all((inputs[name].idea for name in ids), ranking.everybody, ranking.mean_support)
    by_priority = ranks(order, len(ranking.standings.ids))
    unweighted = ranks(ranking.ordered(ranking.unweighted.score, statuses), len(ranking.standings.ids))
    return templates.render(
        request,
        "ranking.html",
        rows=[
            (
                ideas[name],
                inputs[name],
                priority,
                int(by_priority[row]),
                int(unweighted[row]),
                shown(row) if shown else None,
            )
            for row, name, priority in zip(rows, ids, scored, strict=True)
        ],
        first=first,
        show=show,
        sort=sort,
        lenses=LENSES,
        totals={name: len(ranking.ordered(key, some)) for name, some in GROUPS.items()},
        page=page,
        pages=-(-len(chosen) // PAGE_SIZE),
        everybody=ranking.everybody,
        now=tx.now,
    )


@router.get("/ideas/{feature_id}/why")
async def show_why(request: Request, feature_id: Id, tx: Tx, ranked: Ranked, _who: Viewer) -> Response:
    """A page of its own, or what fills the drawer beside the ranking."""
    idea = await store.find_idea(tx.connection, feature_id)
    if idea is None:
        raise not_found("idea", feature_id)
    in_drawer = request.headers.get("hx-request") == "true"
    return templates.render(
        request,
        "why_parts.html" if in_drawer else "why.html",
        idea=idea,
        now=tx.now,
        **await explained(tx, ranked, feature_id),
    )
