"""The scheduling service, wired."""

from services import PUBLIC, PUBLIC_EVERYWHERE
from services.scheduling import api, pages, store
from services.scheduling.handlers import handlers
from shared.runtime import Service

service = Service(
    name="scheduling",
    summary="Demo requests become booked interviews, and those who asked hear what became of their words.",
    handlers=handlers,
    routers=(*api.routers, *pages.routers),
    pages=pages.pages,
    public=PUBLIC_EVERYWHERE | PUBLIC["scheduling"],
    pulse=store.pulse,
)
