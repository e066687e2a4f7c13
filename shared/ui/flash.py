"""A message that survives one redirect, such as "The invitation is on its way".

It travels as plain text in a short-lived cookie; the next full page shows it (escaped) and clears it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.responses import RedirectResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

COOKIE = "flash"
LONGEST = 300  # characters
LIFETIME = 60  # seconds


def redirect(request: Request, path: str, message: str | None = None) -> RedirectResponse:
    """Answer 303 to `path` of this service; the page there shows `message`.

    Raises ValueError for a path that could lead to another site and for a message over 300 characters.
    """
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        raise ValueError(f"{path!r} is not a path of this service; it must start with one slash")
    if message is not None and len(message) > LONGEST:
        raise ValueError(f"a flash message has at most {LONGEST} characters, this one has {len(message)}")
    response = RedirectResponse(f"{_root(request)}{path}", status_code=303)
    if message is not None:
        where = _root(request) or "/"
        secure = request.url.scheme == "https"
        response.set_cookie(
            COOKIE, quote(message), max_age=LIFETIME, path=where, httponly=True, samesite="lax", secure=secure
        )
    return response


def read(request: Request) -> str | None:
    """Return the message waiting for this page; a fragment is no page and leaves it for the next one."""
    if COOKIE not in request.cookies or request.headers.get("hx-request") == "true":
        return None
    return unquote(request.cookies[COOKIE])[:LONGEST]


def clear(request: Request, response: Response) -> None:
    """Make the browser forget the message."""
    response.delete_cookie(COOKIE, path=_root(request) or "/", httponly=True, samesite="lax")


def _root(request: Request) -> str:
    root: str = request.scope.get("root_path", "")
    return root
