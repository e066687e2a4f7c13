"""The mails of a local installation, to be read where no SMTP server sends them. Admins alone: they hold links."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from shared.runtime.auth.principals import Admin
from shared.runtime.depends import Tx
from shared.runtime.errors import not_found
from shared.ui import Pages

from . import table

router = APIRouter(include_in_schema=False)

NEWEST = 50
SANDBOX = "sandbox allow-popups allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'"


@router.get("/mailbox")
async def show_mailbox(request: Request, tx: Tx, _who: Admin) -> Response:
    pages: Pages = request.app.state.pages
    return pages.render(request, "mailbox.html", mails=await table.latest(tx.connection, NEWEST))


@router.get("/mailbox/{mail_id}")
async def show_mail(mail_id: UUID, tx: Tx, _who: Admin) -> Response:
    mail = await table.find(tx.connection, mail_id)
    if mail is None:
        raise not_found("mail", str(mail_id))
    return HTMLResponse(mail["html"], headers={"Content-Security-Policy": SANDBOX})
