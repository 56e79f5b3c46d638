"""Files and the app of a sandbox in the page, by the real sandboxd."""

import hashlib
import http.server
import threading

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from test_page import create, enter


@pytest.fixture
def inside(page, cluster, open_inside):
    """A page with the files open, and the sandbox behind it."""
    name = enter(page, cluster)
    create(page, "Files")
    sandbox = open_inside(page, name)
    page.press("Files", ".tabs a")
    page.see("[name=uploads]")
    return sandbox


def listed(page):
    return [cell.text.removeprefix("▸ ") for cell in page.find(".files th[scope=row]")]


def wait_listed(page, *names):
    page.wait(lambda: listed(page) == list(names), f"the files {names}")


def wait_file(page, path, text):
    page.wait(lambda: path.exists() and path.read_text() == text, f"{path.name} has {text!r}")


def test_what_is_made_elsewhere_is_seen_and_folders_are_opened(page, inside):
    (inside.home / "notes").mkdir()
    (inside.home / "notes" / "<b>odd&amp; name.txt").write_text("x" * 1500)
    wait_listed(page, "notes/")
    page.press("▸ notes/")
    wait_listed(page, "<b>odd&amp; name.txt")
    assert page.text(".files td") == "1.5 kB"
    page.driver.back()
    page.driver.forward()
    wait_listed(page, "<b>odd&amp; name.txt")
    page.press("Home")
    wait_listed(page, "notes/")
    assert page.complaints() == []


def test_a_large_file_is_uploaded_while_the_network_breaks(page, inside, tmp_path):
    data = bytes(range(256)) * 100_000
    (tmp_path / "large.bin").write_bytes(data)
    with inside.line.that_breaks():
        page.see("[name=uploads]").send_keys(str(tmp_path / "large.bin"))
        page.wait(lambda: inside.line.cuts > 3, "the network has broken")
    page.see(".uploads [role=status]", "uploaded")
    wait_listed(page, "large.bin")
    uploaded = (inside.home / "large.bin").read_bytes()
    assert hashlib.sha256(uploaded).digest() == hashlib.sha256(data).digest()


def test_an_upload_replaces_a_file_only_after_a_question(page, inside, tmp_path):
    (tmp_path / "notes.txt").write_text("new\n")
    file = inside.home / "notes.txt"
    file.write_text("old\n")
    page.see("[name=uploads]").send_keys(str(tmp_path / "notes.txt"))
    assert page.text("dialog p") == 'There is a "notes.txt" already. Replace it?'
    page.press("Cancel")
    page.see(".uploads .failure", "kept as it was")
    assert file.read_text() == "old\n"
    page.see("[name=uploads]").send_keys(str(tmp_path / "notes.txt"))
    page.press("Replace it")
    page.see(".uploads [role=status]", "uploaded")
    assert file.read_text() == "new\n"
    assert page.findings() == []
    assert page.complaints() == []


def drop(page, css, *paths):
    """Drops files or folders of this machine, as a person does."""
    place = page.see(css).rect
    for kind in ("dragEnter", "dragOver", "drop"):
        page.driver.execute_cdp_cmd("Input.dispatchDragEvent", {
            "type": kind, "x": place["x"] + 5, "y": place["y"] + 5,
            "data": {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}})


