"""Wires the roadmap service."""

from services import PUBLIC, PUBLIC_EVERYWHERE
from services.roadmap import api, board, pages, store
from services.roadmap.handlers import handlers
from services.roadmap.prioritise import mark_rebuilt, score_due
from services.roadmap.store import derived
from services.roadmap.templates import templates
from shared.contract.events import FeaturePriorityChanged, FeatureStatusChanged
from shared.runtime import Derived, Service, Versioned
from shared.runtime.jobs import Repeated

service = Service(
    name="roadmap",
    summary="Ideas, votes, measured priorities and the public board",
    handlers=handlers,
    routers=(api.router, board.router, pages.router),
    public=PUBLIC_EVERYWHERE | PUBLIC["roadmap"],
    pages=templates,
    pulse=store.pulse,
    # However many votes come, scoring takes no more of the time; whoever reads a score computes it anew.
    jobs=(Repeated(score_due, pause_seconds=0.2, share=0.05),),
    derived=Derived(derived.empty, derived.TABLES, settle=mark_rebuilt),
    versioned=(
        Versioned(frozenset({FeatureStatusChanged}), ("feature_id",), derived.STATUS_VERSIONS, derived.LIFT_STATUSES),
        Versioned(
            frozenset({FeaturePriorityChanged}), ("feature_id",), derived.PRIORITY_VERSIONS, derived.LIFT_PRIORITIES
        ),
    ),
)
