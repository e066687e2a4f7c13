"""What a person is told of a refusal: English for programs and logs, any language where a page says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self


class Sentence(str):
    """A marked message with its named values (`%(name)s`) filled in; `words.spoken` says it in the reader's language.

    A value may be a sentence itself.
    """

    __slots__ = ("message", "values")
    message: str
    values: Mapping[str, object]

    def __new__(cls, message: str, /, **values: object) -> Self:
        made = super().__new__(cls, message % values if values else message)
        made.message, made.values = message, values
        return made
