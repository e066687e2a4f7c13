"""Records as people read and write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.dead_letters.record_text import Unreadable, as_json, as_text, read_headers, shown, write_headers

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
contents = st.none() | st.binary(max_size=20) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))


@given(st.lists(st.tuples(names, contents), max_size=5))
def test_headers_come_back_as_they_were(headers: list[tuple[str, bytes | None]]) -> None:
    """Whatever names and bytes headers have, reading what was written gives the same."""
    assert read_headers(write_headers(headers)) == headers


def test_headers_are_written_as_people_write_them() -> None:
    """Text stands as text, bytes in base64 behind two colons, no value as the bare name, odd names in quotes."""
    headers = [("ce_id", b"a: b"), ("x", b"\xff"), ("none", None), ("a:b", b"c"), ("empty", b"")]
    assert write_headers(headers) == 'ce_id: a: b\nx:: /w==\nnone\n"a:b": c\nempty: '


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: b\nx:: ???", "line 2"), (": b", "needs a name"), ('"a: b', "does not end"), ('"a" b', "a colon must follow")],
)
def test_what_is_no_header_is_told_with_its_line(text: str, words: str) -> None:
    """A line that is no header is refused in words."""
    with pytest.raises(Unreadable, match=words):
        read_headers(text)


@given(st.binary(max_size=200))
def test_what_is_shown_cannot_act(content: bytes) -> None:
    """Nothing that is shown is a control, a direction override or half a character, and nothing is too long."""
    text = shown(content, 50)
    assert all(sign.isprintable() or sign in "\n\t" for sign in text)
    assert len(text) <= 50 * 10 + 1
    text.encode()


def test_hostile_signs_are_shown_as_what_they_are() -> None:
    """Controls, direction overrides and bytes that are no UTF-8 are escaped; other scripts are left alone."""
    assert shown("a\x00\u202eb\r".encode() + b"\xff", 50) == "a\\x00\\u202eb\\r\\xff"
    assert shown("你好\nß".encode(), 50) == "你好\nß"
    assert shown(b"x" * 51, 50) == "x" * 50 + "…"


def test_json_is_indented_and_everything_else_is_not_json() -> None:
    """JSON is indented, with half a character escaped; nesting beyond reading and broken text are no JSON."""
    assert as_json(b'{"a":[1]}') == '{\n  "a": [\n    1\n  ]\n}'
    assert as_json(b'"\\ud800"') == '"\\ud800"'
    assert (as_json(b"["), as_json(b"[" * 100_000), as_json(None), as_json(b"\xff")) == (None, None, None, None)
    assert (as_text(b"\xff"), as_text(None), as_text(b"\xc3\xa4")) == (None, None, "ä")
