"""What a person typed into a form, as a checked model or as sentences about what to mend.

A form that fails is answered 422 with the same page: the typed mapping and the errors go back into the field macros,
so nothing has to be typed twice.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from shared.ui.words import _, marked

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

SENTENCES = {
    "missing": marked("Fill this in."),
    "string_too_short": marked("Write at least {min_length} characters."),
    "string_too_long": marked("Shorten this to {max_length} characters or fewer."),
    "string_pattern_mismatch": marked("This is not in the expected form."),
    "int_parsing": marked("Enter a whole number, for example 12."),
    "int_from_float": marked("Enter a whole number, for example 12."),
    "float_parsing": marked("Enter a number, for example 12.5."),
    "decimal_parsing": marked("Enter a number, for example 12.5."),
    "finite_number": marked("Enter a number, for example 12.5."),
    "greater_than": marked("Enter a number above {gt}."),
    "greater_than_equal": marked("Enter {ge} or more."),
    "less_than": marked("Enter a number below {lt}."),
    "less_than_equal": marked("Enter {le} or less."),
    "bool_parsing": marked("Choose yes or no."),
    "literal_error": marked("Choose one of the options."),
    "enum": marked("Choose one of the options."),
    "uuid_parsing": marked("Choose one of the options."),
    "too_short": marked("Choose at least {min_length}."),
    "too_long": marked("Choose at most {max_length}."),
    "date_parsing": marked("Enter a date, for example 2026-11-23."),
    "date_from_datetime_parsing": marked("Enter a date, for example 2026-11-23."),
    "datetime_parsing": marked("Enter a date and time, for example 2026-11-23T10:30."),
    "datetime_from_date_parsing": marked("Enter a date and time, for example 2026-11-23T10:30."),
    "time_parsing": marked("Enter a time, for example 10:30."),
    "url_parsing": marked("Enter a web address, for example https://example.com."),
}
EMAIL = marked("Enter an e-mail address, for example name@example.com.")
EMAIL_SAYS = "value is not a valid email address"
COLLECTIONS = {list, set, tuple, frozenset}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing to mend: the field's name, what to do, the id of its input, and its label for the summary."""

    field: str
    message: str
    id: str
    label: str


def parse_form(model: type[M], form: Mapping[str, object]) -> tuple[M | None, list[FieldError]]:
    """Return the model made of `form` and no error, or None and one error for each wrong field.

    Text is stripped. An empty field counts as not filled in: None where the model allows it, else its default.
    A field that holds a list takes all values of its name (checkboxes).
    """
    typed: dict[str, object] = {}
    for name, info in model.model_fields.items():
        value = _typed(form, name, info.annotation)
        if value is not None or (name in form and type(None) in _parts(info.annotation)):
            typed[name] = value
    try:
        return model.model_validate(typed), []
    except ValidationError as failed:
        return None, _one_each(model, failed.errors(include_url=False))


def field_id(name: str) -> str:
    """Return the id that the field macro gives the input called `name`."""
    return f"field-{name}"


def _typed(form: Mapping[str, object], name: str, annotation: object) -> object:
    """Return what was typed for `name`, None for nothing."""
    if any((get_origin(part) or part) in COLLECTIONS for part in _parts(annotation)):
        every = getattr(form, "getlist", None)  # a submitted form keeps all values of a name, a plain mapping one
        return every(name) if every else form.get(name)
    value = form.get(name)
    return value.strip() or None if isinstance(value, str) else value


def _parts(annotation: object) -> tuple[object, ...]:
    union = get_origin(annotation) in {Union, types.UnionType}
    return get_args(annotation) if union else (annotation,)


def _one_each(model: type[BaseModel], errors: list[ErrorDetails]) -> list[FieldError]:
    found: dict[str, FieldError] = {}
    for error in errors:
        name = str(error["loc"][0]) if error["loc"] else "form"
        info = model.model_fields.get(name)
        label = _(info.title) if info and info.title else "" if info is None else name.replace("_", " ").capitalize()
        found.setdefault(name, FieldError(name, sentence(error), field_id(name), label))
    return list(found.values())


def sentence(error: ErrorDetails) -> str:
    """What to do about an error of pydantic's, in the language of the present request."""
    message = error["msg"]
    if message.startswith(EMAIL_SAYS):
        return _(EMAIL)
    if error["type"] in {"value_error", "assertion_error"}:
        return _(message.partition(", ")[2] or message)
    bounds = {name: _plain(value) for name, value in error.get("ctx", {}).items()}
    return _(SENTENCES.get(error["type"], message)).format_map(bounds)


def _plain(value: object) -> object:
    """Bounds of a number come as floats; nobody writes 10 as 10.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
