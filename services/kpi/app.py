"""Wires the KPI service."""

from services import PUBLIC, PUBLIC_EVERYWHERE
from services.kpi import api, pages, store
from services.kpi.handlers import handlers
from shared.runtime import Service

service = Service(
    name="kpi",
    summary="KPIs, their objectives and measurements, and what releases did to them",
    handlers=handlers,
    routers=(api.router, pages.router),
    public=PUBLIC_EVERYWHERE | PUBLIC["kpi"],
    pages=pages.pages,
    pulse=store.pulse,
)
