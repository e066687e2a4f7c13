"""The endpoints of the company's own statuses and categories."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.roadmap import store
from services.roadmap.api.bodies import CategoryAnswer, NewCategory, NewStatus, StatusAnswer
from services.roadmap.board import layout
from services.roadmap.board.statuses import Category, OwnStatus
from shared.contract.types import Id
from shared.runtime import Manager, Tx, Viewer

router = APIRouter(prefix="/api/v1", tags=["layout"])


@router.get("/statuses", summary="The statuses in their order")
async def list_statuses(tx: Tx, _who: Viewer) -> Sequence[StatusAnswer]:
    return [StatusAnswer.model_validate(status) for status in await store.statuses(tx.connection)]


@router.put("/statuses/{status_id}", summary="Add a status, or rename and move one")
async def keep_status(status_id: Id, body: NewStatus, tx: Tx, _who: Manager) -> StatusAnswer:
    status = OwnStatus(status_id, body.name, body.type, body.position)
    await layout.keep_status(tx, status)
    return StatusAnswer.model_validate(status)


@router.delete("/statuses/{status_id}", summary="Remove a status that no idea is in", status_code=204)
async def remove_status(status_id: Id, tx: Tx, _who: Manager) -> None:
    await layout.remove_status(tx, status_id)


@router.get("/categories", summary="The categories in their order")
async def list_categories(tx: Tx, _who: Viewer) -> Sequence[CategoryAnswer]:
    return [CategoryAnswer.model_validate(category) for category in await store.categories(tx.connection)]


@router.put("/categories/{category_id}", summary="Add a category, or rename and move one")
async def keep_category(category_id: Id, body: NewCategory, tx: Tx, _who: Manager) -> CategoryAnswer:
    category = Category(category_id, body.name, body.position)
    await layout.keep_category(tx, category)
    return CategoryAnswer.model_validate(category)


@router.delete("/categories/{category_id}", summary="Remove a category; its ideas have none then", status_code=204)
async def remove_category(category_id: Id, tx: Tx, _who: Manager) -> None:
    await layout.remove_category(tx, category_id)
