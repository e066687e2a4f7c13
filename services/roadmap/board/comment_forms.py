"""The forms below an idea: comments, reactions, pins."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from services.roadmap.board import discussing, idea_page
from services.roadmap.board.comments import Comment, Reaction
from services.roadmap.people.abuse import guard
from services.roadmap.people.visitors import known_visitor, new_visitor, recognise
from shared.contract.types import Id, Line, Paragraph
from shared.runtime import Manager, Tx, unprocessable
from shared.ui import parse_form, redirect
from shared.ui.markdown import rendered
from shared.ui.words import _

router = APIRouter(include_in_schema=False, dependencies=[Depends(recognise), Depends(guard)])


class CommentForm(BaseModel):
    body: Annotated[Paragraph, Field(title="Your comment")]
    name: Annotated[Line | None, Field(title="Your name")] = None
    parent: Id | None = None
    official: bool = False
    act: Literal["send", "preview"] = "send"


class ChangeForm(BaseModel):
    body: Annotated[Paragraph, Field(title="Your comment")]


class ReactionForm(BaseModel):
    kind: Reaction


class PinForm(BaseModel):
    pinned: bool


@router.post("/board/{feature_id}/comments")
async def write(request: Request, feature_id: Id, tx: Tx) -> Response:
    idea = await discussing.commented(tx, feature_id)
    typed = await request.form()
    form, errors = parse_form(CommentForm, typed)
    if form is None:
        return await idea_page.render(request, tx, idea, form=typed, errors=errors)
    if form.act == "preview":
        return await idea_page.render(request, tx, idea, form=typed, preview=await rendered(form.body))
    visitor = known_visitor(request) or new_visitor()
    if request.state.principal is not None:
        await discussing.meet(tx, request.state.principal)
    comment = await discussing.write(
        tx, idea.feature_id, form.body, visitor, parent_id=form.parent, name=form.name, official=form.official
    )
    shown = comment.visibility == "published"
    said = _("Your comment is there.") if shown else _("Thank you. Others see your comment once the team has read it.")
    response = redirect(request, _place(idea.feature_id, comment), said)
    visitor.remember(request, response)
    return response


@router.post("/comments/{comment_id}")
async def change(request: Request, comment_id: Id, tx: Tx) -> Response:
    form, errors = parse_form(ChangeForm, await request.form())
    if form is None:
        raise unprocessable(" ".join([f"{errors[0].label}: {errors[0].message}", _("Go back and try again.")]))
    comment = await discussing.change(tx, comment_id, form.body, known_visitor(request))
    return await _back(request, tx, comment, _("Your comment is changed."))


@router.post("/comments/{comment_id}/delete")
async def delete(request: Request, comment_id: Id, tx: Tx) -> Response:
    visitor = known_visitor(request)
    comment = await discussing.delete(tx, comment_id, visitor.voter_id if visitor else None)
    return await _back(request, tx, comment, _("Your comment is deleted."))


@router.post("/comments/{comment_id}/reactions")
async def react(request: Request, comment_id: Id, tx: Tx, *, wanted: bool = True) -> Response:
    form, _errors = parse_form(ReactionForm, await request.form())
    if form is None:
        raise unprocessable(_("There is no such reaction. Go back and choose one of those shown."))
    visitor = known_visitor(request) or new_visitor()
    comment = await discussing.react(tx, comment_id, visitor.voter_id, form.kind, wanted=wanted)
    response = await _back(request, tx, comment)
    visitor.remember(request, response)
    return response


@router.post("/comments/{comment_id}/pin")
async def pin(request: Request, comment_id: Id, tx: Tx, _who: Manager) -> Response:
    form, _errors = parse_form(PinForm, await request.form())
    comment = await discussing.pin(tx, comment_id, pinned=form is None or form.pinned)
    return await _back(request, tx, comment)


async def _back(request: Request, tx: Tx, comment: Comment, said: str | None = None) -> Response:
    idea = await discussing.commented(tx, comment.feature_id)
    return redirect(request, _place(idea.feature_id, comment), said)


def _place(feature_id: str, comment: Comment) -> str:
    shown = comment.deleted_at is None
    return f"/board/{feature_id}#{f'comment-{comment.comment_id}' if shown else 'comments'}"
