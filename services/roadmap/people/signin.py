"""Signing in at the board without a password: a link by mail that works once, or a token of the company's own app."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.roadmap import store
from services.roadmap.people import provider, sessions, subscriptions, writing
from services.roadmap.people.abuse import guard
from services.roadmap.people.identity import NotTrusted, Person, verify
from services.roadmap.people.provider import HOME
from services.roadmap.people.visitors import Visitor, cookie_visitor, known_visitor, recognise, sign_in_for
from services.roadmap.people.welcoming import keep_contact, received, welcome
from services.roadmap.priority import evidence
from services.roadmap.settings import RoadmapSettings
from services.roadmap.store import speakers
from services.roadmap.store import subscriptions as moving
from services.roadmap.templates import templates
from shared.contract.types import Email, Line
from shared.runtime import Problem, Transaction, Tx, mail
from shared.runtime.auth.oidc.attempts import inside
from shared.ui import FieldError, field_id, parse_form, redirect
from shared.ui.letters import Part, compose
from shared.ui.words import _

router = APIRouter(include_in_schema=False, dependencies=[Depends(recognise), Depends(guard)])

LINK_LIFETIME = timedelta(minutes=15)
LINKS_AN_HOUR = 5
"""To one address; asking for more is answered alike and sends nothing."""
UNPROCESSABLE = 422


class AddressForm(BaseModel):
    email: Annotated[Email, Field(title="E-mail address")]


class ProfileForm(BaseModel):
    name: Annotated[Line | None, Field(title="Name", max_length=80)] = None


@router.get("/sign-in")
async def ask_address(request: Request, to: str = HOME) -> Response:
    """The ways in; `to` is the page that each of them leads to in the end."""
    return ways_in(request, to=to)


@router.post("/sign-in")
async def send_link(request: Request, tx: Tx) -> Response:
    """The answer is the same whoever has the address, so that nobody learns who is here."""
    typed = await request.form()
    form, _errors = parse_form(AddressForm, typed)
    to = str(typed.get("to", HOME))
    if form is None:
        wrong = FieldError(
            "email", _("Enter an e-mail address, for example name@example.com."), field_id("email"), _("E-mail address")
        )
        return ways_in(request, to=to, status=UNPROCESSABLE, form=typed, wrong=wrong)
    email = form.email.lower()
    if await speakers.links_since(tx.connection, email, tx.now - timedelta(hours=1)) < LINKS_AN_HOUR:
        await _send(request, tx, email, inside(to, home=HOME))
    return ways_in(request, sent=form.email)


@router.get("/sign-in/{token}")
async def show_link(request: Request, token: Line, tx: Tx) -> Response:
    """Opening the link uses nothing up: programs that check mails open links too."""
    link = await speakers.find_link(tx.connection, sessions.digest(token), tx.now)
    status = 200 if link else 410
    return templates.render(request, "sign_in_link.html", status=status, link=link, token=token)


@router.post("/sign-in/{token}")
async def use_link(request: Request, token: Line, tx: Tx) -> Response:
    link = await speakers.use_link(tx.connection, sessions.digest(token), tx.now)
    if link is None:
        return templates.render(request, "sign_in_link.html", status=410, link=None, token=token)
    known = await speakers.speaker_at(tx.connection, link.email)
    person_id = known.person_id if known else f"member-{uuid4()}"
    if known is None:
        await speakers.keep_speaker(tx.connection, person_id, "prospect", None, tx.now)
        await keep_contact(tx, person_id, link.email, None, link.language)
    response = redirect(request, link.leads_to, _("You are signed in. Your votes count from now on."))
    await welcome(request, tx, response, person_id, link.visitor_id)
    return response


@router.get("/identity")
async def use_identity(
    request: Request, tx: Tx, token: Annotated[str, Query(max_length=4000)], to: str = HOME
) -> Response:
    """The company's app sends people here with a token that works once, on their way to a page of the board."""
    person = await vouched(request, tx, token)
    response = redirect(request, inside(to, home=HOME), _("You are signed in. Your votes count from now on."))
    await welcome(request, tx, response, person.sub)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, tx: Tx) -> Response:
    response = redirect(request, "/board", _("You are signed out."))
    await sessions.end(request, tx, response)
    return response


@router.get("/me")
async def show_me(request: Request, tx: Tx) -> Response:
    visitor = known_visitor(request)
    if visitor is None or visitor.session is None:
        return redirect(request, sign_in_for("/me"))
    return await _me(request, tx, visitor, [])


@router.post("/me")
async def change_me(request: Request, tx: Tx) -> Response:
    visitor = known_visitor(request)
    if visitor is None or visitor.session is None:
        return redirect(request, sign_in_for("/me"))
    form, errors = parse_form(ProfileForm, await request.form())
    if form is None:
        return await _me(request, tx, visitor, errors)
    language = templates.language_of(request)
    await speakers.rename(tx.connection, visitor.voter_id, form.name, language)
    return redirect(request, "/me", _("Saved."))


