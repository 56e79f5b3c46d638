"""Measures how long the console takes to show a long list of projects, in Chromium."""

import statistics

from rows import make_row
from stand import chromium
from stand.process import PATIENCE
from selenium.webdriver.support.ui import WebDriverWait

# When the list has been painted: the frame after the one in which its rows came into being.
WATCH = """
const painted = (told) => requestAnimationFrame(() => {
    const {port1, port2} = new MessageChannel();
    port1.onmessage = () => told(performance.now());
    port2.postMessage(null);
});
new MutationObserver((_, observer) => {
    if (!document.querySelector(".projects li"))
        return;
    observer.disconnect();
    painted((at) => window.shownAt = at);
}).observe(document, {childList: true, subtree: true});
"""
ANSWERED = """
const [read] = performance.getEntriesByType("resource").filter(({name}) => new URL(name).pathname === "/api/projects");
return window.shownAt === undefined || read === undefined ? null : window.shownAt - read.responseEnd;
"""
# The same rows as HTML, which the browser parses, lays out and paints.
PLAIN = """
const told = arguments[0], list = document.querySelector(".projects"), html = list.innerHTML;
list.replaceChildren();
requestAnimationFrame(() => setTimeout(() => {
    const began = performance.now();
    list.innerHTML = html;
    requestAnimationFrame(() => {
        const {port1, port2} = new MessageChannel();
        port1.onmessage = () => told(performance.now() - began);
        port2.postMessage(null);
    });
}));
"""


def measure_paint(scene, options):
    """Measures from the end of the answer with all projects until their list is on the screen."""
    site = scene.new_site("paint", root=scene.build / "web" / "dist")
    site.programs.start("auth.fcgi")
    (person,) = site.add_people(1)
    site.give_projects(person, options.listed)
    driver = chromium.start("--window-size=1280,1000")
    try:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        driver.get(f"{site.url}/icon.svg")
        driver.add_cookie({"name": "fsa", "value": person.token})
        ours, plain = [], []
        for _ in range(3 * options.rounds):
            driver.get(f"{site.url}/projects")
            ours.append(WebDriverWait(driver, PATIENCE, 0.05).until(lambda one: one.execute_script(ANSWERED)))
            plain.append(driver.execute_async_script(PLAIN))
    finally:
        driver.quit()
    return [make_row("first_paint", statistics.median(ours), statistics.median(plain))]
