"""Pages from templates: one `Pages` per service renders them, with the headers every page carries."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from shared.ui import flash, formats
from shared.ui.assets import HERE, Assets, drawing, read_folder, shared_files

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
    `flash`, and the filters of `formats`.
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
        self._templates.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # added by the extension
        self._templates.globals |= {"asset": self.assets, "drawing": drawing, "service": service}
        self._templates.filters |= formats.FILTERS

    def render(self, request: Request, name: str, *, status: int = 200, **context: object) -> HTMLResponse:
        """Return the page or fragment `name`, filled with `context`; a flash message is shown once."""
        message = flash.read(request)
        shown = _surroundings(request) | {"flash": message} | context
        response = HTMLResponse(self._templates.get_template(name).render(shown), status_code=status, headers=HEADERS)
        if message is not None:
            flash.clear(request, response)
        return response

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

        `detail` says what to do; `role` names the role a refused reader would need; `trace_id` finds the request in
        our records.
        """
        error = {"status": status, "reason": HTTPStatus(status).phrase, "title": title, "detail": detail}
        return self.render(request, "error.html", status=status, error=error, role=role, trace_id=trace_id)


def _surroundings(request: Request) -> dict[str, Any]:
    root = request.scope.get("root_path", "")
    public_url = str(getattr(request.app.state, "public_url", "")).rstrip("/")
    reader = formats.reader_of(request)
    return {
        "request": request,
        "reader": reader,
        "company": getattr(request.app.state, "company", "Earshot"),
        "principal": getattr(request.state, "principal", None),
        "url": lambda path: f"{root}{path}",
        "home": lambda path: f"{public_url}{path}",
    }


@cache
def shared_pages() -> Pages:
    """Return the pages that belong to no service: gallery, reference of an API."""
    return Pages("", HERE / "templates")
