"""The moderators' page: what waits, who is trusted or blocked, what looks like a ring, and what was decided."""

from typing import Annotated, Literal
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.roadmap.board import editing
from services.roadmap.people import arrivals, writing
from services.roadmap.store import moderation, speakers
from services.roadmap.store.moderation import Decision, Item, Subject, Visibility
from services.roadmap.templates import templates
from shared.contract.types import Id, Line
from shared.runtime import Manager, Problem, Transaction, Tx, conflict, mail, unprocessable
from shared.ui import parse_form, redirect
from shared.ui.letters import Part, compose
from shared.ui.words import _, ngettext

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 50
DECISIONS = 50
ENOUGH = 3
"""Published texts after which a person's next ones are published at once."""


class Decide(BaseModel):
    """What becomes of the chosen ones, each "idea:…" or "comment:…"."""

    chosen: Annotated[list[str], Field(min_length=1, max_length=PAGE_SIZE)]
    visibility: Visibility
    reason: Line | None = None


class Judge(BaseModel):
    person_id: Id
    trust: Literal["new", "trusted", "blocked"]
    reason: Line | None = None


class Undo(BaseModel):
    decision_id: Line


@router.get("/moderation")
async def show_queue(
    request: Request,
    tx: Tx,
    _who: Manager,
    show: Literal["pending", "spam", "archived"] = "pending",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    totals = await moderation.count_items(tx.connection)
    return templates.render(
        request,
        "moderation.html",
        show=show,
        totals=totals,
        page=page,
        pages=-(-totals.get(show, 0) // PAGE_SIZE),
        items=await moderation.items(tx.connection, show, PAGE_SIZE, (page - 1) * PAGE_SIZE),
        rings=await arrivals.signals(tx),
        decisions=await moderation.decisions(tx.connection, DECISIONS),
        now=tx.now,
    )


@router.post("/moderation")
async def decide(request: Request, tx: Tx, who: Manager) -> Response:
    form, _errors = parse_form(Decide, await request.form())
    if form is None:
        raise unprocessable(_("Choose at least one text, and what becomes of it."))
    changed = 0
    for subject, subject_id in sorted(map(_named, form.chosen)):
        item = await moderation.item(tx.connection, subject, subject_id)
        if item is not None and item.visibility != form.visibility:
            await _settle(request, tx, item, form, who.id)
            changed += 1
    said = ngettext("%(count)s text decided.", "%(count)s texts decided.", changed)
    return redirect(request, "/moderation", said)


@router.post("/moderation/people")
async def judge(request: Request, tx: Tx, who: Manager) -> Response:
    form, _errors = parse_form(Judge, await request.form())
    if form is None:
        raise unprocessable(_("Choose somebody, and whether to trust or to block them."))
    before = await speakers.set_trust(tx.connection, form.person_id, form.trust, tx.now)
    if before != form.trust:
        await _keep(tx, "speaker", form.person_id, before, form.trust, form.reason, who.id)
    return redirect(request, "/moderation", _("Saved."))


@router.post("/moderation/undo")
async def undo(request: Request, tx: Tx, _who: Manager) -> Response:
    form, _errors = parse_form(Undo, await request.form())
    decision = await moderation.undo_decision(tx.connection, form.decision_id, tx.now) if form else None
    if decision is None:
        raise conflict(_("This decision is undone already."))
    await _restore(tx, decision)
    return redirect(request, "/moderation", _("Undone."))


async def _settle(request: Request, tx: Transaction, item: Item, form: Decide, who: str) -> None:
    await _show(tx, item, form.visibility)
    await _keep(tx, item.subject, item.subject_id, item.visibility, form.visibility, form.reason, who)
    if item.author_id is None:
        return
    await _count(tx, item.author_id, item.visibility, form.visibility)
    if form.visibility == "archived" and form.reason:
        await _tell(request, tx, item, form.reason)


async def _restore(tx: Transaction, decision: Decision) -> None:
    if decision.subject == "speaker":
        held = await speakers.set_trust(tx.connection, decision.subject_id, decision.before, tx.now)  # type: ignore[arg-type]
        if held != decision.after:
            raise _decided_anew()
        return
    item = await moderation.item(tx.connection, decision.subject, decision.subject_id)  # type: ignore[arg-type]
    if item is None or item.visibility != decision.after:
        raise _decided_anew()
    await _show(tx, item, decision.before)  # type: ignore[arg-type]
    if item.author_id is not None:
        await _count(tx, item.author_id, decision.after, decision.before)


def _decided_anew() -> Problem:
    return conflict(_("It was decided anew since; decide about it itself."))


async def _show(tx: Transaction, item: Item, visibility: Visibility) -> None:
    if item.subject == "idea":
        await editing.show(tx, await editing.locked(tx, item.subject_id), visibility)
    else:
        await moderation.show_comment(tx.connection, item.subject_id, visibility)


async def _count(tx: Transaction, author_id: str, before: str, after: str) -> None:
    """Approvals lead to trust; one that is taken back counts no more."""
    change = (after == "published") - (before == "published")
    if change:
        await speakers.count_approval(tx.connection, author_id, change, ENOUGH)


async def _keep(
    tx: Transaction, subject: str, subject_id: str, before: str, after: str, reason: str | None, who: str
) -> None:
    decision = Decision(str(uuid4()), subject, subject_id, None, before, after, reason, who, tx.now, None)
    await moderation.keep_decision(tx.connection, decision)


async def _tell(request: Request, tx: Transaction, item: Item, reason: str) -> None:
    """The author learns why what they wrote is not shown."""
    author = await speakers.find_speaker(tx.connection, item.author_id or "")
    if author is None or author.email is None or author.language is None:
        return
    settings = request.app.state.settings
    with templates.words.speaking(author.language):
        title = _("About what you wrote at the roadmap")
        parts = [
            Part(_("We do not publish what you wrote about “%(title)s”. The reason:", title=item.title)),
            Part(reason),
            Part("", f"{writing.base(settings)}/board", _("Open the roadmap")),
        ]
        foot = [Part(_("You get this because you wrote at %(company)s.", company=writing.company(settings)))]
        text, html = compose(parts, foot, title=title, language=author.language)
    await mail.write(
        tx,
        mail.Mail(
            key=f"not published {item.subject_id} {tx.now.isoformat()}",
            person_id=author.person_id,
            recipient=author.email,
            language=author.language,
            subject=title,
            text=text,
            html=html,
        ),
    )


def _named(chosen: str) -> tuple[Subject, str]:
    subject, separator, subject_id = chosen.partition(":")
    if subject not in {"idea", "comment"} or not separator:
        raise unprocessable(_("Choose ideas and comments from the list."))
    return ("idea" if subject == "idea" else "comment"), subject_id
