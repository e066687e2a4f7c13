"""Wires the sessions service."""

from services import PUBLIC, PUBLIC_EVERYWHERE
from services.sessions import api, pages, store, store_derived
from services.sessions.handlers import handlers
from shared.runtime import Derived, Service

service = Service(
    name="sessions",
    summary="Interview guides, live notes, transcripts and how well the interviewers listened",
    handlers=handlers,
    routers=(api.router, pages.router),
    public=PUBLIC_EVERYWHERE | PUBLIC["sessions"],
    pages=pages.pages,
    pulse=store.pulse,
    # A cancellation takes the times from its booking, which came on another topic.
    derived=Derived(store_derived.empty, store_derived.TABLES, in_order=True),
)
