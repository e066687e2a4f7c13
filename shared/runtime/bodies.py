"""What the bodies and answers of all JSON endpoints have in common."""

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Query
from pydantic import ConfigDict, ValidationInfo, ValidatorFunctionWrapHandler, field_validator

from shared.contract.types import Schema

_TYPED = "typed"
"""The context in which all scalars are text, since a person typed them into a form."""


class Body(Schema):
    """What is sent to us: a misspelt field is told, not dropped, and "5" is no number."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="wrap")
    @classmethod
    def _of_the_kind_sent(cls, given: object, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        # Not pydantic's strict mode: FastAPI hands over parsed JSON, where that would refuse every time and tuple.
        value: object = read(given)
        sent, wanted = _kind(given), _kind(value)
        if info.context != _TYPED and sent and wanted and sent != wanted:
            raise ValueError(f"is {sent}; send {wanted}")
        return value

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:  # noqa: ANN401 - as pydantic has it
        """Read a form's fields or our own values; FastAPI does not come this way with what it got as JSON."""
        return super().model_validate(obj, **({"context": _TYPED} | options))


class Answer(Schema):
    """What we answer with, read from the attributes of the model's own types."""

    model_config = ConfigDict(from_attributes=True)


def known_already(answer: type[Schema]) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document of an endpoint that creates: the same content again is answered 200."""
    return {200: {"model": answer, "description": "It exists already with this content"}}


Limit = Annotated[int, Query(ge=1, le=1000, description="how many at most")]


def _kind(value: object) -> str | None:
    """JSON's kind of a scalar; None for everything else."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "text" if isinstance(value, str | date | UUID) else None
