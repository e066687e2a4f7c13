"""Wires the sessions service."""

from services import PUBLIC, PUBLIC_EVERYWHERE
from services.sessions import api, pages, store
from services.sessions.handlers import handlers
from shared.runtime import Service

service = Service(
    name="sessions",
    summary="Interview guides, live notes, transcripts and how well the interviewers listened",
    handlers=handlers,
    routers=(api.router, pages.router),
    public=PUBLIC_EVERYWHERE | PUBLIC["sessions"],
    pages=pages.pages,
    pulse=store.pulse,
)
