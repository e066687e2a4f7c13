"""Taking in rows of a board: each once, whatever is taken in twice; what is wrong is told row by row."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from services.roadmap import casting, store
from services.roadmap.board import editing
from services.roadmap.board.comments import Comment
from services.roadmap.people.welcoming import keep_contact
from services.roadmap.store import speakers, transfer
from services.roadmap.transfer.own import Unfit, external_id, known, named_here, own_name, person_of
from services.roadmap.transfer.rows import Kind, Row, Source, status_of, time_of
from shared.contract.events import FeatureVoted
from shared.contract.parts import OnBehalf, VoterKind
from shared.contract.types import Email, Id, Line, Paragraph, Segment
from shared.runtime import Problem, Rejected, Transaction
from shared.ui.forms import sentence
from shared.ui.sentences import Sentence

TOLD_FAULTS = 100
CHANNEL = "import"
Name = Annotated[Line | None, Field(max_length=80)]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that is left out, and why."""

    number: int
    says: str


@dataclass(slots=True)
class Report:
    """What an import does: rows that are new, that were here, that are left out; the first faults in words."""

    new: int = 0
    known: int = 0
    left_out: int = 0
    faults: list[Fault] = field(default_factory=list)

    def count(self, *, is_new: bool) -> None:
        self.new += is_new
        self.known += not is_new

    def blame(self, number: int, says: str) -> None:
        self.left_out += 1
        if len(self.faults) < TOLD_FAULTS:
            self.faults.append(Fault(number, says))


class IdeaRow(BaseModel):
    title: Line
    description: Annotated[str, Field(max_length=20_000)] = ""
    answer: Paragraph | None = None


class PersonRow(BaseModel):
    kind: Literal["customer", "prospect"] = "customer"
    name: Name = None
    email: Email | None = None
    language: Annotated[Line, Field(max_length=20)] = "en"
    plan: Line | None = None
    region: Line | None = None
    loyalty: Line | None = None


class VoteRow(BaseModel):
    name: Name = None
    kind: VoterKind = "customer"
    vote: Literal["up", "withdrawn"] = "up"
    channel: Line = CHANNEL
    recorded_by: Id | None = None
    source_url: Line | None = None


class CommentRow(BaseModel):
    body: Paragraph
    name: Name = None
    official: bool = False
    visibility: Literal["pending", "published", "spam", "archived"] = "published"


async def take(tx: Transaction, kind: Kind, source: Source, given: Iterable[Row], report: Report) -> None:
    """Take the rows in, each in a savepoint of its own; the report is told what became of them."""
    # Two files that name the same people in another order would wait for each other.
    await transfer.import_alone(tx.connection)
    if kind == "votes":
        await _votes(tx, source, given, report)
        return
    one = _TAKERS[kind]
    for row in _readable(given, report):
        async with _by_itself(tx, row, report):
            report.count(is_new=await one(tx, source, row))


def _readable(given: Iterable[Row], report: Report) -> Iterator[Row]:
    for row in given:
        if row.wrong:
            report.blame(row.number, row.wrong)
        else:
            yield row


@asynccontextmanager
async def _by_itself(tx: Transaction, row: Row, report: Report) -> AsyncIterator[None]:
    """What is done for the row counts, or leaves nothing behind but a fault in the report."""
    try:
        async with tx.connection.transaction():
            yield
    except ValidationError as wrong:
        report.blame(row.number, "; ".join(map(_said, wrong.errors(include_url=False))))
    except Problem as wrong:
        report.blame(row.number, wrong.detail)
    except (Unfit, Rejected, ValueError) as wrong:
        report.blame(row.number, wrong.args[0])


def _said(wrong: ErrorDetails) -> str:
    """What to do about a value, with its column where it is known, in the reader's language."""
    return ": ".join([*map(str, wrong["loc"]), sentence(wrong)])


async def _idea(tx: Transaction, source: Source, row: Row) -> bool:
    external = external_id(source, row, "id")
    if await named_here(tx, "idea", external, row.values.get("id", "")) is not None:
        return False
    read = IdeaRow.model_validate(row.values)
    status, created = status_of(row.values.get("status", "")), time_of(row.values.get("created_at", ""))
    if status is None:
        raise Unfit(Sentence("it is a duplicate; import its original, and merge the two here"))
    feature_id = own_name(source, row.values["id"])
    idea, _is_new = await editing.create(
        tx, feature_id, editing.Content(read.title, read.description), status, released_at=None
    )
    await store.save_idea(tx.connection, replace(idea, status_note=read.answer, created_at=created or tx.now))
    await transfer.note_import(tx.connection, "idea", external, feature_id)
    return True


