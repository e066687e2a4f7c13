"""Wires the insights service."""

from services import PUBLIC, PUBLIC_EVERYWHERE
from shared.runtime import Service

from . import api, pages, store
from .handlers import handlers

service = Service(
    name="insights",
    summary="Quotes, tags and the evidence behind features",
    handlers=handlers,
    routers=(api.router, pages.router),
    public=PUBLIC_EVERYWHERE | PUBLIC["insights"],
    pages=pages.pages,
    pulse=store.pulse,
)
