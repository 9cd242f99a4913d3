"""A terminal gets a bar; a file, a pipe and a log get the plain lines alone."""

import io

import pytest

from terraform import progress as module
from terraform.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_how_far_it_is_and_lines_scroll_by_above():
    terminal = Terminal()
    with progress("images", 8, 2, terminal) as seen:
        seen(5)
    assert "images" in terminal.getvalue() and "5/8" in terminal.getvalue()


def test_a_log_holds_nothing_of_it(capsys):
    log = io.StringIO()
    with progress("images", 8, stream=log) as seen:
        print("a line")
        seen(5)
    assert log.getvalue() == "" and capsys.readouterr().out == "a line\n"


def test_without_rich_there_are_plain_lines(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    terminal = Terminal()
    with progress("images", 8, stream=terminal) as seen:
        seen(5)
    assert terminal.getvalue() == ""


def test_it_is_taken_away_when_the_work_fails():
    terminal = Terminal()
    with pytest.raises(ValueError, match="no"), progress("images", 8, stream=terminal):
        raise ValueError("no")
    assert terminal.getvalue().endswith("\x1b[?25h")  # the cursor is there again