@router.post("/me/mails")
async def want_mails(request: Request, tx: Tx) -> Response:
    visitor = known_visitor(request)
    if visitor is None or visitor.session is None:
        return redirect(request, sign_in_for("/me"))
    await moving.want_mail(tx.connection, visitor.voter_id, wanted=True)
    return redirect(request, "/me", _("We write to you again when ideas of yours move."))


@router.post("/me/erase")
async def erase_me(request: Request, tx: Tx) -> Response:
    """Whoever is known to the board alone goes from here; participants of interviews are erased by the team."""
    visitor = known_visitor(request)
    if visitor is None or visitor.session is None:
        return redirect(request, sign_in_for("/me"))
    response = redirect(request, "/board", _("You are removed."))
    await sessions.end(request, tx, response)
    await evidence.forget(tx, visitor.voter_id, tx.now)
    await forget_speaker(tx, visitor.voter_id)
    await store.forget_author(tx.connection, visitor.voter_id, tx.now)
    return response


async def vouched(request: Request, tx: Transaction, token: str) -> Person:
    """Whom the token vouches for, noted as the company says; the token is used up.

    Raises Problem for a token that vouches for nobody.
    """
    settings: RoadmapSettings = request.app.state.settings
    keys = {name: key.get_secret_value() for name, key in settings.board_keys.items()}
    try:
        identity = verify(token, keys, audience=settings.board_audience, now=tx.now)
        if not await speakers.use_token(tx.connection, identity.digest, identity.expires_at):
            raise NotTrusted("it was used before; make a new one for every visit")
    except NotTrusted as wrong:
        raise Problem(
            401, _("You could not be signed in"), _("The link of your app is not accepted.") + f" ({wrong})"
        ) from None
    await received(tx, identity.person, templates.language_of(request))
    return identity.person


async def forget_speaker(tx: Transaction, person_id: str) -> dict[str, int]:
    """Remove how somebody is reached and all they asked for; gives how many records of which table went."""
    speaker = await speakers.find_speaker(tx.connection, person_id)
    mails = await mail.forget(tx.connection, person_id, speaker.email if speaker else None)
    return {"mails": mails, **await speakers.forget_speaker(tx.connection, person_id)}


def ways_in(
    request: Request,
    *,
    to: str = HOME,
    status: int = 200,
    form: Mapping[str, object] | None = None,
    wrong: FieldError | None = None,
    sent: str | None = None,
    failed: tuple[str, str] | None = None,
) -> Response:
    """The sign-in page, with what is `wrong` with the form, to whom a link was `sent`, or what `failed`.

    `failed` is our sentence and, where the provider said something, its words.
    """
    # As on every page with an error, links to the other languages leave out the query: it holds the provider's code.
    error = {"error": failed} if failed else {}
    return templates.render(
        request,
        "sign_in.html",
        status=status,
        form=form or {},
        errors=[wrong] if wrong else [],
        to=to,
        sent=sent,
        **error,
        offered=provider.offered(request.app.state, to),
    )


async def _me(request: Request, tx: Transaction, visitor: Visitor, errors: list[FieldError]) -> Response:
    speaker = await speakers.find_speaker(tx.connection, visitor.voter_id)
    return templates.render(
        request,
        "me.html",
        status=UNPROCESSABLE if errors else 200,
        speaker=speaker,
        followed=await subscriptions.followed(tx, visitor.voter_id),
        form={"name": visitor.name},
        errors=errors,
    )


async def _send(request: Request, tx: Transaction, email: str, to: str) -> None:
    token, language = secrets.token_urlsafe(32), templates.language_of(request)
    visitor = cookie_visitor(request)
    link = speakers.Link(email, visitor.voter_id if visitor else None, language, to)
    await speakers.add_link(tx.connection, sessions.digest(token), link, tx.now, tx.now + LINK_LIFETIME)
    company = writing.company(request.app.state.settings)
    title = _("Sign in at %(company)s", company=company)
    parts = [
        Part(
            _(
                "With this link you sign in at the roadmap of %(company)s. It works once, for 15 minutes.",
                company=company,
            ),
            f"{writing.base(request.app.state.settings)}/sign-in/{token}",
            _("Sign in"),
        )
    ]
    foot = [Part(_("Somebody typed your address there. If that was not you, do nothing and nothing happens."))]
    text, html = compose(parts, foot, title=title, language=language)
    await mail.write(
        tx,
        mail.Mail(
            key=f"sign-in {sessions.digest(token).hex()}",
            recipient=email,
            language=language,
            subject=title,
            text=text,
            html=html,
            expires_at=tx.now + LINK_LIFETIME,
        ),
    )
