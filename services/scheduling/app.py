"""The scheduling service, wired."""

from services import PUBLIC, PUBLIC_EVERYWHERE
from services.scheduling import api, pages, store
from services.scheduling.handlers import handlers
from services.scheduling.settings import SchedulingSettings
from services.scheduling.store import derived
from services.scheduling.watching import watch
from shared.contract.events import DemoRequested, InterviewCancelled, InterviewRescheduled, InterviewScheduled
from shared.runtime import Derived, Service, Versioned

service = Service(
    name="scheduling",
    summary="Demo requests become booked interviews, and those who asked hear what became of their words.",
    handlers=handlers,
    routers=(*api.routers, *pages.routers),
    pages=pages.pages,
    public=PUBLIC_EVERYWHERE | PUBLIC["scheduling"],
    pulse=store.pulse,
    settings=SchedulingSettings,
    jobs=(watch,),
    # Booking is a decision, made with the hours and the hosts of its moment.
    derived=Derived(derived.empty, derived.TABLES, decided_on=frozenset({DemoRequested})),
    versioned=(
        Versioned(
            frozenset({InterviewScheduled, InterviewRescheduled, InterviewCancelled}),
            ("interview_id",),
            derived.INTERVIEW_VERSIONS,
            derived.LIFT_INTERVIEWS,
        ),
    ),
)
