"""The terminal in the page: a shell of the real sandboxd, typed into."""

import re

import pytest
from selenium.webdriver.common.keys import Keys

from test_page import PICTURE_SIZE, create, enter, keep_picture


@pytest.fixture
def shell(page, cluster, open_inside):
    """A page with the terminal open, and the sandbox behind it."""
    name = enter(page, cluster)
    create(page, "Shell")
    sandbox = open_inside(page, name)
    page.press("Terminal", ".tabs a")
    page.see("[role=status]", "Connected")
    return sandbox


def type_in(page, text):
    page.driver.switch_to.active_element.send_keys(text)


def shown(page):
    """The rows of the terminal; a line that is longer goes on in the next."""
    return page.driver.execute_script(
        "return Array.from(document.querySelectorAll('.xterm-rows > div'), (row) => row.textContent).join('')")


def wait_shown(page, pattern):
    page.wait(lambda: re.search(pattern, shown(page)), f"{pattern}, not {shown(page)}")


def wait_file(page, path, text):
    page.wait(lambda: path.exists() and path.read_text() == text, f"{path.name} has {text!r}")


def test_a_line_is_typed_and_answered(page, shell):
    type_in(page, "echo a$((40+2))b; pwd >where" + Keys.ENTER)
    wait_shown(page, "a42b")
    wait_file(page, shell.home / "where", f"{shell.home}\n")
    shell.tmux("set-option", "-as", "terminal-features", ",xterm*:RGB")  # for whoever attaches from now on
    page.press("Overview", ".tabs a")
    page.press("Terminal", ".tabs a")
    page.see("[role=status]", "Connected")
    type_in(page, r"printf '\e[38;2;255;136;0morange\e[0m\n'" + Keys.ENTER)
    page.wait(lambda: [e for e in page.find(".xterm-rows span", "orange") if e.value_of_css_property("color") == "rgba(255, 136, 0, 1)"],
              "a colour of 24 bits")
    colours = page.driver.execute_script(
        "const row = document.querySelector('.xterm-rows');"
        "return [getComputedStyle(row).color, document.querySelectorAll('style').length]")
    assert colours == ["rgb(255, 255, 255)", 0]
    assert page.complaints() == []


def test_nothing_is_lost_or_typed_twice_when_the_network_breaks(page, shell):
    type_in(page, "for i in $(seq 300); do echo line-$i; sleep 0.01; done; echo all >done; cat >typed" + Keys.ENTER)
    wait_shown(page, "line-5")
    shell.line.cut()
    type_in(page, "once")
    shell.line.cut()
    type_in(page, Keys.ENTER)
    wait_file(page, shell.home / "done", "all\n")
    page.see("[role=status]", "Connected")
    type_in(page, Keys.CONTROL + "d")
    wait_file(page, shell.home / "typed", "once\n")
    assert page.complaints() == []


def test_a_large_paste_arrives_whole_and_once(page, shell):
    text = "".join(f"{number:07}\n" for number in range(40000))
    type_in(page, "stty -echo; cat >pasted; stty echo" + Keys.ENTER)
    page.wait(lambda: (shell.home / "pasted").exists(), "cat has begun")
    page.driver.execute_script(
        "const data = new DataTransfer(); data.setData('text/plain', arguments[0]);"
        "document.activeElement.dispatchEvent("
        "new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}))", text)
    page.wait(lambda: (shell.home / "pasted").stat().st_size >= len(text), "all of it")
    assert (shell.home / "pasted").read_text() == text


def test_a_shell_goes_on_while_one_moves_about(page, shell):
    type_in(page, "echo begun >mark; MARK=kept" + Keys.ENTER)
    wait_file(page, shell.home / "mark", "begun\n")
    page.press("Overview", ".tabs a")
    page.press("Terminal", ".tabs a")
    page.see("[role=status]", "Connected")
    type_in(page, "echo $MARK >mark" + Keys.ENTER)
    wait_file(page, shell.home / "mark", "kept\n")
    page.wait(lambda: shell.tmux("list-clients").count("\n") == 1, "one client: the former one has left")


def test_there_are_several_shells_and_one_is_ended(page, shell):
    page.see("[aria-label='New shell']").click()
    page.see("button[aria-pressed=true]", "shell-2")
    page.see("[role=status]", "Connected")
    page.wait(lambda: "shell-2" in shell.tmux("list-sessions"), "a session of tmux")
    page.driver.refresh()
    page.see("button[aria-pressed=true]", "shell-2")
    page.press("End this shell")
    page.press("End it")
    page.see("button[aria-pressed=true]", "main")
    page.wait(lambda: "shell-2" not in shell.tmux("list-sessions"), "the session has ended")
    assert "main" in shell.tmux("list-sessions")
    assert page.complaints() == []


