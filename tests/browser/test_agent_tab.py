"""Tasks of the coding agent in the page: the image's own scripts, and a script in the agent's place."""

import json
import os

import pytest
from selenium.webdriver.common.keys import Keys

from test_page import create, enter
from test_terminal import shown, wait_shown

RECORD = ".local/state/fullstack-agent/agent-tasks.jsonl"
AGENT = """#!/bin/bash
prompt=$(cat)
jq -cn --arg text "I was asked: $prompt" '{type: "assistant", message: {content: [{type: "text", $text}]}}'
until [[ -e ~/go ]]; do sleep 0.1; done
exit "$(<~/go)"
"""


@pytest.fixture
def inside(page, cluster, site, open_inside):
    """A page with the tab open, and the sandbox behind it, which has memory for an agent, and one."""
    if os.geteuid() != 0:
        pytest.skip("the image's scripts at their place take root")
    name = enter(page, cluster)
    create(page, "Robots")
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE sandboxes SET memory_limit = '512Mi' FROM resources r, users u"
                       " WHERE r.id = resource_id AND u.id = r.user_id AND u.name = %s", (name,))
    sandbox = open_inside(page, name, image=True)
    agent = sandbox.bin / "claude"
    agent.write_text(AGENT)
    agent.chmod(0o755)
    page.press("Agent", ".tabs a")
    page.see("p.empty", "None yet. What you ask for appears here, with what came of it.")
    return sandbox


def states(page):
    return [e.text.split(" ", 1)[1] for e in page.find(".task .state")]


def wait_states(page, *expected):
    page.wait(lambda: states(page) == list(expected), f"the states {expected}")


def start(page, prompt):
    page.fill(prompt=prompt)
    page.press("Start the task")
    page.see(".opened [role=status]", "Connected")


def test_a_task_is_started_watched_and_seen_to_its_end(page, inside):
    assert "You have stored no AI key." in page.text(".warning")
    start(page, "Say <b>hello</b> & more")
    assert page.attribute("value", "[name=prompt]") == ""
    wait_states(page, "Running")
    assert page.findings() == []
    (inside.home / "go").write_text("0")
    wait_states(page, "Done")
    wait_shown(page, "The agent has ended .exit code 0.")
    assert "I was asked: Say <b>hello</b> & more" in page.text(".log")
    page.driver.refresh()
    wait_states(page, "Done")
    assert "I was asked: Say <b>hello</b> & more" in page.text(".log")
    assert page.findings() == []
    assert page.complaints() == []


def test_its_watcher_takes_over(page, inside):
    start(page, "Wait")
    wait_states(page, "Running")
    page.see(".screen .xterm").click()
    page.driver.switch_to.active_element.send_keys(Keys.CONTROL + "c")
    wait_states(page, "Interrupted")
    wait_shown(page, "The agent has ended .exit code 130.")
    page.driver.switch_to.active_element.send_keys("echo a$((40+2))b" + Keys.ENTER)
    wait_shown(page, "a42b")
    assert page.complaints() == []


def test_a_task_is_ended_and_another_one_fails(page, inside):
    start(page, "Wait")
    wait_states(page, "Running")
    page.press("End the task")
    page.press("End it")
    wait_states(page, "Interrupted")
    page.wait(lambda: "agent-" not in inside.tmux("list-sessions"), "its session has ended, too")
    page.wait(lambda: not page.find(".opened .screen"), "no terminal of a session that there is not")
    (inside.home / "go").write_text("3")
    page.fill(prompt="Fail")
    page.press("Start the task")
    page.wait(lambda: states(page)[0] == "Failed (exit code 3)", "its failure")
    assert page.complaints() == []


def test_what_was_asked_before_is_listed_with_what_came_of_it(page, inside):
    record = inside.home / RECORD
    record.parent.mkdir(parents=True)
    record.touch()
    page.driver.refresh()
    page.see("p.empty")
    lines = [{"session": "agent-one", "event": "started", "at": "2026-01-01T10:00:00Z", "prompt": "Write\na poem"},
             {"session": "agent-one", "event": "ended", "at": "2026-01-01T10:01:00Z", "exitCode": 0},
             {"session": "agent-two", "event": "started", "at": "2026-01-02T10:00:00Z", "prompt": "Boil the ocean"}]
    record.write_text('part of a line"}\n' + "".join(json.dumps(line) + "\n" for line in lines))
    page.driver.refresh()
    wait_states(page, "Cut off when the sandbox stopped", "Done")
    page.see(".task .prompt", "Boil the ocean").click()
    assert "went with the sandbox's last stop" in page.text(".opened")
    assert shown(page) == ""
    assert page.findings() == []


def test_a_sandbox_too_small_says_so_and_what_was_typed_stays(page, inside, site):
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE sandboxes SET memory_limit = '256Mi'")
    page.fill(prompt="Think hard")
    page.press("Start the task")
    assert "512Mi" in page.text(".failed p")
    assert page.attribute("value", "[name=prompt]") == "Think hard"
