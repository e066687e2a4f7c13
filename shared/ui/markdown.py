"""What people write, as HTML that is safe to show: CommonMark with tables, struck-through text and links.

Two independent walls: the parser knows no HTML, and what it makes passes a sanitiser with a list of what may stay.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

LONGEST: Final = 20_000
"""Characters that are rendered; half a second for the worst of them."""

AT_ONCE: Final = 5_000
"""Characters that are rendered on the event loop; they take some two milliseconds."""

TAGS: Final = frozenset(
    {"a", "blockquote", "br", "code", "em", "h3", "h4", "hr", "li", "ol", "p", "pre", "s", "strong", "ul"}
    | {"table", "thead", "tbody", "tr", "th", "td"}
)
ATTRIBUTES: Final = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES: Final = {"http", "https", "mailto"}
REL: Final = "nofollow ugc noopener noreferrer"
BREAKS: Final = frozenset({"softbreak", "hardbreak"})
LEVELS: Final = {"h1": "h3", "h2": "h4", "h3": "h4", "h4": "h4", "h5": "h4", "h6": "h4"}
"""A page has its own first two levels of headings."""


async def rendered(text: str) -> Markup:
    """The text as HTML; long ones are rendered beside the event loop."""
    return html(text) if len(text) <= AT_ONCE else await asyncio.to_thread(html, text)


@lru_cache(maxsize=512)
def html(text: str) -> Markup:
    """The text as HTML, as far as LONGEST; what was cut off is said by an ellipsis."""
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    cleaned = nh3.clean(
        _parser().render(shown),
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=set(SCHEMES),
        link_rel=REL,
        url_relative="deny",  # it would lead elsewhere from a feed or a mail
    )
    return Markup(cleaned)  # noqa: S704 - sanitised in the line above


@lru_cache(maxsize=512)
def plain(text: str) -> str:
    """The text without its markup in one line, for lists and summaries."""
    words: list[str] = []
    for block in _parser().parse(text[:LONGEST]):
        words += [" " if token.type in BREAKS else token.content for token in block.children or [block]]
        words.append(" ")
    return " ".join("".join(words).split())


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True})
    parser.enable(["table", "strikethrough", "linkify"]).disable("image")  # a picture tells its server who reads
    for name in ("heading_open", "heading_close"):
        parser.add_render_rule(name, _lower_heading)
    return parser


def _lower_heading(self: object, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    del self, options, env
    level = LEVELS[tokens[at].tag]
    return f"<{level}>" if tokens[at].nesting == 1 else f"</{level}>\n"
