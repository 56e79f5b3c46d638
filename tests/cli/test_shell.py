"""Tests fsa shell: a sandbox's terminal in a local terminal, with the real sandboxd, tmux and bash."""

import itertools
import os
import signal

import pytest

from terminal import Terminal

_names = (f"session-{number}" for number in itertools.count(1))
LINES = "".join(f"{n:06} {'x' * 72}\r" for n in range(1300))  # more than 100 KB


@pytest.fixture
def session():
    return next(_names)


@pytest.fixture
def shell(fsa, session):
    """shell(): a terminal that runs fsa shell, returned once bash answers."""
    opened = []

    def open_one(rows=30, columns=100):
        opened.append(Terminal(fsa.program, "shell", "shop", session, env=fsa.env, rows=rows,
                               columns=columns))
        opened[-1].type("PS1='$ '; echo rea''dy\r")
        opened[-1].until("ready")
        return opened[-1]

    yield open_one
    for terminal in opened:
        if not terminal.closed:
            os.kill(terminal.pid, signal.SIGKILL)
            terminal.end()


def test_typed_commands_run_and_the_exit_code_is_the_shells(shell, inside):
    terminal = shell()
    terminal.type("pwd; echo $((6 * 7))-is-it\r")
    assert str(inside.home) in terminal.until("42-is-it")
    terminal.type("exit\r")
    assert terminal.end() == 0


def test_it_is_as_large_as_ones_own_terminal(shell):
    terminal = shell(rows=31, columns=101)
    terminal.type("stty size | tr ' ' x\r")
    terminal.until("x101")
    terminal.resize(41, 91)
    terminal.type("until stty size | grep -q 91; do :; done; stty size | tr ' ' x\r")
    terminal.until("x91")


def test_an_interrupt_reaches_the_program_in_it(shell):
    terminal = shell()
    terminal.type("""sh -c "echo be''gun; exec sleep 1000"\r""")
    # printed by the program that has the terminal: between two commands, the shell would be interrupted
    terminal.until("begun")
    terminal.type("\x03")
    terminal.until("^C")  # an interrupt discards input that was not read yet
    terminal.type("echo code-$?-\r")
    terminal.until("code-130-")


def test_a_paste_of_100_kb_arrives_whole(shell, inside, session):
    terminal = shell()
    terminal.type(f"echo be''gun; cat >{session}\r")
    terminal.until("begun")
    terminal.type(LINES)
    terminal.type("\x04")
    terminal.type("echo af''ter\r")
    terminal.until("after")
    assert (inside.home / session).read_text() == LINES.replace("\r", "\n")


def test_no_byte_is_lost_or_doubled_when_connections_are_cut(shell, inside, session):
    terminal = shell()
    terminal.type(f"echo be''gun; cat >{session}\r")
    terminal.until("begun")
    with inside.line.that_breaks() as line:
        before = line.cuts
        terminal.type(LINES)
        terminal.type("\x04")
        terminal.type("echo af''ter\r")
        terminal.until("after")
    assert (inside.home / session).read_text() == LINES.replace("\r", "\n")
    assert line.cuts > before


def test_leaving_keeps_the_session(shell, inside, session):
    terminal = shell()
    terminal.type("answer=41\r")
    terminal.type("\r~.")
    terminal.until("goes on")
    assert terminal.end() == 0
    again = shell()
    again.type("echo it-is-$((answer + 1))\r")
    again.until("it-is-42")


def test_a_client_that_was_killed_finds_the_session_as_it_was(shell):
    terminal = shell()
    terminal.type("answer=41; echo kn''own\r")
    terminal.until("known")
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.end() == -signal.SIGKILL
    again = shell()
    again.type("echo it-is-$((answer + 1))\r")
    again.until("it-is-42")


@pytest.mark.parametrize("typed, shown", [("echo 'a\r~b'\r", "~b"), ("echo 'a\r~~.b'\r", "~.b")])
def test_a_tilde_is_a_tilde(shell, typed, shown):
    terminal = shell()
    terminal.type(typed)
    assert f"\n{shown}\r\n" in terminal.until(f"\n{shown}\r\n")


def test_without_a_terminal_it_recommends_commands_for_programs(fsa):
    assert b"fsa run shop" in fsa("shell", "shop", status=2).stderr


@pytest.mark.parametrize("name", ["-x", "a b", "", "x" * 65, "a;b"])
def test_a_name_that_no_session_has_is_refused(fsa, name):
    terminal = Terminal(fsa.program, "shell", "shop", "--", name, env=fsa.env)
    assert terminal.end() == 1
    assert "1 to 64" in terminal.text()
