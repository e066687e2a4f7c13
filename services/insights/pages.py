"""The pages: what waits to be tagged, the transcript reader, and the evidence behind a feature."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated
from unicodedata import normalize
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator

from shared.contract.types import Id
from shared.runtime import Principal, Problem, Researcher, Tx, Viewer, not_found
from shared.ui import FieldError, Pages, field_id, parse_form, redirect

from . import opinions, store, store_copies, tagging, transcripts
from .drafts import Draft, Tags, content_of
from .model import Feature, Insight, Session
from .quotes import Turn, marked

router = APIRouter(include_in_schema=False)
pages = Pages("insights", Path(__file__).parent / "pages")

MAY_TAG = frozenset({"admin", "manager", "researcher", "service"})
"""Whom `Researcher` lets through; nobody else is shown forms."""

SHOWN = 20
ALL = 1000
UNPROCESSABLE = 422

Form = Mapping[str, object]


def _split(given: object) -> object:
    return [tag for text in given for tag in str(text).split(",")] if isinstance(given, list) else given


class TagForm(Draft):
    """The form beside a turn; tags are parted by commas."""

    tags: Annotated[Tags, BeforeValidator(_split)] = ()


@router.get("/")
async def home(request: Request, tx: Tx, _who: Viewer) -> Response:
    """Show what waits, what is new and what is spoken about."""
    return pages.render(
        request,
        "home.html",
        pulse=await store.pulse(tx.connection),
        waiting=await store_copies.untagged_sessions(tx.connection, SHOWN),
        insights=await store.insights(tx.connection, SHOWN),
        features=_by_id(await store_copies.features(tx.connection, ALL)),
        now=tx.now,
        shown=SHOWN,
    )


@router.get("/sessions/{session_id}")
async def session_page(
    session_id: Id, request: Request, who: Viewer, turn: Annotated[int | None, Query(ge=1)] = None
) -> Response:
    """Show the transcript and the insights so far; `turn` opens the form beside that turn."""
    return await _session_page(request, session_id, who, {"turn": turn, "importance": 1}, [])


@router.post("/sessions/{session_id}/insights")
async def tag(session_id: Id, request: Request, who: Researcher) -> Response:
    """Tag a passage and go back to it."""
    form = await request.form()
    draft, errors = parse_form(TagForm, form)
    if draft is None:
        return await _session_page(request, session_id, who, form, errors)
    try:
        content = await content_of(request, session_id, draft)
        async with request.app.state.database.transaction() as tx:
            await tagging.tag(tx, session_id, content, who)
    except Problem as problem:
        error = FieldError("quote", problem.detail, field_id("quote"), "Quote")
        return await _session_page(request, session_id, who, form, [error], status=problem.status)
    place = f"#turn-{draft.turn}" if draft.turn else ""
    return redirect(request, f"/sessions/{session_id}{place}", "The insight is kept.")


@router.post("/insights/{insight_id}/withdraw")
async def withdraw(insight_id: Id, request: Request, tx: Tx, who: Researcher) -> Response:
    """Take an insight back."""
    insight = await tagging.withdraw(tx, insight_id, who)
    return redirect(request, f"/sessions/{insight.session_id}", "The insight is withdrawn.")


@router.get("/features/{feature_id}")
async def feature_page(feature_id: Id, request: Request, tx: Tx, _who: Viewer) -> Response:
    """Show what people say about a feature and what it did once shipped."""
    feature = await store_copies.feature(tx.connection, feature_id)
    if feature is None:
        raise not_found("feature", feature_id)
    return pages.render(
        request,
        "feature.html",
        feature=feature,
        opinions=opinions.count(await store.sentiments(tx.connection, feature_id)),
        insights=await store.insights(tx.connection, ALL, feature_id=feature_id),
        impacts=await store_copies.impacts(tx.connection, feature_id),
    )


async def _session_page(
    request: Request,
    session_id: str,
    who: Principal,
    form: Form,
    errors: list[FieldError],
    *,
    status: int = UNPROCESSABLE,
) -> Response:
    async with request.app.state.database.transaction() as tx:
        session = await store_copies.session(tx.connection, session_id)
        insights = await store.insights(tx.connection, ALL, session_id=session_id)
        features = _by_id(await store_copies.features(tx.connection, ALL))
    if session is None:
        raise not_found("session", session_id)
    turns, problem = await _turns(request, session)
    return pages.render(
        request,
        "session.html",
        status=status if errors else 200,
        session=session,
        turns=_marked(session, turns, insights),
        problem=problem,
        link=_elsewhere(session),
        insights=insights,
        features=features,
        choices=[(feature.feature_id, feature.title or feature.feature_id) for feature in features.values()],
        form=_with_words(form, turns),
        open_turn=_open_turn(form, turns),
        errors=errors,
        may_withdraw=who.role in MAY_TAG,
        may_tag=who.role in MAY_TAG and session.erased_at is None,
        clock=_clock,
    )


async def _turns(request: Request, session: Session) -> tuple[list[Turn], str | None]:
    """The turns, or a sentence that says why there are none."""
    try:
        return await transcripts.read(request, session), None
    except Problem as problem:
        return [], problem.detail


def _marked(
    session: Session, turns: Sequence[Turn], insights: Sequence[Insight]
) -> list[tuple[Turn, list[tuple[str, bool]]]]:
    """Each turn with its text in pieces, those that an insight quotes marked."""
    spans: dict[int, list[tuple[int, int]]] = {}
    for insight in insights:
        place = insight.content.place
        if place and session.transcript and place.transcript_sha256 == session.transcript.sha256:
            spans.setdefault(place.turn, []).append((place.start_char, place.end_char))
    return [
        (turn, marked(normalize("NFC", turn.text), spans.get(number, ()))) for number, turn in enumerate(turns, start=1)
    ]


def _open_turn(form: Form, turns: Sequence[Turn]) -> int | None:
    typed = str(form.get("turn") or "")
    # Looked for among the numbers there are: what a browser sends need not be a number, or a small one.
    return next((number for number in range(1, len(turns) + 1) if str(number) == typed), None)


def _with_words(form: Form, turns: Sequence[Turn]) -> Form:
    """The form, which quotes its whole turn until somebody shortens the quote."""
    number = _open_turn(form, turns)
    if number is None or "quote" in form:
        return form
    return {**form, "quote": turns[number - 1].text}


def _elsewhere(session: Session) -> str | None:
    """The transcript's address for a link, when it is one that a browser may follow."""
    url = session.transcript.url if session.transcript else ""
    try:
        return url if urlsplit(url).scheme in {"http", "https"} else None
    except ValueError:
        return None


def _by_id(features: Sequence[Feature]) -> dict[str, Feature]:
    return {feature.feature_id: feature for feature in features}


def _clock(seconds: float) -> str:
    """Seconds from the recording's start as 12:05 or 1:12:05."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
