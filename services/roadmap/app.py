"""Wires the roadmap service."""

from services import PUBLIC, PUBLIC_EVERYWHERE
from services.roadmap import api, pages, store
from services.roadmap.board import (
    changelog_pages,
    comment_forms,
    feed_pages,
    finding,
    listing,
    placing_pages,
    suggesting,
    widget,
)
from services.roadmap.handlers import handlers
from services.roadmap.merges import desk
from services.roadmap.people import behalf, moderation, notices, provider_signin, signin, subscriptions
from services.roadmap.priority import estimate_pages, population_pages, ranking_pages
from services.roadmap.priority.prioritise import mark_rebuilt, score_due
from services.roadmap.priority.recount import recount_daily
from services.roadmap.settings import RoadmapSettings
from services.roadmap.store import derived
from services.roadmap.templates import templates
from services.roadmap.transfer import forms
from shared.contract.events import FeaturePriorityChanged, FeatureStatusChanged
from shared.runtime import Derived, Service, Versioned
from shared.runtime.jobs import Repeated
from shared.runtime.mail.delivering import deliver

boards = (
    listing.router,
    comment_forms.router,
    suggesting.router,
    changelog_pages.router,
    feed_pages.router,
    desk.router,
    placing_pages.router,
)

service = Service(
    name="roadmap",
    summary="Ideas, votes, measured priorities and the public board",
    handlers=handlers,
    routers=(
        *api.routers,
        provider_signin.router,  # before the links of mails, whose token could be any word
        signin.router,
        subscriptions.router,
        *boards,
        moderation.router,
        forms.router,
        behalf.router,
        widget.router,
        ranking_pages.router,
        population_pages.router,
        estimate_pages.router,
        pages.router,
    ),
    public=PUBLIC_EVERYWHERE | PUBLIC["roadmap"],
    pages=templates,
    pulse=store.pulse,
    settings=RoadmapSettings,
    # However many votes come, scoring takes no more of the time; whoever reads a score computes it anew.
    jobs=(
        Repeated(score_due, pause_seconds=0.2, share=0.05),
        Repeated(finding.compare_new, pause_seconds=2, share=0.05),
        recount_daily,
        notices.tell,
        deliver,
    ),
    derived=Derived(derived.empty, derived.TABLES, settle=mark_rebuilt),
    versioned=(
        Versioned(frozenset({FeatureStatusChanged}), ("feature_id",), derived.STATUS_VERSIONS, derived.LIFT_STATUSES),
        Versioned(
            frozenset({FeaturePriorityChanged}), ("feature_id",), derived.PRIORITY_VERSIONS, derived.LIFT_PRIORITIES
        ),
    ),
)