DROP = """
    const data = new DataTransfer();
    for (const [name, size] of arguments[0])
        data.items.add(new File([new Uint8Array(size).fill(65)], name));
    document.querySelector(".drop").dispatchEvent(new DragEvent(arguments[1], {dataTransfer: data, bubbles: true, cancelable: true}));"""


def test_files_that_are_dropped_come_into_the_shells_folder_though_the_network_breaks(page, shell):
    type_in(page, "mkdir -p 'my work' && cd 'my work' && echo here >mark" + Keys.ENTER)
    wait_file(page, shell.home / "my work" / "mark", "here\n")
    files = [["large file.bin", 9_000_000], ["small", 3]]
    page.driver.execute_script(DROP, files, "dragover")
    page.see(".hint", "Drop files to put them into the shell's current folder")
    with shell.line.that_breaks():
        page.driver.execute_script(DROP, files, "drop")
        page.wait(lambda: shell.line.cuts > 3, "the network has broken")
    page.wait(lambda: len(page.find(".uploads [role=status]", "uploaded")) == 2, "both are there")
    for name, size in files:
        assert (shell.home / "my work" / name).read_bytes() == b"A" * size
    assert page.find(".uploads bdi", f"{shell.home}/my work/small")
    page.press("Clear the list")
    page.wait(lambda: not page.find(".uploads li"), "no list")
    assert page.findings() == []
    assert page.complaints() == []


def hold_phone(page, height=800):
    """A phone's screen; what is left of it above the keyboard is not as high."""
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                {"width": 375, "height": height, "deviceScaleFactor": 1, "mobile": True})
    page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})


def test_a_phone_has_the_keys_that_its_keyboard_lacks(page, shell):
    hold_phone(page)
    page.see(".keys button", "Ctrl").click()
    page.see(".keys [aria-pressed=true]", "Ctrl")
    type_in(page, "v" + "x")  # Ctrl-V takes the next key as it is
    page.see(".keys [aria-pressed=false]", "Ctrl")
    type_in(page, Keys.BACKSPACE + "cat >typed" + Keys.ENTER)
    page.wait(lambda: (shell.home / "typed").exists(), "cat has begun")
    page.press("|", ".keys button")
    page.press("~", ".keys button")
    type_in(page, Keys.ENTER)
    page.press("Ctrl", ".keys button")
    type_in(page, "d")
    wait_file(page, shell.home / "typed", "|~\n")
    assert page.findings() == []


def keyboard_that_shrinks_the_page(page):
    hold_phone(page, 420)


def keyboard_that_covers_the_page(page):
    """As Safari does: only what is seen gets smaller, which Chromium has no emulation of."""
    page.driver.execute_script(
        "Object.defineProperty(visualViewport, 'height', {get: () => 420});"
        "visualViewport.dispatchEvent(new Event('resize'))")


# Whether all of these are between the top of the page and the keyboard.
INSIDE = """
    return arguments[0].map((css) => document.querySelector(css).getBoundingClientRect())
        .every(({top, bottom, height}) => height > 0 && top >= 0 && bottom <= 420);"""


@pytest.mark.parametrize("open_keyboard", [keyboard_that_shrinks_the_page, keyboard_that_covers_the_page])
def test_a_keyboard_of_a_phone_does_not_cover_the_prompt(page, shell, open_keyboard):
    hold_phone(page)
    page.see(".keys button", "Ctrl")
    type_in(page, "for i in $(seq 100); do echo row-$i; done" + Keys.ENTER)
    wait_shown(page, "row-100")
    rows = int(shell.tmux("display-message", "-p", "-t", "main", "#{window_height}"))
    open_keyboard(page)
    page.wait(lambda: int(shell.tmux("display-message", "-p", "-t", "main", "#{window_height}")) < rows, "fewer rows")
    page.wait(lambda: page.driver.execute_script(INSIDE, [".screen", ".keys", ".keys button:last-child"]), "the screen and the keys above it")
    type_in(page, "echo seen-$((40 + 2))" + Keys.ENTER)
    wait_shown(page, "seen-42")


def test_a_window_that_is_made_lower_keeps_the_page(page, shell):
    type_in(page, "echo here" + Keys.ENTER)
    wait_shown(page, "here")
    height = page.driver.execute_script("return innerHeight")
    page.driver.set_window_size(1100, 700)
    page.wait(lambda: page.driver.execute_script("return innerHeight") <= height - 200, "a lower window")
    page.press("Copy")  # the page has drawn itself anew, and is not covered
    page.see(".tabs a", "Overview")
    assert not page.find(".above-keyboard")


