"""Forms: a checked model, or sentences about what to mend."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, EmailStr, Field, field_validator
from starlette.datastructures import FormData, UploadFile

from shared.ui import FieldError, parse_form


class Demo(BaseModel):
    email: Annotated[EmailStr, Field(title="E-mail")]
    team_size: Annotated[int, Field(ge=1, le=500)]
    plan: Literal["starter", "team"] = "starter"
    day: date | None
    wish: Annotated[str | None, Field(max_length=10)] = "none given"
    topics: Annotated[list[str], Field(default_factory=list)]
    reminder: bool = False

    @field_validator("topics")
    @classmethod
    def known(cls, topics: list[str]) -> list[str]:
        if "weather" in topics:
            raise ValueError("We cannot talk about the weather.")
        return topics


Typed = tuple[str, str | UploadFile]
GOOD: list[Typed] = [("email", " ana@example.com "), ("team_size", "12"), ("day", "2026-11-23")]


def messages(*pairs: Typed) -> dict[str, str]:
    _, errors = parse_form(Demo, FormData(list(pairs)))
    return {error.field: error.message for error in errors}


def test_a_good_form_becomes_the_model() -> None:
    """Text is stripped and turned into the model's types; a list takes all values of its name."""
    pairs: list[Typed] = [*GOOD, ("topics", "export"), ("topics", "prices"), ("reminder", "true")]
    demo, errors = parse_form(Demo, FormData(pairs))
    assert errors == []
    assert demo is not None
    assert (demo.email, demo.team_size, demo.day) == ("ana@example.com", 12, date(2026, 11, 23))
    assert (demo.topics, demo.reminder) == (["export", "prices"], True)


def test_empty_fields_are_none_or_their_default() -> None:
    """An empty field is None where the model allows it, else the model's default."""
    demo, errors = parse_form(Demo, {"email": "ana@example.com", "team_size": "3", "day": "", "wish": "  ", "plan": ""})
    assert errors == []
    assert demo is not None
    assert (demo.day, demo.wish, demo.plan, demo.topics, demo.reminder) == (None, None, "starter", [], False)


def test_an_error_knows_its_input_and_label() -> None:
    """Each error carries the id of the input to jump to and the label to name it by."""
    demo, errors = parse_form(Demo, FormData([("email", ""), ("team_size", "900"), ("day", "")]))
    assert demo is None
    assert errors == [
        FieldError("email", "Fill this in.", "field-email", "E-mail"),
        FieldError("team_size", "Enter 500 or less.", "field-team_size", "Team size"),
    ]


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("email", "ana(at)example", "Enter an e-mail address, for example name@example.com."),
        ("team_size", "many", "Enter a whole number, for example 12."),
        ("team_size", "2.5", "Enter a whole number, for example 12."),
        ("team_size", "0", "Enter 1 or more."),
        ("plan", "gold", "Choose one of the options."),
        ("day", "soon", "Enter a date, for example 2026-11-23."),
        ("wish", "a very long wish", "Shorten this to 10 characters or fewer."),
        ("topics", "weather", "We cannot talk about the weather."),
        ("reminder", "perhaps", "Choose yes or no."),
    ],
)
def test_messages_are_plain_words(field: str, typed: str, message: str) -> None:
    """A wrong value is answered with a sentence that says what to do."""
    assert messages(*(pair for pair in GOOD if pair[0] != field), (field, typed)) == {field: message}
