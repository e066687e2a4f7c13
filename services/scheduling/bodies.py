"""What is sent to us to create a study or a host."""

from datetime import datetime
from typing import Annotated, Self
from uuid import uuid4

from pydantic import Field, model_validator

from services.scheduling.hosts import Day, Host, Role, WeeklyHours
from services.scheduling.studies import Study
from shared.contract.types import Email, Id, Line, Paragraph, ZoneName
from shared.runtime import Body


class NewStudy(Body):
    """A study to open; times in minutes. With a `study_id` of your own the call may be repeated."""

    study_id: Id | None = None
    title: Line
    goal: Paragraph | None = None
    length_minutes: Annotated[int, Field(ge=5, le=480)] = 45
    buffer_after_minutes: Annotated[int, Field(ge=0, le=240, description="kept free to reflect")] = 15
    notice_minutes: Annotated[int, Field(ge=0, le=43_200, description="nobody books later than this before")] = 1440
    horizon_days: Annotated[int, Field(ge=1, le=365, description="how far ahead can be booked")] = 30
    step_minutes: Annotated[int, Field(ge=5, le=480, description="between two offered starts")] = 30
    open: bool = True

    def study(self, now: datetime) -> Study:
        return Study(**self.model_dump() | {"study_id": self.study_id or str(uuid4()), "created_at": now})


class Hours(Body):
    """The same hours on some days of every week, on the host's wall clock."""

    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=7)]
    start: Annotated[str, Field(examples=["09:00"])]
    end: Annotated[str, Field(examples=["17:00"], description="24:00 is the end of the day")]

    @model_validator(mode="after")
    def _forward(self) -> Self:
        self.hours().rule()
        return self

    def hours(self) -> WeeklyHours:
        return WeeklyHours(self.days, self.start, self.end)


class InStudy(Body):
    study_id: Id
    role: Role = "moderator"


class NewHost(Body):
    """Somebody of the team; with a `host_id` of your own the call may be repeated."""

    host_id: Id | None = None
    name: Line
    email: Email
    timezone: ZoneName
    weekly: Annotated[tuple[Hours, ...], Field(max_length=50)]
    studies: Annotated[tuple[InStudy, ...], Field(max_length=100)] = ()

    def host(self) -> Host:
        weekly = tuple(line.hours() for line in self.weekly)
        return Host(self.host_id or str(uuid4()), self.name, self.email, self.timezone, weekly)
