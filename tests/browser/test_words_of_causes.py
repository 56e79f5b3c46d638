"""Whatever is wrong, its owner reads the words of the table of causes, at once and without a reload. That each fault of
a cluster becomes its cause is tested by tests/reconcile."""

from pathlib import Path

import pytest

from test_page import create, enter

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "causes.md"


def causes():
    """Kind, code, headline and what the owner can do, of each row of the table."""
    lines = DOCUMENT.read_text().split("| kind | code |", 1)[1].splitlines()[2:]
    for line in lines:
        if not line.startswith("| `"):
            return
        kind, code, headline, _, owner = (cell.strip() for cell in line.split(" | ")[:5])
        yield kind.strip("|` "), code.strip("`") or None, headline, owner


@pytest.fixture
def at_rest(site):
    """Stops the reconciler, which would find that nothing is wrong: at_rest()."""
    yield lambda: site.programs.stop("fsa-reconcile")
    site.programs.start()


def test_each_cause_is_shown_in_the_words_of_the_table(page, cluster, site, at_rest):
    enter(page, cluster)
    create(page, "Troubled")
    at_rest()
    project = page.driver.current_url.rsplit("/", 1)[1]
    table = list(causes())
    assert len({kind for kind, *_ in table}) > 20
    for kind, code, headline, owner in table:
        with site.connect() as db, db.cursor() as cursor:
            cursor.execute(
                "UPDATE resources SET cause_kind = %s, cause_code = %s, cause_message = 'as the cluster said it',"
                " cause_since = now() WHERE project_id = %s AND kind = 'SANDBOX'", (kind, code, project))
        page.wait(lambda words=f"Sandbox: {headline}.": any(words in one.text for one in page.find(".cause")),
                  f"{kind} {code}: {headline}")
        assert owner in page.text(".cause"), (kind, code)
    page.press("Projects")
    page.see(".projects .cause", headline)
    assert page.complaints() == []
