"""The dead letters of an installation, here or elsewhere, over HTTP through its gateway."""

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from deploy.local.errors import Fault
from deploy.local.installation import Installation

Json = dict[str, Any]

TOKEN = "EARSHOT_TOKEN"  # noqa: S105 - the name of the variable
PATIENCE_SECONDS = 120
AT_ONCE = 200


class Letters:
    """What an operator may do with the letters of some services."""

    def __init__(self, client: httpx.Client, services: Sequence[str]) -> None:
        self._client, self._services = client, services

    def every(self, wanted: Json, most: int) -> Iterator[Json]:
        """At most so many letters of each service, oldest first, each with its service."""
        for service in self._services:
            after, left = 0, most
            while left > 0:
                asked = wanted | {"after": after, "limit": min(left, AT_ONCE)}
                letters = self._ask("GET", service, params=asked).json()
                yield from ({"service": service} | letter for letter in letters)
                if len(letters) < asked["limit"]:
                    break
                left -= len(letters)
                after = letters[-1]["number"]

    def whole(self, identifier: UUID) -> Json:
        """The letter with its record and its service.

        Raises:
            Fault: no service has it.
        """
        for service in self._services:
            answer = self._ask("GET", service, f"/{identifier}", missing=True)
            if answer.status_code != httpx.codes.NOT_FOUND:
                return {"service": service, **answer.json()}
        raise Fault(f"There is no dead letter {identifier} in {', '.join(self._services)}.")

    def edit(self, letter: Json, changes: Json) -> Json:
        """The letter after its edit; refused when somebody else edited it since it was read."""
        body = changes | {"after_edits": letter["edits"]}
        answer = self._ask("POST", letter["service"], f"/{letter['id']}/edit", json=body)
        return {"service": letter["service"], **answer.json()}

    def settle(self, verb: str, identifiers: Sequence[UUID], body: Json) -> Iterator[Json]:
        """What became of each of the letters."""
        by_service: dict[str, list[str]] = {}
        for identifier in identifiers:
            by_service.setdefault(self.whole(identifier)["service"], []).append(str(identifier))
        for service, ids in by_service.items():
            for start in range(0, len(ids), AT_ONCE):
                yield from self._settled(service, verb, body | {"ids": ids[start : start + AT_ONCE]})[0]

    def settle_all(self, verb: str, wanted: Json, body: Json) -> Iterator[Json]:
        """What became of each open letter that the filter finds."""
        for service in self._services:
            after: int | None = 0
            while after is not None:
                asked = body | {"filter": wanted, "after": after, "limit": AT_ONCE}
                outcomes, after = self._settled(service, verb, asked)
                yield from outcomes

    def _settled(self, service: str, verb: str, body: Json) -> tuple[list[Json], int | None]:
        answer = self._ask("POST", service, f"/{verb}", json=body).json()
        return [{"service": service} | outcome for outcome in answer["outcomes"]], answer["next"]

    def _ask(
        self,
        method: str,
        service: str,
        path: str = "",
        *,
        params: Json | None = None,
        json: Json | None = None,
        missing: bool = False,
    ) -> httpx.Response:
        address = f"/{service}/api/v1/dead-letters{path}"
        try:
            answer = self._client.request(method, address, params=params, json=json)
        except httpx.HTTPError as fault:
            raise Fault(f"Nothing answers at {self._client.base_url}: {fault or type(fault).__name__}.") from None
        if answer.is_success or (missing and answer.status_code == httpx.codes.NOT_FOUND):
            return answer
        raise Fault(f"{service} answers {answer.status_code}: {_detail(answer)}")


def reach(url: str | None, services: Sequence[str]) -> Letters:
    """The letters of the installation at `url`, else of the local one.

    Raises:
        Fault: there is nothing to show who asks.
    """
    here = Installation.of(os.environ)
    token = os.environ.get(TOKEN)
    if token is None and url is not None:
        # A token of this installation is nobody else's business.
        raise Fault(f"{TOKEN} is not set; give a bearer token that {url} accepts, for the role admin.")
    if url is not None and urlsplit(url).scheme not in {"http", "https"}:
        raise Fault(f"{url!r} is no address; write it as https://earshot.example.")
    token = token or here.token(subject="local-admin", role="admin", lifetime=timedelta(hours=1))
    client = httpx.Client(
        base_url=url or here.gateway_url,
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        timeout=PATIENCE_SECONDS,
        trust_env=url is not None,  # a proxy may lead to others, never to ourselves
    )
    return Letters(client, services)


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
