"""How an insight changes."""

from datetime import UTC, datetime

import pytest

from services.insights.model import Content, Insight, Place, clean_tags, revise, withdraw

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PLACE = Place(2, 0, 6, 4.0, 12.0, "a" * 64)
FIRST = Insight("in-1", 4, False, "s-1", "ana", Content("export", PLACE, "export"), "mara", NOW)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["b", "a"], ("b", "a")),
        (["Export", "export", "EXPORT "], ("Export",)),
        (["  manual \n work "], ("manual work",)),
        (["", "  "], ()),
        (["cafe\u0301", "caf\u00e9"], ("caf\u00e9",)),
    ],
)
def test_tags_are_cleaned(given: list[str], kept: tuple[str, ...]) -> None:
    """A tag is kept once whatever its case, spacing and Unicode form, in the first spelling."""
    assert clean_tags(given) == kept


def test_a_change_is_the_next_version() -> None:
    """Within a feature one version follows the other."""
    steps = revise(FIRST, Content("export", PLACE, "export", importance=3), coder_id="ben", at=NOW)
    assert [(step.version, step.withdrawn, step.content.importance, step.coder_id) for step in steps] == [
        (5, False, 3, "ben")
    ]


def test_the_same_content_is_no_change() -> None:
    """Saying the same again, even without naming the turn, makes no version."""
    assert revise(FIRST, Content("export", None, "export"), coder_id="ben", at=NOW) == []


def test_another_feature_takes_two_versions() -> None:
    """The old feature sees a withdrawal, and the new one a later version, so that either order ends the same."""
    steps = revise(FIRST, Content("export", PLACE, "sharing"), coder_id="ben", at=NOW)
    assert [(step.version, step.withdrawn, step.content.feature_id) for step in steps] == [
        (5, True, "export"),
        (6, False, "sharing"),
    ]


def test_a_first_feature_needs_no_withdrawal() -> None:
    """An insight without a feature leaves none when it gets one."""
    loose = Insight("in-1", 1, False, "s-1", "ana", Content("export"), "mara", NOW)
    steps = revise(loose, Content("export", None, "export"), coder_id="ben", at=NOW)
    assert [(step.version, step.withdrawn, step.content.feature_id) for step in steps] == [(2, False, "export")]


def test_withdrawing_keeps_what_was_said() -> None:
    """A withdrawn insight is a version of its own with the same content."""
    taken_back = withdraw(FIRST, coder_id="ben", at=NOW)
    assert (taken_back.version, taken_back.withdrawn, taken_back.content) == (5, True, FIRST.content)
