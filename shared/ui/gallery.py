"""Every component in each of its states at `/ui`, for whoever builds a page and for the tests that look at them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, EmailStr, Field
from starlette.responses import Response

from shared.ui.charts import PHONE, WIDE, Expected, Release, line_chart, sparkline
from shared.ui.flash import redirect
from shared.ui.formats import reader_of
from shared.ui.forms import FieldError, parse_form
from shared.ui.pages import shared_pages

router = APIRouter(include_in_schema=False)
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


class Example(BaseModel):
    """The form of the gallery."""

    name: Annotated[str, Field(title="Your name", max_length=80)]
    email: Annotated[EmailStr, Field(title="E-mail")]
    people: Annotated[int, Field(title="People in your team", ge=1, le=500)]
    plan: Literal["starter", "team", "business"]
    wish: Annotated[str | None, Field(max_length=400)] = None
    day: date | None = None
    size: Annotated[Literal["30", "45"], Field(title="Length")]
    topics: Annotated[list[str], Field(default_factory=list)]
    reminder: bool = False


@router.get("/ui")
async def gallery(request: Request) -> Response:
    """Show every component."""
    return _gallery(request, {"people": 12, "plan": "team", "size": "45", "topics": ["export"], "reminder": True}, [])


@router.post("/ui")
async def try_the_form(request: Request) -> Response:
    """Check the example form: 422 with all that was typed, or back to the gallery with a message."""
    form = await request.form()
    example, errors = parse_form(Example, form)
    if example is None:
        return _gallery(request, form, errors, status=422)
    return redirect(request, "/ui", f"Thank you, {example.name}. We wrote to {example.email}.")


@router.get("/ui/public")
async def public(request: Request) -> Response:
    """Show the layout that customers see."""
    return shared_pages().render(request, "gallery_public.html", now=NOW)


def _gallery(request: Request, form: object, errors: list[FieldError], status: int = 200) -> Response:
    days, measured, expected = _satisfaction()
    finding = "Satisfaction rose 2.1 points after the export was rebuilt (95% interval 1.2 to 3.0)"
    charts = [
        line_chart(
            days,
            measured,
            finding=finding,
            expected=expected,
            releases=[Release(date(2026, 8, 3), "1"), Release(date(2026, 9, 14), "2")],
            unit="%",
            labels=("measured", "without"),
            size=size,
            locale=reader_of(request).locale,
        )
        for size in (WIDE, PHONE)
    ]
    return shared_pages().render(
        request,
        "gallery.html",
        status=status,
        form=form,
        errors=errors,
        now=NOW,
        heard=NOW - timedelta(minutes=5),
        finding=finding,
        charts=charts,
        table=list(zip(days[::14], measured[::14], expected.values[::14], strict=True)),
        spark=sparkline([41, 42, 40, 43, 44, 43, 46, 47, 46, 49, 51, 52]),
    )


def _satisfaction() -> tuple[list[date], list[float | None], Expected]:
    """Return made-up days with a monthly rhythm and a lift that begins with the second release."""
    days = [date(2026, 6, 1) + timedelta(days=index) for index in range(168)]
    release = date(2026, 9, 14)
    usual = [41 + index / 110 + 0.25 * math.sin(index * math.tau / 28) for index in range(168)]
    noise = [0.22 * math.sin(index * 1.7) + 0.16 * math.sin(index * 0.61) for index in range(168)]
    lift = [2.1 * min(1.0, max(0, (day - release).days) / 14) for day in days]
    measured: list[float | None] = [sum(parts) for parts in zip(usual, noise, lift, strict=True)]
    after = [usual[index] if day >= release else None for index, day in enumerate(days)]
    low = [None if value is None else value - 0.6 for value in after]
    high = [None if value is None else value + 0.6 for value in after]
    return days, measured, Expected(after, low, high)
