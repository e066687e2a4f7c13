"""Wires the insights service."""

from services import PUBLIC, PUBLIC_EVERYWHERE
from shared.contract.events import InsightTagged
from shared.runtime import Derived, Service, Versioned

from . import api, pages, store, store_derived
from .handlers import handlers

service = Service(
    name="insights",
    summary="Quotes, tags and the evidence behind features",
    handlers=handlers,
    routers=(api.router, pages.router),
    public=PUBLIC_EVERYWHERE | PUBLIC["insights"],
    pages=pages.pages,
    pulse=store.pulse,
    derived=Derived(store_derived.empty, store_derived.TABLES),
    versioned=(
        Versioned(
            frozenset({InsightTagged}), ("insight_id",), store_derived.INSIGHT_VERSIONS, store_derived.LIFT_INSIGHTS
        ),
    ),
)
