"""The AsyncAPI 3 document of all events, or of one service's."""

from functools import cache
from typing import Any

from .catalogue import EVENTS, OF_THE_RUNTIME, EventType
from .examples import examples
from .topics import MAX_MESSAGE_BYTES, PARTITIONS

_ATTRIBUTES = {
    "ce_specversion": "always 1.0",
    "ce_id": "unique per source; a repeated id takes effect once",
    "ce_source": "who says so, e.g. https://crm.example",
    "ce_type": "the event's name and version",
}
_OPTIONAL_ATTRIBUTES = {
    "ce_time": "when it happened, RFC 3339",
    "ce_subject": "what it is about",
    "ce_correlationid": "the id of the event that began the chain",
    "ce_causationid": "the id of the event that led to this one",
    "traceparent": "W3C trace context",
}


@cache
def document(service: str | None = None, consumed: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The document of a service's own events, or of the whole platform; treat it as read-only.

    `consumed` names what a service hears that the contract does not know of, such as one that passes events on.
    """
    sent = [event for event in EVENTS.values() if _is_sent(event, service, consumed)]
    received = [event for event in EVENTS.values() if _is_received(event, service, consumed)]
    events = [event for event in EVENTS.values() if event in sent or event in received]
    schemas: dict[str, Any] = {}
    for event in events:
        schemas |= _schemas(event)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Earshot {service}" if service else "Earshot",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 over Kafka, binary mode; structured mode is accepted too. "
            "Producers partition by murmur2 of the key, which decides the order.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {event.model.__name__: _channel(event) for event in events},
        "operations": _operations(sent, received),
        "components": {
            "messages": {event.model.__name__: _message(event) for event in events},
            "schemas": schemas,
        },
    }


def _channel(event: EventType) -> dict[str, Any]:
    name = event.model.__name__
    retention = -1 if event.retention is None else int(event.retention.total_seconds() * 1000)
    return {
        "address": event.topic,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "kafka": {
                "topic": event.topic,
                "partitions": PARTITIONS,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": retention,
                    "max.message.bytes": MAX_MESSAGE_BYTES,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _message(event: EventType) -> dict[str, Any]:
    headers = _ATTRIBUTES | _OPTIONAL_ATTRIBUTES
    properties = {name: {"type": "string", "description": text} for name, text in headers.items()}
    properties["ce_type"] |= {"const": event.type}
    properties["ce_specversion"] |= {"const": "1.0"}
    return {
        "name": event.type,
        "title": event.model.__name__,
        "summary": (event.model.__doc__ or "").strip().split("\n")[0],
        "contentType": "application/json",
        "headers": {"type": "object", "properties": properties, "required": list(_ATTRIBUTES)},
        "payload": {"$ref": f"#/components/schemas/{event.model.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"data.{' or, where absent, data.'.join(event.key)}"},
                "bindingVersion": "0.5.0",
            }
        },
        "examples": [
            {
                "name": name,
                "headers": {
                    "ce_specversion": "1.0",
                    "ce_id": f"{name}-1",
                    "ce_source": "https://producer.example",
                    "ce_type": event.type,
                },
                "payload": data,
            }
            for name, data in examples(event).items()
        ],
        "x-published-by": list(event.publishers),
        "x-consumed-by": list(event.consumers),
    }


def _is_sent(event: EventType, service: str | None, consumed: frozenset[str]) -> bool:
    return service is None or service in event.publishers or (bool(consumed) and event.model in OF_THE_RUNTIME)


def _is_received(event: EventType, service: str | None, consumed: frozenset[str]) -> bool:
    return bool(event.consumers) if service is None else service in event.consumers or event.type in consumed


def _operations(sent: list[EventType], received: list[EventType]) -> dict[str, Any]:
    operations = {}
    for event in EVENTS.values():
        name = event.model.__name__
        reference = {
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
        }
        if event in sent:
            operations[f"publish{name}"] = {"action": "send", **reference}
        if event in received:
            operations[f"consume{name}"] = {"action": "receive", **reference}
    return operations


def _schemas(event: EventType) -> dict[str, Any]:
    schema = event.model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), event.model.__name__: schema}
