"""Whether bytes mention a person: in any spelling and any wrapping, but never somebody else with a longer id."""

import base64
import json
import unicodedata

import pytest

from shared.runtime.erasure.mentions import Person, marks_in

JOSE = Person(("p-1", "req-77"), email="José.Álvarez@Bücher.example", name="José Álvarez", phone="+34 (600) 123-456")


def structured(inner: bytes) -> bytes:
    return json.dumps({"specversion": "1.0", "data_base64": base64.b64encode(inner).decode()}).encode()


MENTIONS = {
    "an id as a value": b'{"participant_id": "p-1"}',
    "another id of theirs": b'{"request_id":"req-77"}',
    "a bare key": b"p-1",
    "an id in a sentence": b"participant p-1.",
    "an id in an address": b"https://crm.example/people/p-1/notes",
    "an id in escapes": rb'{"participant_id": "\u0070\u002d1"}',
    "an id after an escaped line end": rb'{"text": "line\np-1"}',
    "an id in JSON within JSON": json.dumps(json.dumps({"participant_id": "p-1"})).encode(),
    "an id between broken bytes": b"\xff\xfe p-1 \xff",
    "an id in UTF-16": '{"participant_id": "p-1"}'.encode("utf-16-le"),
    "an id in base64": structured(b'{"participant_id": "p-1"}'),
    "an id in base64 with escaped slashes": structured(b'{"?participant?": "p-1"}').replace(b"/", b"\\/"),
    "an address": "mail José.Álvarez@Bücher.example now".encode(),
    "an address in other letters": "JOSÉ.ÁLVAREZ@BÜCHER.EXAMPLE".encode(),
    "an address with punycode": "josé.álvarez@xn--bcher-kva.example".encode(),
    "an address in escapes": json.dumps("josé.álvarez@bücher.example").encode(),
    "an address in escapes twice": json.dumps(json.dumps("josé.álvarez@bücher.example")).encode(),
    "an address in a link": b"https://x.example/?mail=jos%C3%A9.%C3%A1lvarez%40b%C3%BCcher.example&a=1",
    "a decomposed address": unicodedata.normalize("NFD", "josé.álvarez@bücher.example").encode(),
    "a name": "{'name': 'José Álvarez'}".encode(),
    "a decomposed name": unicodedata.normalize("NFD", "José Álvarez").encode(),
    "a name in escapes": json.dumps({"name": "JOSÉ ÁLVAREZ"}).encode(),
    "a name joined otherwise": "josé_álvarez.pdf".encode(),
    "a phone number": b'{"phone": "0034600123456"}',
    "a phone number written otherwise": b"call +34-600-123-456!",
}
OTHERS = {
    "a longer id": b'{"participant_id": "p-12"}',
    "an id with a longer beginning": b'{"participant_id": "xp-1"}',
    "an id with a suffix": b'{"participant_id": "p-1-2"}',
    "an id with another namespace": b'{"participant_id": "crm:p-1"}',
    "an id in other letters": b'{"participant_id": "P-1"}',
    "another address at the same place": "maria.álvarez@bücher.example".encode(),
    "a first name alone": "José".encode(),
    "a longer name": "José Álvarezo".encode(),
    "a longer number": b"+34 600 123 4567",
    "nothing": b"",
}


@pytest.mark.parametrize("content", MENTIONS.values(), ids=MENTIONS)
def test_a_mention_is_found_however_it_is_written(content: bytes) -> None:
    """Escapes, encodings, normal forms and letter case hide nobody."""
    assert JOSE.is_in(content)


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_somebody_else_is_not_taken_for_the_person(content: bytes) -> None:
    """Whole ids, addresses and names count, not parts of them."""
    assert not JOSE.is_in(content)


def test_a_longer_address_is_another() -> None:
    """An address that goes on, or begins earlier, is somebody else's."""
    ana = Person(("p-9",), email="ana@example.com")
    assert not ana.is_in(b"ana@example.com.br, joana@example.com")
    assert ana.is_in(b"joana@example.com, ana@example.com.")


def test_a_name_of_one_word_counts_where_it_stands_alone() -> None:
    """“Will” as a whole value is a name, in a sentence it is a verb."""
    will = Person(("p-9",), name="Will")
    assert will.is_in(b'{"contact": {"name": "Will"}}')
    assert not will.is_in(b'{"quote": "I will export it"}')


def test_the_person_is_recognised_later_by_hashes_alone() -> None:
    """Marks of ids and of the address are found in what comes late, in any spelling, and in nobody else's."""
    ids, addresses = JOSE.marks()
    assert ids & marks_in(b'{"participant_id": "p-1"}')
    assert not (ids | addresses) & marks_in(b'{"participant_id": "p-12", "email": "maria@b\xc3\xbccher.example"}')
    assert addresses & marks_in(json.dumps({"email": "JOSÉ.ÁLVAREZ@bücher.example"}).encode())
    assert all(len(mark) == 32 for mark in ids | addresses)


@pytest.mark.parametrize(
    "piece", [b"a", b"\\", b"1", b"1 (", b"@", b"a@", b'"data_base64":"', b"-", b"\\u00e9", b"%41"]
)
def test_a_hostile_megabyte_is_searched_in_one_pass(piece: bytes) -> None:
    """Whoever can send may choose the text; a pattern that goes over it again and again would not end in hours."""
    assert not JOSE.is_in(piece * (1_000_000 // len(piece)))
