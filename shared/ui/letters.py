"""A mail in text and HTML from the same parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.ui.words import tag


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph, with the link it leads to; without a label the paragraph itself is the link."""

    text: str
    link: str | None = None
    label: str | None = None


def compose(
    parts: Sequence[Part], foot: Sequence[Part], *, title: str, link: str | None = None, language: str
) -> tuple[str, str]:
    """The text and the HTML of a mail, whose title leads to `link`; what people wrote into the parts is escaped."""
    from shared.ui.pages import shared_pages  # noqa: PLC0415 - pages know the mails' words

    told = "\n\n".join(_line(part) for part in parts)
    below = "\n".join(_line(part) for part in foot)
    html = shared_pages().write("mail.html", parts=parts, foot=foot, title=title, link=link, tag=tag(language))
    return f"{told}\n\n-- \n{below}\n", html


def _line(part: Part) -> str:
    text = " ".join(part.text.split())
    return f"{text}\n{part.link}" if part.link else text