def test_what_cannot_be_uploaded_is_told_and_the_next_file_is_uploaded(page, inside, tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("there.txt", "changed.txt", "last.txt"):
        (tmp_path / name).write_text("here\n")
    (inside.home / "there.txt").write_text("old\n")
    drop(page, ".crumbs", tmp_path / "folder")
    page.see(".uploads .failure", "A folder cannot be dropped here; `fsa cp` copies folders.")
    page.press("Clear the list")
    page.see("[name=uploads]").send_keys("\n".join(str(tmp_path / name) for name in ("there.txt", "changed.txt", "last.txt")))
    page.see("dialog p", 'There is a "there.txt" already. Replace it?')  # the others wait meanwhile
    (tmp_path / "changed.txt").write_text("something else\n")
    page.press("Replace it")
    page.wait(lambda: [e.text for e in page.find(".uploads [role=status]")] == ["uploaded"] * 2, "the others")
    assert "cannot be read" in page.text(".uploads .failure")
    wait_file(page, inside.home / "last.txt", "here\n")
    assert not (inside.home / "changed.txt").exists()
    assert page.complaints() == []


def test_an_upload_is_given_up(page, inside, tmp_path):
    (tmp_path / "endless.bin").write_bytes(b"x" * 100_000)
    with inside.line.that_holds_answers():
        page.driver.find_element(By.NAME, "uploads").send_keys(str(tmp_path / "endless.bin"))
        page.see("[aria-label='Stop the upload of endless.bin']").click()
        page.press("Give it up")
        page.see(".uploads .failure", "given up")
    page.press("Clear the list")
    page.wait(lambda: not page.find(".uploads li"), "no list")
    assert not (inside.home / "endless.bin").exists()


def test_a_file_is_downloaded(page, inside, tmp_path):
    content = bytes(range(256)) * 1000
    (inside.home / "wanted.bin").write_bytes(content)
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.see("[aria-label='Download wanted.bin']").click()
    page.wait(lambda: (tmp_path / "wanted.bin").exists() and (tmp_path / "wanted.bin").read_bytes() == content, "the file")
    assert page.complaints() == []


def test_a_file_is_edited_renamed_and_deleted(page, inside):
    file = inside.home / "todo.txt"
    file.write_text("one\n")
    page.press("todo.txt")
    page.see("textarea.code").send_keys(Keys.CONTROL + Keys.END)
    page.see("textarea.code").send_keys("two\n")
    page.press("Save")
    wait_file(page, file, "one\ntwo\n")
    page.see("[role=status]", "Saved")
    page.press("Back to the files")
    page.see("[aria-label='Rename todo.txt']").click()
    field = page.see("[name=to]")
    field.clear()
    field.send_keys("done.txt" + Keys.ENTER)
    wait_listed(page, "done.txt")
    assert not file.exists()
    page.see("[aria-label='Delete done.txt']").click()
    page.press("Delete it")
    page.see("p.empty")
    assert list(inside.home.glob("*.txt")) == []
    assert page.complaints() == []


def test_what_somebody_else_wrote_is_not_written_over_without_a_question(page, inside):
    file = inside.home / "shared.txt"
    file.write_text("mine\n")
    page.press("shared.txt")
    page.see("textarea.code").send_keys("more")
    file.write_text("theirs\n")
    page.press("Save")
    page.wait(lambda: page.find("dialog") or page.find(".failure"), "a refusal or a question")
    assert file.read_text() == "theirs\n"


def test_what_is_renamed_and_deleted_elsewhere_is_seen(page, inside):
    (inside.home / "one").mkdir()
    (inside.home / "one" / "note.txt").write_text("kept\n")
    (inside.home / ".fsa-unpack").mkdir()
    wait_listed(page, "one/")
    (inside.home / "one").rename(inside.home / "two")
    wait_listed(page, "two/")
    page.press("▸ two/")
    page.press("note.txt")
    page.wait(lambda: page.attribute("value", "textarea.code") == "kept\n", "its text")
    (inside.home / "two" / "note.txt").write_text("changed\n")
    page.wait(lambda: page.attribute("value", "textarea.code") == "changed\n", "the change")
    (inside.home / "two" / "note.txt").unlink()
    page.see(".warning", "This file was deleted or renamed elsewhere. To keep what you see, copy it.")
    assert page.attribute("value", "textarea.code") == "changed\n"
    page.press("Back to the files")
    page.see("p.empty")
    (inside.home / "two").rmdir()
    page.see(".warning", "This folder is not there any more: it was deleted or renamed elsewhere.")
    page.press("Home")
    page.see("p.empty")
    assert page.findings() == []
    assert page.complaints() == []


def test_a_folder_is_made(page, inside):
    page.fill(name="src")
    page.press("Make a folder")
    wait_listed(page, "src/")
    assert (inside.home / "src").is_dir()


def test_ports_and_the_log_of_the_app_are_shown(page, inside):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        page.press("App", ".tabs a")
        port = f"127.0.0.1:{server.server_address[1]}"
        page.wait(lambda: port in [e.text for e in page.driver.find_elements(By.TAG_NAME, "code")], f"{port} listens")
    finally:
        server.shutdown()
        server.server_close()
    assert "There is none" in page.text("section:last-of-type p")
    assert page.complaints() == []


def test_a_private_port_is_opened_by_a_link(page, inside):
    page.press("App", ".tabs a")
    page.fill(port="5173")
    page.see("[name=isPrivate]").click()
    page.press("Open", "form button")
    assert page.text(".open-port").endswith("private Close Make a link")
    page.press("Make a link")
    link = page.attribute("href", ".open-port [role=status] a")
    assert "-5173." in link and "?fsa_token=" in link
    page.press("Close", ".open-port button")
    page.wait(lambda: not page.find(".open-port"), "it is closed")


def test_the_app_is_started_and_stopped(page, inside):
    page.press("App", ".tabs a")
    page.wait(lambda: "Procfile" in page.text("[aria-label=Control] [role=status]"), "what to write")
    (inside.home / "Procfile").write_text("web: echo hello; exec sleep 1000\n")
    page.press("Start the app")
    page.see("[aria-label=Control] [role=status]", "The app runs.")
    page.wait(lambda: "hello" in page.text("pre.log"), "its log")
    page.press("Stop the app")
    page.see("[aria-label=Control] [role=status]", "The app is stopped. It starts with the sandbox, or here.")
    assert page.complaints() == []


def test_an_import_that_failed_says_why(page, inside):
    states = inside.home / ".local/state/fullstack-agent"
    states.mkdir(parents=True)
    (states / "import").write_text("failed\nthere is no such branch\nhttps://git.example.org/shop.git\nnext\nshop\n")
    page.press("Overview", ".tabs a")
    page.wait(lambda: "there is no such branch" in page.text("p.warning"), "the cause")
    assert page.complaints() == []
