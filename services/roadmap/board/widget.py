"""The board within the company's own application: a script, and the pages it shows in a frame.

Only pages of the sites that the operator names may show the frame. The application's identity token goes from page to
frame as a message, never in an address; the session that follows is kept apart for each site by the browser.
"""

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.roadmap import store
from services.roadmap.board import editing, finding
from services.roadmap.ideas import CLOSED, STATUSES
from services.roadmap.people import arrivals, writing
from services.roadmap.people.abuse import guard
from services.roadmap.people.signin import vouched
from services.roadmap.people.visitors import known_visitor, recognise
from services.roadmap.people.welcoming import welcome
from services.roadmap.schemas import Title
from services.roadmap.settings import RoadmapSettings
from services.roadmap.templates import templates
from shared.contract.types import Id, Paragraph
from shared.runtime import Problem, Transaction, Tx, not_found
from shared.ui import CONTENT_SECURITY_POLICY, FieldError, parse_form, redirect
from shared.ui.words import _, marked

SHOWN = 20
UNPROCESSABLE = 422
SCRIPT = (Path(__file__).parent.parent / "pages" / "widget.js").read_text()


class SuggestionForm(BaseModel):
    title: Annotated[Title, Field(title="Title")]
    description: Annotated[Paragraph | None, Field(title="Description")] = None


class VoteForm(BaseModel):
    vote: Literal["up", "withdrawn"]


class TokenForm(BaseModel):
    token: Annotated[str, Field(max_length=4000)]


async def offered(request: Request) -> None:
    """Raises Problem 404 where no site may show the widget."""
    if not _settings(request).widget_origins:
        raise not_found(marked("page"), request.url.path)


router = APIRouter(include_in_schema=False, dependencies=[Depends(offered), Depends(recognise), Depends(guard)])


@router.get("/widget.js")
async def script() -> Response:
    headers = {
        "Cache-Control": "public, max-age=3600",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(SCRIPT, media_type="text/javascript", headers=headers)


@router.get("/widget")
async def show_board(request: Request, tx: Tx, q: Annotated[str, Query(max_length=200)] = "") -> Response:
    chosen = await finding.chosen(tx.connection, q, None)
    open_ones = tuple(status for status in STATUSES if status not in CLOSED)
    visitor = known_visitor(request)
    return _framed(
        request,
        "widget.html",
        ideas=[row.idea for row in await store.board(tx.connection, chosen, open_ones, "votes", SHOWN, 0)],
        mine=await store.voted_for(tx.connection, visitor.voter_id) if visitor else set(),
        known=visitor is not None and visitor.is_known,
        q=q,
    )


@router.post("/widget/session")
async def begin(request: Request, tx: Tx) -> Response:
    form, _errors = parse_form(TokenForm, await request.form())
    if form is None:
        raise Problem(422, _("Not possible"), _("Send the identity token."))
    response = Response(status_code=204)
    person = await vouched(request, tx, form.token)
    await welcome(request, tx, response, person.sub, embedded=True)
    return response


@router.post("/widget/{feature_id}/vote")
async def vote(request: Request, feature_id: Id, tx: Tx) -> Response:
    form, _errors = parse_form(VoteForm, await request.form())
    visitor = known_visitor(request)
    if form is None or visitor is None or not visitor.is_known:
        raise Problem(403, _("Not possible"), _("Sign in at the app first."))
    counted = await arrivals.vote(tx, request, feature_id, visitor, form.vote, by="widget")
    return redirect(request, f"/widget#idea-{counted.feature_id}")


@router.get("/widget/suggest")
async def show_form(request: Request) -> Response:
    return _form(request, {}, [], sent=False)


@router.post("/widget/suggest")
async def suggest(request: Request, tx: Tx) -> Response:
    typed = await request.form()
    form, errors = parse_form(SuggestionForm, typed)
    if form is None:
        return _form(request, dict(typed), errors, sent=False)
    await _send_in(request, tx, form)
    return _form(request, {}, [], sent=True)


async def _send_in(request: Request, tx: Transaction, form: SuggestionForm) -> None:
    visitor = known_visitor(request)
    if visitor is None or not visitor.is_known:
        raise Problem(403, _("Not possible"), _("Sign in at the app first."))
    author = editing.Author(visitor.voter_id, visitor.name)
    await editing.send_in(tx, editing.Content(form.title, form.description or ""), author, publish=visitor.publishes)


def _form(request: Request, form: dict[str, object], errors: list[FieldError], *, sent: bool) -> Response:
    visitor = known_visitor(request)
    known = visitor is not None and visitor.is_known
    status = UNPROCESSABLE if errors else 200
    return _framed(request, "widget_suggest.html", status=status, form=form, errors=errors, sent=sent, known=known)


def _framed(request: Request, name: str, status: int = 200, **context: object) -> Response:
    """A page that the named sites may show in a frame, and nobody else."""
    origins = _settings(request).widget_origins
    context |= {"origins": " ".join(origins), "board": f"{writing.base(_settings(request))}/board"}
    response = templates.render(request, name, status=status, **context)
    allowed = f"frame-ancestors 'self' {' '.join(origins)}"
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", allowed)
    return response


def _settings(request: Request) -> RoadmapSettings:
    settings: RoadmapSettings = request.app.state.settings
    return settings
