"""What a sandbox uses of its limits, as its real sandboxd reads it from the files of a cgroup."""

import os
import shutil

import pytest

from test_page import PICTURE_SIZE, create, enter, keep_picture

MIB = 1 << 20


@pytest.fixture
def inside(page, cluster, open_inside):
    """A page with the overview of a sandbox whose cgroup is `inside.cgroup`."""
    if os.geteuid() != 0:
        pytest.skip("a cgroup of its own takes root")
    name = enter(page, cluster)
    create(page, "shop")
    return open_inside(page, name, image=True)


def use(sandbox, seconds, memory, limit, kills):
    sandbox.cgroup.joinpath("cpu.stat").write_text(f"usage_usec {round(seconds * 1e6)}\nthrottled_usec 0\n")
    sandbox.cgroup.joinpath("cpu.max").write_text("20000 100000\n")
    sandbox.cgroup.joinpath("memory.current").write_text(f"{memory}\n")
    sandbox.cgroup.joinpath("memory.max").write_text(f"{limit}\n")
    sandbox.cgroup.joinpath("memory.events").write_text(f"low 0\noom 0\noom_kill {kills}\n")


def tile(page, name):
    """What stands below that heading; "" while there is none."""
    return next((e.text.partition("\n")[2].replace("\n", "") for e in page.find(".tile") if e.text.startswith(f"{name}\n")), "")


def wait_tile(page, name, text):
    page.wait(lambda: tile(page, name) == text, f"{name}: {text}")


def test_usage_is_shown_against_the_limits_and_as_it_changes(page, inside):
    use(inside, 10, 64 * MIB, 256 * MIB, 0)
    wait_tile(page, "Memory", "64 MiB of 256 MiB")
    wait_tile(page, "CPU", "0 of 0.2 cores")
    home = shutil.disk_usage(inside.home)
    page.wait(lambda: float(page.attribute("max", "meter")) == home.total, "the disk of the home directory")
    assert not page.find("[data-nearly=true] .plot") and not page.find(".warning")
    assert page.findings() == []

    use(inside, 12, 250 * MIB, 256 * MIB, 2)
    wait_tile(page, "Memory", "250 MiB of 256 MiB, nearly all")
    page.see(".warning strong", "2 processes were ended for lack of memory")
    page.wait(lambda: len(page.driver.execute_script(
        "return document.querySelector('.plot polyline').getAttribute('points').split(' ')")) > 2, "a line")
    assert page.attribute("aria-label", ".plot").startswith("CPU in the last minutes; now ")
    assert page.findings() == []
    assert page.complaints() == []


def test_a_sandbox_that_does_not_say_is_no_failure(page, cluster):
    enter(page, cluster)
    create(page, "Silent")
    page.see(".detail", "What it uses is not known: The sandbox is out of reach.")
    assert not page.find(".failure")


def test_the_picture_in_the_readme_is_what_a_person_sees(page, inside):
    page.driver.set_window_size(*PICTURE_SIZE)
    for seconds, mib in ((10, 64), (10.2, 96), (10.9, 118), (11.3, 110), (11.4, 97)):
        use(inside, seconds, mib * MIB, 256 * MIB, 0)
        wait_tile(page, "Memory", f"{mib} MiB of 256 MiB")
    page.driver.execute_script("document.activeElement.blur()")
    keep_picture(page, "page.png")
