"""The times a visitor of the booking page can choose from, by days of the visitor's own calendar."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from itertools import groupby
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request

from services.scheduling import booking
from services.scheduling.lookup import the_study
from services.scheduling.store import studies
from services.scheduling.studies import Study
from shared.contract.types import Id, ZoneName
from shared.runtime import Tx
from shared.ui.formats import reader_of

DAYS_AT_ONCE = 5

Days: TypeAlias = list[tuple[date, list[datetime]]]


@dataclass(frozen=True)
class Offer:
    """Free starts of a study; `named` is the study the address asks for, if any, `begin` the first day to show."""

    named: str | None
    study: Study | None
    zone: ZoneInfo
    free: Sequence[datetime]
    begin: date | None

    def beginning_with(self, start: datetime) -> "Offer":
        return replace(self, begin=start.astimezone(self.zone).date())

    @cached_property
    def all_days(self) -> Days:
        return [(day, list(starts)) for day, starts in groupby(self.free, lambda at: at.astimezone(self.zone).date())]

    @property
    def days(self) -> Days:
        """The days to show; the first ones where none is left of those asked for."""
        wanted = [(day, starts) for day, starts in self.all_days if self.begin is None or day >= self.begin]
        return (wanted or self.all_days)[:DAYS_AT_ONCE]

    @property
    def later(self) -> date | None:
        return next((day for day, _ in self.all_days if day > self.days[-1][0]), None)

    @property
    def earlier(self) -> date | None:
        before = [day for day, _ in self.all_days if day < self.days[0][0]]
        return before[-DAYS_AT_ONCE:][0] if before else None


async def _offer(
    request: Request,
    tx: Tx,
    study: Id | None = None,
    timezone: ZoneName | None = None,
    begin: Annotated[date | None, Query(alias="from")] = None,
) -> Offer:
    named = await the_study(tx.connection, study) if study else await studies.for_requests(tx.connection, None)
    free = await booking.free_times(tx.connection, named, tx.now) if named is not None and named.open else []
    return Offer(study, named, ZoneInfo(timezone) if timezone else reader_of(request).zone, free, begin)


Offered = Annotated[Offer, Depends(_offer, scope="function")]
"""What the address of the booking page asks for: `study`, `timezone` and `from`."""
