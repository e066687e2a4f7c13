"""The words of the pages in the reader's language.

Texts are written in English where they are used: `{{ _("…") }}` and `{% trans %}` in templates, `_("…")`, `ngettext`,
`marked` and `Sentence` in Python. A service that has `locales/<language>.po` beside its templates speaks that language
too, in its own pages and, from `translations/` here, in what all pages share. Whole sentences with named values are
marked, so that a translation may order them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import HTTPConnection

from shared.ui.assets import HERE
from shared.ui.sentences import Sentence

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

SOURCE: Final = "en"
COOKIE: Final = "language"
PARAMETER: Final = "language"
PROGRAMS: Final = "/api/"
"""Where programs ask; they are answered in English."""
LIFETIME: Final = 365 * 24 * 3600
"""Seconds."""
DEFAULT: Final = Locale("en", "GB")
"""How dates and numbers look to whoever asks for no language of ours."""

_ENGLISH: Final = NullTranslations()
_spoken: ContextVar[NullTranslations] = ContextVar("spoken", default=_ENGLISH)


def gettext(message: str, /, **values: object) -> str:
    """The message in the language of the present request or mail, with its named values (`%(name)s`) filled in."""
    text = translated(message)
    return text % values if values else text


def spoken(text: str) -> str:
    """A sentence in the language of the present request or mail; any other text as it is."""
    if not isinstance(text, Sentence):
        return text
    said = {name: spoken(value) if isinstance(value, str) else value for name, value in text.values.items()}
    return gettext(text.message, **said)


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """The form of the message that goes with `count`, which is its value `%(count)s`."""
    return ntranslated(one, many, count) % {"count": count, **values}


def translated(message: str) -> str:
    """The message as the catalogue has it; templates fill in the values by themselves."""
    return _spoken.get().gettext(message)


def ntranslated(one: str, many: str, count: int) -> str:
    """The same for a message with forms."""
    return _spoken.get().ngettext(one, many, count)


def marked(message: str, /) -> str:
    """The message as it is: a constant that `_` translates where it is used."""
    return message


_ = gettext


class Words:
    """The languages of one service: English, and every language that has a file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.catalogues: dict[str, NullTranslations] = {SOURCE: _ENGLISH}
        for path in sorted(folder.glob("*.po")):
            own, common = _read(path), HERE / "translations" / path.name
            if common.is_file():
                own.add_fallback(_read(common))
            self.catalogues[path.stem] = own

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.catalogues)

    @property
    def names(self) -> Mapping[str, str]:
        """What each language calls itself, by its tag on the web: {"zh-Hans": "中文 (简体)"}."""
        return {tag(language): Locale.parse(language).get_display_name() or language for language in self.catalogues}

    @contextlib.contextmanager
    def speaking(self, language: str) -> Iterator[None]:
        """Within it `_` answers in this language; English where there is no such catalogue."""
        before = _spoken.set(self.catalogues.get(language, self.catalogues[SOURCE]))
        try:
            yield
        finally:
            _spoken.reset(before)


class Speaking:
    """Lets every request be answered in its language, and keeps the one a link chose (`?language=de`) in a cookie."""

    def __init__(self, app: ASGIApp, words: Words) -> None:
        self._app, self._words = app, words

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or len(self._words.languages) == 1:
            await self._app(scope, receive, send)
            return
        if scope["path"].removeprefix(scope.get("root_path", "")).startswith(PROGRAMS):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        picked = _offered(connection.query_params.get(PARAMETER, ""), self._words.languages)

        async def remember(message: Any) -> None:  # noqa: ANN401 - an ASGI message
            if picked and message["type"] == "http.response.start":
                secure = "; Secure" if scope.get("scheme") == "https" else ""
                cookie = f"{COOKIE}={tag(picked)}; Max-Age={LIFETIME}; Path=/; SameSite=Lax; HttpOnly{secure}"
                message["headers"] = [*message.get("headers", ()), (b"set-cookie", cookie.encode())]
            await send(message)

        with self._words.speaking(language_of(connection, self._words.languages)):
            await self._app(scope, receive, remember)


def language_of(connection: HTTPConnection, languages: tuple[str, ...] = (SOURCE,)) -> str:
    """The language to answer in: the one a link asks for, the one chosen before, the one the browser prefers."""
    for given in (connection.query_params.get(PARAMETER, ""), connection.cookies.get(COOKIE, "")):
        if found := _offered(given, languages):
            return found
    for locale in preferred(connection.headers.get("accept-language", "")):
        if found := _of_locale(locale, languages):
            return found
    return SOURCE


def locale_of(language: str, accepted: str) -> Locale:
    """How the reader of a language writes dates and numbers: with the territory that their browser names."""
    for locale in preferred(accepted):
        if locale.territory and _of_locale(locale, (language,)):
            return locale
    return DEFAULT if language == SOURCE else Locale.parse(language)


def preferred(accepted: str) -> list[Locale]:
    """The locales of an `Accept-Language` header that are known, the most wanted first."""
    weighed: list[tuple[float, Locale]] = []
    for part in accepted[:500].split(","):
        name, _separator, quality = part.partition(";")
        try:
            weighed.append((-_weight(quality), Locale.parse(name.strip().replace("-", "_"))))
        except (ValueError, TypeError, UnknownLocaleError):
            continue
    return [locale for _minus_weight, locale in sorted(weighed, key=lambda one: one[0])]


def tag(language: str) -> str:
    """The language as HTML and cookies name it: zh_Hans is zh-Hans."""
    return language.replace("_", "-")


def _weight(quality: str) -> float:
    _name, _equals, value = quality.strip().partition("=")
    return float(value) if value else 1.0


def _offered(given: str, languages: tuple[str, ...]) -> str | None:
    name = given.replace("-", "_")
    return name if name in languages else None


def _of_locale(locale: Locale, languages: tuple[str, ...]) -> str | None:
    for language in languages:
        ours = Locale.parse(language)
        # A Chinese reader without a script reads what most do; whoever names another script does not read ours.
        if ours.language == locale.language and locale.script in {None, ours.script}:
            return language
    return None


@cache
def _compiled(path: Path) -> bytes:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    return compiled.getvalue()


def _read(path: Path) -> GNUTranslations:
    return GNUTranslations(BytesIO(_compiled(path)))
