from pathlib import Path

from deploy.local.logs import LogReader, last_lines


def test_a_line_is_shown_when_it_is_complete(tmp_path: Path) -> None:
    """A line that is still being written is shown once, whole."""
    log = tmp_path / "kpi.log"
    log.write_text("old\n")
    reader = LogReader(log, from_end=True)
    with log.open("a") as writer:
        writer.write("first\nsec")
        writer.flush()
        assert list(reader.lines()) == ["first"]
        writer.write("ond\n")
        writer.flush()
    assert list(reader.lines()) == ["second"]


def test_a_log_that_began_anew_is_followed(tmp_path: Path) -> None:
    """After a log was moved away, the lines of the new one are shown from its beginning."""
    log = tmp_path / "kpi.log"
    log.write_text("a long line of the old log\n")
    reader = LogReader(log, from_end=True)
    log.write_text("new\n")
    assert list(reader.lines()) == ["new"]


def test_the_last_lines_of_a_log(tmp_path: Path) -> None:
    """Only as many lines as asked for are shown, none of a log that does not exist."""
    log = tmp_path / "kpi.log"
    log.write_text("one\ntwo\nthree\n")
    assert last_lines(log, 2) == ["two", "three"]
    assert last_lines(tmp_path / "none.log") == []
