"""Finds every marked message in templates and Python, and keeps the catalogues of translations in step with them.

`python -m shared.ui.catalogues` adds what is new to every `.po` file and takes out what is gone; translators fill in
the rest. A message that a language lacks is a failing test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from shared.ui.assets import HERE

ROOT = HERE.parents[1]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "marked": None, "Sentence": None}
METHODS = {".html": "jinja2.ext:babel_extract", ".py": "python"}
OPTIONS = {".html": {"trim_blocks": "true", "silent": "false", "extensions": "jinja2.ext.i18n"}, ".py": {}}
WIDTH = 118


@dataclass(frozen=True, slots=True)
class Part:
    """Files whose messages are translated together, and the folder of their catalogues."""

    catalogues: Path
    sources: Sequence[str]

    def files(self) -> Iterator[Path]:
        for pattern in self.sources:
            yield from sorted(ROOT.glob(pattern))

    def languages(self) -> list[Path]:
        return sorted(self.catalogues.glob("*.po"))


PARTS = (
    Part(
        HERE / "translations",
        (
            "shared/ui/templates/components.html",
            "shared/ui/templates/error.html",
            "shared/ui/templates/layout*.html",
            "shared/ui/templates/mailbox.html",
            "shared/ui/forms.py",
            "shared/runtime/errors.py",
            "shared/runtime/middleware.py",
            "shared/runtime/problems.py",
            "shared/runtime/auth/principals.py",
        ),
    ),
    Part(ROOT / "services/roadmap/locales", ("services/roadmap/pages/**/*.html", "services/roadmap/**/*.py")),
)
"""What all pages share, and each service that speaks more than English."""


def messages(files: Iterable[Path]) -> Catalog:
    """Every marked message of these files."""
    found = Catalog()
    for path in files:
        method, options = METHODS[path.suffix], OPTIONS[path.suffix]
        for _line, message, _comments, _context in extract_from_file(method, path, KEYWORDS, options=options):
            found.add(message)
    return found


def missing(path: Path, wanted: Catalog) -> list[str]:
    """The messages, or forms of one, that a catalogue does not translate."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    return [str(message.id) for message in wanted if message.id and not _complete(catalogue, message.id)]


def update(path: Path, wanted: Catalog) -> None:
    """Add new messages and drop those that are gone; what is translated stays."""
    with path.open("rb") as file:
        before = read_po(file, locale=path.stem)
    after = Catalog(locale=path.stem)
    for message in wanted:
        if message.id:
            known = before.get(message.id)
            after.add(message.id, known.string if known else None)
    with path.open("wb") as file:
        write_po(file, after, width=WIDTH, omit_header=True, sort_output=True)
    path.write_text(_HEADER.format(language=path.stem, plurals=after.plural_forms) + path.read_text())


_HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plurals}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def _complete(catalogue: Catalog, key: str | Sequence[str]) -> bool:
    message = catalogue.get(key if isinstance(key, str) else key[0])
    if message is None or message.fuzzy:
        return False
    return bool(message.string) if isinstance(message.string, str) else all(message.string or [""])


def main() -> None:
    """Bring all catalogues up to date."""
    for part in PARTS:
        wanted = messages(part.files())
        for path in part.languages():
            update(path, wanted)


if __name__ == "__main__":
    main()
