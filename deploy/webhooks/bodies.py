"""What is sent to the endpoints, and what they answer."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictFloat, StrictInt

from shared.contract.types import Line, UtcTime
from shared.runtime import Answer, Body

from .filters import Condition, Operator
from .store.deliveries import State as DeliveryState
from .subscriptions import LONGEST_URL, State

Scalar = StrictBool | StrictInt | StrictFloat | Line
Url = Annotated[str, Field(min_length=1, max_length=LONGEST_URL)]
MOST_CONDITIONS, MOST_TYPES = 20, 100


class ConditionBody(Body):
    """One condition on an event's data, e.g. {"field": "segment.plan", "operator": "in", "value": ["team"]}."""

    field: Line
    operator: Operator
    value: Scalar | Annotated[tuple[Scalar, ...], Field(min_length=1, max_length=100)] = True

    def condition(self) -> Condition:
        return Condition(self.field, self.operator, self.value)


class ChangedSubscription(Body):
    """All of what a subscription says."""

    url: Url
    event_types: Annotated[tuple[Line, ...], Field(min_length=1, max_length=MOST_TYPES)]
    conditions: Annotated[tuple[ConditionBody, ...], Field(max_length=MOST_CONDITIONS)] = ()
    personal_data: bool = Field(default=False, description="whether events with names and addresses may go there")
    description: Line | None = None


class NewSubscription(ChangedSubscription):
    """`subscription_id` makes it safe to send the same again."""

    subscription_id: UUID | None = None


class ConditionAnswer(Answer):
    field: str
    operator: Operator
    value: bool | int | float | str | tuple[bool | int | float | str, ...]


class SubscriptionAnswer(Answer):
    """A subscription; `reason` says why a disabled one is."""

    id: UUID
    url: str
    description: str
    event_types: tuple[str, ...]
    conditions: tuple[ConditionAnswer, ...]
    personal_data: bool
    state: State
    reason: str | None
    failing_since: datetime | None
    created_at: datetime
    created_by: str


class NewSubscriptionAnswer(SubscriptionAnswer):
    """With the secret that signs what is sent there: it is shown this once, and null when it was shown before."""

    secret: str | None


class SecretAnswer(Answer):
    """The new secret; until `former_until` everything is signed with the former one as well."""

    secret: str
    former_until: datetime


class DeliveryAnswer(Answer):
    """One event on its way to one subscription; status and error are those of the latest attempt."""

    id: int
    subscription_id: UUID
    message_id: UUID = Field(description="the webhook-id, the same in every attempt")
    event_id: str
    source: str
    type: str
    key: str
    state: DeliveryState
    failures: int
    note: str | None
    received_at: datetime
    finished_at: datetime | None
    due_at: datetime | None
    status: int | None
    error: str | None


class AttemptAnswer(Answer):
    """One attempt: a status, or an error; and the first kilobyte of what was answered."""

    number: int
    started_at: datetime
    milliseconds: int
    status: int | None
    error: str | None
    answer: str | None


class WholeDelivery(DeliveryAnswer):
    """With what is sent, null where that is not kept any more, and every attempt."""

    body: dict[str, Any] | None
    attempts: tuple[AttemptAnswer, ...]


class Replay(Body):
    """Which deliveries of a subscription to send again, or at once; at most 10,000 go with one call."""

    subscription_id: UUID
    state: Literal["failed", "pending", "delivered"] = "failed"
    event_type: Line | None = None
    since: UtcTime | None = None
    until: UtcTime | None = None


class Replayed(Answer):
    replayed: int


class GivenUp(Body):
    reason: Line
