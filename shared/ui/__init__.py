"""One calm, fast look for all pages: layouts, components, tokens and the assets they need, served by us.

A service builds one `Pages(name, folder of its templates)`, mounts `pages.assets.app` at `/assets`, and answers with
`pages.render(request, "board.html", ideas=ideas)`. Its templates extend `layout_public.html` or `layout_work.html` and
use the macros of `components.html`; `/ui` (`shared.ui.gallery`) shows every one of them. Forms come in through
`parse_form`, and leave with `redirect`, which carries one message to the next page.
"""

from shared.ui.assets import Assets, shared_files
from shared.ui.flash import redirect
from shared.ui.forms import FieldError, field_id, parse_form
from shared.ui.pages import CONTENT_SECURITY_POLICY, HEADERS, Pages, shared_pages

__all__ = [
    "CONTENT_SECURITY_POLICY",
    "HEADERS",
    "Assets",
    "FieldError",
    "Pages",
    "field_id",
    "parse_form",
    "redirect",
    "shared_files",
    "shared_pages",
]
