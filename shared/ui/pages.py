"""Pages from templates: one `Pages` per service renders them, with the headers every page carries."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from shared.ui import flash, formats, markdown, words
from shared.ui.assets import HERE, Assets, drawing, read_folder, shared_files
from shared.ui.sentences import Sentence

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Vary": "HX-Request",
    "Cache-Control": "private, no-cache",
}


class Pages:
    """The templates of one service, on top of the shared layouts and components.

    `service` is its name in the navigation ("roadmap"), `templates` its `pages/` folder. Files in `templates/static`
    are served beside the shared ones: mount `pages.assets.app` at `/assets`, name them `url(asset("board.js"))`.

    Every template finds `asset(name)`, `url(path)` inside the service, `home(path)` at the gateway (its address is
    `app.state.public_url`), `company` (`app.state.company`), `principal` (`request.state.principal`), `reader`,
    `languages`, `flash`, and the filters of `formats`. Its words come from `locales/` beside `templates`.
    """

    def __init__(self, service: str, templates: Path) -> None:
        own = read_folder(templates / "static")
        shadowed = sorted(own.keys() & shared_files().keys())
        if shadowed:
            raise ValueError(f"{', '.join(shadowed)} in {templates / 'static'} would hide a shared file; rename it")
        self.assets = Assets(shared_files() | own)
        self._templates = Environment(
            loader=ChoiceLoader([FileSystemLoader(templates), FileSystemLoader(HERE / "templates")]),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.words = words.Words(templates.parent / "locales")
        self._templates.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
            words.translated, words.ntranslated, newstyle=True
        )
        self._templates.globals |= {"asset": self.assets, "drawing": drawing, "service": service}
        self._templates.filters |= formats.FILTERS | {"unmarked": markdown.plain, "spoken": words.spoken}

    def render(self, request: Request, name: str, *, status: int = 200, **context: object) -> HTMLResponse:
        """Return the page or fragment `name`, filled with `context`; a flash message is shown once."""
        message = flash.read(request)
        reader = formats.reader_of(request, self.words.languages)
        shown = _surroundings(request) | {"reader": reader, "languages": self.words.names, "flash": message} | context
        with self.words.speaking(reader.language):
            text = self._templates.get_template(name).render(shown)
        response = HTMLResponse(text, status_code=status, headers=HEADERS)
        if message is not None:
            flash.clear(request, response)
        return response

    def language_of(self, request: Request) -> str:
        """The language that the request is answered in."""
        return words.language_of(request, self.words.languages)

    def write(self, name: str, **context: object) -> str:
        """Fill the template `name` for something else than an answer, such as a mail, in the language being spoken."""
        return self._templates.get_template(name).render(context)

    def render_error(
        self,
        request: Request,
        status: int,
        title: str,
        detail: str,
        trace_id: str | None = None,
        *,
        role: str | None = None,
    ) -> HTMLResponse:
        """Return the page for a request that failed.

        `title` and `detail`, which says what to do, may be sentences; `role` names the role a refused reader would
        need; `trace_id` finds the request in our records.
        """
        with self.words.speaking(self.language_of(request)):
            reason = words.spoken(Sentence(HTTPStatus(status).phrase))
            error = {"status": status, "reason": reason, "title": words.spoken(title), "detail": words.spoken(detail)}
        return self.render(request, "error.html", status=status, error=error, role=role, trace_id=trace_id)


def _surroundings(request: Request) -> dict[str, Any]:
    root = request.scope.get("root_path", "")
    public_url = str(getattr(request.app.state, "public_url", "")).rstrip("/")
    return {
        "request": request,
        "company": getattr(request.app.state, "company", "Earshot"),
        "principal": getattr(request.state, "principal", None),
        "url": lambda path: f"{root}{path}",
        "home": lambda path: f"{public_url}{path}",
    }


@cache
def shared_pages() -> Pages:
    """Return the pages that belong to no service: gallery, reference of an API."""
    return Pages("", HERE / "templates")
