"""What the bodies and answers of all JSON endpoints have in common."""

from typing import Annotated

from fastapi import Query
from pydantic import ConfigDict

from shared.contract.types import Schema


class Body(Schema):
    """What is sent to us: a misspelt field is told, not dropped."""

    model_config = ConfigDict(extra="forbid")


class Answer(Schema):
    """What we answer with, read from the attributes of the model's own types."""

    model_config = ConfigDict(from_attributes=True)


Limit = Annotated[int, Query(ge=1, le=1000, description="how many at most")]
