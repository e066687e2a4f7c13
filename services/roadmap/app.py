"""Wires the roadmap service."""

from services import PUBLIC, PUBLIC_EVERYWHERE
from services.roadmap import api, board, pages, store
from services.roadmap.handlers import handlers
from services.roadmap.templates import templates
from shared.runtime import Service

service = Service(
    name="roadmap",
    summary="Ideas, votes, measured priorities and the public board",
    handlers=handlers,
    routers=(api.router, board.router, pages.router),
    public=PUBLIC_EVERYWHERE | PUBLIC["roadmap"],
    pages=templates,
    pulse=store.pulse,
)