def test_words_that_are_composed_or_dictated_arrive_once(page, shell):
    """A phone's keyboard shows a word while it is composed, and dictation inserts it whole."""
    hold_phone(page)
    type_in(page, "cat >typed" + Keys.ENTER)
    page.wait(lambda: (shell.home / "typed").exists(), "cat has begun")
    for part in ("h", "he", "hel", "hell", "hello"):
        page.driver.execute_cdp_cmd("Input.imeSetComposition", {"text": part, "selectionStart": len(part), "selectionEnd": len(part)})
    page.driver.execute_cdp_cmd("Input.insertText", {"text": "hello"})
    wait_shown(page, "hello")
    page.driver.execute_cdp_cmd("Input.insertText", {"text": " spoken words"})
    wait_shown(page, "hello spoken words")
    for part in ("に", "にほ", "日本"):
        page.driver.execute_cdp_cmd("Input.imeSetComposition", {"text": part, "selectionStart": len(part), "selectionEnd": len(part)})
    page.driver.execute_cdp_cmd("Input.insertText", {"text": "日本"})
    wait_shown(page, "日本")
    type_in(page, Keys.ENTER + Keys.CONTROL + "d")
    wait_file(page, shell.home / "typed", "hello spoken words日本\n")


def read_clipboard(page):
    return page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], () => arguments[0](''))")


def test_the_terminal_is_searched_enlarged_and_copied_from(page, shell):
    page.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    type_in(page, "for i in $(seq 200); do echo row-$i; done" + Keys.ENTER)
    wait_shown(page, "row-200")
    page.see("[aria-label='Search in the terminal']").send_keys("row-17" + Keys.ENTER)
    page.wait(lambda: page.find(".xterm-selection div"), "what was found is selected")
    page.press("Copy")
    page.wait(lambda: read_clipboard(page) == "row-17", "it is copied")
    columns = int(shell.tmux("display-message", "-p", "-t", "main", "#{window_width}"))
    page.press("A+")
    page.wait(lambda: int(shell.tmux("display-message", "-p", "-t", "main", "#{window_width}")) < columns, "larger letters")
    page.press("Full screen")
    page.wait(lambda: page.driver.execute_script("return document.fullscreenElement?.className") == "screen", "all of the screen")


def test_ctrl_c_copies_what_is_selected_and_interrupts_otherwise(page, shell):
    page.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    type_in(page, "echo copy-$((40+2)); cat >held" + Keys.ENTER)
    wait_shown(page, "copy-42")
    page.wait(lambda: (shell.home / "held").exists(), "cat has begun")
    page.see("[aria-label='Search in the terminal']").send_keys("copy-42")
    page.wait(lambda: page.find(".xterm-selection div"), "what was found is selected")
    page.driver.execute_script("document.querySelector('.xterm-helper-textarea').focus()")
    type_in(page, Keys.CONTROL + "c")
    page.wait(lambda: read_clipboard(page) == "copy-42", "it is copied")
    type_in(page, "goes on" + Keys.ENTER)
    wait_file(page, shell.home / "held", "goes on\n")  # not interrupted
    type_in(page, Keys.CONTROL + "c")
    page.wait(lambda: shell.tmux("display-message", "-p", "-t", "main", "#{pane_current_command}").strip() == "bash", "cat has ended")
    type_in(page, "echo back >ended" + Keys.ENTER)
    wait_file(page, shell.home / "ended", "back\n")
    assert (shell.home / "held").read_text() == "goes on\n"


def test_a_shell_that_has_ended_is_opened_again(page, shell):
    type_in(page, "exit" + Keys.ENTER)
    page.see("[role=status]", "This shell has ended.")
    page.press("Open it again")
    page.see("[role=status]", "Connected")
    type_in(page, "echo again >mark" + Keys.ENTER)
    wait_file(page, shell.home / "mark", "again\n")
    assert page.complaints() == []


def test_the_picture_of_the_terminal_is_what_a_person_sees(page, shell):
    page.driver.set_window_size(*PICTURE_SIZE)
    type_in(page, "PS1='$ '; clear; echo hello >hello.txt; git init -q shop; ls -l" + Keys.ENTER)
    wait_shown(page, "hello.txt.*shop")
    keep_picture(page, "terminal.png")


def test_the_keyboard_leads_out_of_the_terminal_and_back(page, shell):
    type_in(page, "cat >typed" + Keys.ENTER)
    wait_file(page, shell.home / "typed", "")
    type_in(page, Keys.TAB + "kept" + Keys.ENTER + Keys.CONTROL + "d")
    wait_file(page, shell.home / "typed", "\tkept\n")  # Tab is the shell's
    type_in(page, Keys.CONTROL + "m")
    focused = page.driver.switch_to.active_element
    assert focused.get_attribute("aria-label") == "Search in the terminal"
    type_in(page, Keys.TAB)
    assert page.driver.switch_to.active_element.text == "A−"
    page.wait(lambda: type_in(page, Keys.TAB) or
              "xterm-helper-textarea" in page.driver.switch_to.active_element.get_attribute("class"), "the terminal")
    type_in(page, "echo back >typed" + Keys.ENTER)
    wait_file(page, shell.home / "typed", "back\n")
    assert page.complaints() == []