async def _votes(tx: Transaction, source: Source, given: Iterable[Row], report: Report) -> None:
    """Votes are counted together and last: until then nobody else's vote on these ideas has to wait.

    Whoever is new stays known, even if their vote must not count.
    """
    cast: dict[store.Pair, tuple[Row, casting.Ballot]] = {}
    for row in _readable(given, report):
        async with _by_itself(tx, row, report):
            ballot = await _ballot(tx, source, row)
            pair = ballot.vote.feature_id, ballot.vote.voter_id
            if cast.setdefault(pair, (row, ballot))[1] is not ballot:
                report.count(is_new=False)
    for pair in await transfer.voted_among(tx.connection, cast):
        report.count(is_new=False)
        del cast[pair]
    if cast:
        await _cast(tx, [*cast.values()], report)


async def _cast(tx: Transaction, given: Sequence[tuple[Row, casting.Ballot]], report: Report) -> None:
    """Count the votes together; where one of them is refused with all others, each by itself."""
    try:
        async with tx.connection.transaction():
            answers = await casting.cast_votes(tx, [ballot for _, ballot in given])
    except Rejected as wrong:
        if len(given) == 1:
            report.blame(given[0][0].number, wrong.args[0])
            return
        for one in given:
            await _cast(tx, [one], report)
        return
    for (row, _), answer in zip(given, answers, strict=True):
        if isinstance(answer, Problem):
            report.blame(row.number, answer.detail)
        else:
            report.count(is_new=True)


async def _ballot(tx: Transaction, source: Source, row: Row) -> casting.Ballot:
    feature_id, read = await known(tx, source, "idea", row, "idea"), VoteRow.model_validate(row.values)
    voted_at = time_of(row.values.get("voted_at", ""))
    person_id = await person_of(tx, source, row)
    speaker = await speakers.find_speaker(tx.connection, person_id)
    vote = FeatureVoted(
        feature_id=feature_id,
        voter_id=person_id,
        voter_kind=read.kind,
        vote=read.vote,
        voted_at=voted_at or tx.now,
        channel=read.channel,
        on_behalf=OnBehalf(recorded_by=read.recorded_by, source_url=read.source_url) if read.recorded_by else None,
        segment=Segment.model_validate(speaker.segment) if speaker else Segment(),
    )
    return casting.Ballot(vote, dated=voted_at is not None, cause=tx.cause)


async def _comment(tx: Transaction, source: Source, row: Row) -> bool:
    external = external_id(source, row, "id")
    if await named_here(tx, "comment", external, row.values.get("id", "")) is not None:
        return False
    feature_id = await known(tx, source, "idea", row, "idea")
    parent = await known(tx, source, "comment", row, "parent") if row.values.get("parent") else None
    read = CommentRow.model_validate(row.values)
    has_author = bool(row.values.get("person") or row.values.get("email"))
    author_id = await person_of(tx, source, row) if has_author else None
    comment = Comment(
        comment_id=own_name(source, row.values["id"]),
        feature_id=feature_id,
        parent_id=parent,
        author_id=author_id,
        author_kind="team" if read.official else "customer",
        author_name=read.name,
        body=read.body,
        official=read.official,
        pinned=False,
        visibility=read.visibility,
        created_at=time_of(row.values.get("created_at", "")) or tx.now,
    )
    await store.save_comment(tx.connection, comment)
    await transfer.note_import(tx.connection, "comment", external, comment.comment_id)
    return True


async def _person(tx: Transaction, source: Source, row: Row) -> bool:
    external, read = external_id(source, row, "id"), PersonRow.model_validate(row.values)
    if await named_here(tx, "person", external, row.values.get("id", "")) is not None:
        return False
    before = await speakers.speaker_at(tx.connection, read.email.lower()) if read.email else None
    person_id = before.person_id if before else own_name(source, row.values["id"])
    segment = Segment(plan=read.plan, region=read.region, loyalty=read.loyalty).model_dump(exclude_none=True)
    await speakers.keep_speaker(tx.connection, person_id, read.kind, segment or None, tx.now)
    if read.email:
        await keep_contact(tx, person_id, read.email, read.name, read.language)
    await transfer.note_import(tx.connection, "person", external, person_id)
    return before is None


_TAKERS: Mapping[str, Callable[[Transaction, Source, Row], Awaitable[bool]]] = {
    "ideas": _idea,
    "comments": _comment,
    "people": _person,
}
