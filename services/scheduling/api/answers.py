"""What all answers and lists have in common."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """What we answer with, read from the attributes of what is stored."""

    model_config = ConfigDict(from_attributes=True)


Limit = Annotated[int, Query(ge=1, le=1000, description="how many at most")]
