"""The small rules: cells, latest votes, refused votes, moving an idea, linked KPIs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.roadmap.ideas import Idea, moved
from services.roadmap.priority.insights import Insight, highest_versions
from services.roadmap.priority.kpis import Kpi, widest_gap
from services.roadmap.priority.segments import Snapshot, cell_of, latest_snapshots, parts_of
from services.roadmap.votes import Vote, latest_votes, refusal

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
IDEA = Idea(
    feature_id="export",
    title="Export",
    description="",
    status="planned",
    status_version=3,
    status_note=None,
    status_changed_at=NOW - timedelta(days=1),
    released_at=None,
    effort_weeks=None,
    kpi_ids=(),
    supporters=0,
    created_at=NOW - timedelta(days=9),
)
VOTE = Vote("export", "ana", "customer", "up", NOW, "in-app")


def test_a_cell_is_loyalty_plan_and_region_in_lower_case() -> None:
    """Two systems that write a plan differently mean the same cell; what is unknown is a dash."""
    assert cell_of({"loyalty": " Loyal ", "plan": "PRO", "region": None}) == "loyal|pro|–"
    assert parts_of("loyal|pro|–") == {"loyalty": "loyal", "plan": "pro", "region": None}


def test_a_separator_in_a_value_does_not_make_another_dimension() -> None:
    """A plan called "a|b" stays one value."""
    assert parts_of(cell_of({"plan": "a|b"})) == {"loyalty": None, "plan": "a/b", "region": None}


def test_a_cell_fits_a_database_key_however_long_its_values() -> None:
    """Values are cut at 100 characters each."""
    assert len(cell_of(dict.fromkeys(("loyalty", "plan", "region"), "🦉" * 300))) == 302


def test_the_latest_snapshot_that_says_something_is_kept() -> None:
    """A later vote without a segment does not make a known person unknown."""
    known = Snapshot("ana", "–|pro|–", NOW)
    older = Snapshot("ana", "–|free|–", NOW - timedelta(days=1))
    silent = Snapshot("ana", "–|–|–", NOW + timedelta(days=1))
    assert latest_snapshots([silent, known, older]) == [known]
    assert latest_snapshots([older, known, silent]) == [known]


def test_the_last_vote_of_each_person_and_idea_is_kept() -> None:
    """Later votes win, and of the same moment the later event id."""
    later = VOTE._replace(vote="withdrawn", voted_at=NOW + timedelta(seconds=1))
    other = VOTE._replace(voter_id="aaron", event_id="1")
    twin = other._replace(vote="withdrawn", event_id="2")
    assert latest_votes([later, VOTE, twin, other]) == [later, twin]


def test_a_closed_idea_takes_votes_of_the_time_before_and_takes_votes_back() -> None:
    """A vote that comes late is no new vote, and a person may always take theirs back."""
    closed = replace(IDEA, status="declined", status_changed_at=NOW)
    after = VOTE._replace(voted_at=NOW + timedelta(minutes=1))
    assert refusal(VOTE, closed.stage, NOW) is None
    assert refusal(after._replace(vote="withdrawn"), closed.stage, NOW) is None
    assert refusal(after, closed.stage, NOW) == (
        "The idea 'export' is declined since 2026-03-02 09:00 UTC and takes no new votes; "
        "vote for an open idea or ask the team to reopen it."
    )


def test_a_vote_from_the_future_is_refused() -> None:
    """A wrong clock may not silence the voter's next votes for years."""
    assert refusal(VOTE._replace(voted_at=NOW + timedelta(hours=23)), IDEA.stage, NOW) is None
    assert refusal(VOTE._replace(voted_at=NOW + timedelta(days=800)), IDEA.stage, NOW) == (
        "voted_at 2028-05-10 09:00 UTC lies more than a day ahead; correct the sender's clock."
    )


def test_shipping_sets_the_release_time_once() -> None:
    """Shipped without a time is shipped now; shipped again keeps the time and tells nobody."""
    shipped = moved(IDEA, "shipped", released_at=None, note=None, now=NOW)
    assert (shipped.released_at, shipped.status_version, shipped.status_changed_at) == (NOW, 4, NOW)
    assert moved(shipped, "shipped", released_at=None, note=None, now=NOW + timedelta(days=1)) == shipped


def test_a_corrected_release_time_is_told() -> None:
    """Whoever measures the effect needs the right time, so it is a new version."""
    shipped = moved(IDEA, "shipped", released_at=None, note=None, now=NOW)
    earlier = NOW - timedelta(days=2)
    corrected = moved(shipped, "shipped", released_at=earlier, note=None, now=NOW)
    assert (corrected.released_at, corrected.status_version) == (earlier, 5)


def test_an_idea_that_is_taken_back_is_not_released() -> None:
    """An idea that leaves shipped has no release time."""
    shipped = moved(IDEA, "shipped", released_at=None, note=None, now=NOW)
    assert moved(shipped, "now", released_at=None, note=None, now=NOW).released_at is None


def test_a_note_alone_is_no_new_version() -> None:
    """Nobody is told of an answer that was reworded."""
    answered = moved(IDEA, "planned", released_at=None, note="In spring.", now=NOW)
    assert (answered.status_note, answered.status_version) == ("In spring.", 3)
    assert answered.status_changed_at == NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("status", "released_at", "says"),
    [("planned", NOW, "goes with status shipped"), ("shipped", NOW + timedelta(days=1), "lies ahead")],
)
def test_a_release_time_that_does_not_fit_is_refused(status: str, released_at: datetime, says: str) -> None:
    """Only what is shipped has a release time, and only one that has come."""
    with pytest.raises(ValueError, match=says):
        moved(IDEA, status, released_at=released_at, note=None, now=NOW)  # type: ignore[arg-type]


def test_the_highest_version_of_an_insight_is_kept() -> None:
    """Whatever order versions come in, the highest one counts."""
    first = Insight("i-1", 1, False, "export", "ana", None, None, None, 2, NOW)
    second = replace(first, version=2, importance=3)
    assert highest_versions([second, first]) == [second]
    assert highest_versions([first, second]) == [second]


def test_an_idea_is_worth_most_to_the_kpi_that_lacks_most() -> None:
    """Of a KPI halfway and one at its start the second counts; one without an objective says nothing."""
    halfway = Kpi("a", None, None, value=30.0, baseline=20.0, target=40.0)
    falling = Kpi("b", None, None, value=5.0, baseline=5.0, target=2.0)
    unknown = Kpi("c", None, None, value=1.0, baseline=None, target=None)
    assert (halfway.gap, falling.gap, unknown.gap) == (0.5, 1.0, 0.0)
    assert widest_gap([halfway, falling, unknown]) == 1.0
    assert widest_gap([]) == 0.0
