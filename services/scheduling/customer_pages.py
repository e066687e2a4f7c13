"""What a customer sees: choose a time and book it, and what became of that."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.scheduling import choosing, intake
from services.scheduling.booking import Taken
from services.scheduling.offers import Offer, Offered
from services.scheduling.site import pages, zone_choices
from services.scheduling.store import interviews, requests
from shared.contract.events import DemoRequested
from shared.contract.parts import Contact, TimeRange
from shared.contract.types import Email, Line, Paragraph, UtcTime
from shared.runtime import Tx, not_found
from shared.ui import FieldError, field_id, parse_form, redirect
from shared.ui.formats import Reader, moment, reader_of

router = APIRouter(include_in_schema=False)

MOST_QUESTIONS = 20
USUAL_LENGTH = timedelta(minutes=45)


class Wanted(BaseModel):
    """The booking form: a time where there are times, else wishes on the visitor's clock."""

    request_id: UUID
    start: Annotated[UtcTime | None, Field(title="Time")] = None
    wish_1: Annotated[datetime | None, Field(title="First wish")] = None
    wish_2: Annotated[datetime | None, Field(title="Second wish")] = None
    wish_3: Annotated[datetime | None, Field(title="Third wish")] = None
    name: Annotated[Line, Field(title="Your name")]
    email: Annotated[Email, Field(title="E-mail")]
    company: Annotated[Line | None, Field(title="Company")] = None
    phone: Annotated[Line | None, Field(title="Phone")] = None
    questions: Annotated[Paragraph | None, Field(title="Your questions")] = None

    @property
    def asked(self) -> tuple[str, ...]:
        return tuple(line.strip() for line in (self.questions or "").splitlines() if line.strip())

    @property
    def wishes(self) -> dict[str, datetime]:
        given = {"wish_1": self.wish_1, "wish_2": self.wish_2, "wish_3": self.wish_3}
        return {name: wish for name, wish in given.items() if wish is not None}


@router.get("/book")
async def book_page(request: Request, offer: Offered) -> Response:
    """Times first, then who asks, then the button."""
    return _book_page(request, offer, {"request_id": str(uuid4())}, [])


@router.post("/book")
async def book(request: Request, offer: Offered, tx: Tx) -> Response:
    """Book the chosen time or nothing; what is sent twice is booked once."""
    form = await request.form()
    # People do not see this field; a program that fills every one is told nothing.
    if form.get("website"):
        return redirect(request, "/book", "Thank you. We will come back to you.")
    wanted, errors = parse_form(Wanted, form)
    if wanted is None:
        return _book_page(request, offer, form, errors, 422)
    known = await requests.find(tx.connection, str(wanted.request_id))
    if known is not None and (known.email or "").lower() == wanted.email.lower():
        return redirect(request, f"/booked/{known.token}", "We had this request already. Here is what became of it.")
    errors = _what_is_missing(wanted, offer, tx.now)
    if errors:
        return _book_page(request, offer, form, errors, 422)
    # An id that somebody else's request has tells nothing about that request and stands in nobody's way.
    demo = _event(wanted, offer, str(uuid4()) if known else str(wanted.request_id), tx.now)
    try:
        async with tx.connection.transaction():
            taken_in = await intake.receive(tx, demo, at=wanted.start, announce=True)
    except Taken as taken:
        return _somebody_was_faster(request, offer, form, taken)
    return redirect(request, f"/booked/{taken_in.token}")


@router.get("/booked/{token}")
async def booked(token: str, request: Request, tx: Tx) -> Response:
    """What became of the customer's request, on the customer's clock."""
    asked = await requests.find_by_token(tx.connection, token)
    if asked is None:
        raise not_found("booking", token)
    held = await interviews.of_request(tx.connection, asked.request_id)
    reader = Reader(reader_of(request).locale, ZoneInfo(asked.timezone))
    return pages.render(request, "booked.html", asked=asked, interview=held[0] if held else None, reader=reader)


def _book_page(request: Request, offer: Offer, form: object, errors: list[FieldError], status: int = 200) -> Response:
    here = {"study": offer.named, "timezone": offer.zone.key}
    return pages.render(
        request,
        "book.html",
        status=status,
        form=form,
        errors=errors,
        offer=offer,
        address="/book?" + urlencode({name: value for name, value in here.items() if value}),
        zones=zone_choices(offer.zone.key),
        reader=Reader(reader_of(request).locale, offer.zone),
    )


def _somebody_was_faster(request: Request, offer: Offer, form: object, taken: Taken) -> Response:
    """The form as it was, with the free times around the one that is gone."""
    free = [start for start in offer.free if start in taken.nearest] or taken.nearest
    reader = Reader(reader_of(request).locale, offer.zone)
    near = "; ".join(moment(start, reader, "short").striptags() for start in free)
    message = f"This time is taken by now. The nearest free ones: {near}." if free else "No time is free any more."
    again = offer.beginning_with(free[0]) if free else offer
    return _book_page(request, again, form, [FieldError("start", message, field_id("start"), "Time")], 409)


def _what_is_missing(wanted: Wanted, offer: Offer, now: datetime) -> list[FieldError]:
    errors = []
    if offer.days and wanted.start is None:
        errors.append(FieldError("start", "Choose a time.", field_id("start"), "Time"))
    if not offer.days and not wanted.wishes:
        errors.append(FieldError("wish_1", "Name a time that would suit you.", field_id("wish_1"), "First wish"))
    if wanted.start is not None and wanted.start > now + choosing.FURTHEST:
        errors.append(FieldError("start", "Choose a time in the next two years.", field_id("start"), "Time"))
    today = now.astimezone(offer.zone).replace(tzinfo=None)
    for name, wish in wanted.wishes.items():
        if not today < wish.replace(tzinfo=None) < today + choosing.FURTHEST:
            errors.append(FieldError(name, "Choose a time in the next two years.", field_id(name), "Wish"))
    if len(wanted.asked) > MOST_QUESTIONS:
        message = f"Keep it to {MOST_QUESTIONS} questions, one on each line."
        errors.append(FieldError("questions", message, field_id("questions"), "Your questions"))
    return errors


def _event(wanted: Wanted, offer: Offer, request_id: str, now: datetime) -> DemoRequested:
    length = offer.study.length if offer.study else USUAL_LENGTH
    wishes = [wish.replace(tzinfo=offer.zone).astimezone(UTC) for wish in wanted.wishes.values()]
    starts = [wanted.start] if wanted.start else wishes
    return DemoRequested(
        request_id=request_id,
        requested_at=now,
        contact=Contact(name=wanted.name, email=wanted.email, company=wanted.company, phone=wanted.phone),
        timezone=offer.zone.key,
        preferred_times=tuple(TimeRange(start=start, end=start + length) for start in starts),
        questions=wanted.asked,
        study_id=offer.named,
    )
