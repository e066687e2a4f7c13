"""Wires the KPI service."""

from services import PUBLIC, PUBLIC_EVERYWHERE
from services.kpi import api, pages, store
from services.kpi.assessing import reassess_all
from services.kpi.handlers import handlers
from services.kpi.store import derived
from shared.contract.events import KpiImpactAssessed
from shared.runtime import Derived, Service, Versioned

service = Service(
    name="kpi",
    summary="KPIs, their objectives and measurements, and what releases did to them",
    handlers=handlers,
    routers=(api.router, pages.router),
    public=PUBLIC_EVERYWHERE | PUBLIC["kpi"],
    pages=pages.pages,
    pulse=store.pulse,
    derived=Derived(derived.empty, derived.TABLES, settle=reassess_all),
    versioned=(
        Versioned(
            frozenset({KpiImpactAssessed}), ("feature_id", "kpi_id"), derived.IMPACT_VERSIONS, derived.LIFT_IMPACTS
        ),
    ),
)
