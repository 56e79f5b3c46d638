"""The administration is there for users with the role, and for nobody else."""

import pytest

from stand import npm
from test_page import create, enter


@pytest.fixture(scope="module")
def axe():
    return (npm.modules() / "axe-core" / "axe.min.js").read_text()


def findings(page, axe):
    """What axe has against what is shown."""
    page.driver.execute_script(axe)
    found = page.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]


def test_who_has_the_role_sees_the_site_and_who_has_not_sees_nothing(page, cluster, site, axe):
    name = enter(page, cluster)
    create(page, "My shop")
    assert not page.find("a", "Administration")
    page.driver.get(f"{site.url}/admin")
    page.see("h1", "Nothing here")

    site.programs.fsactl("user", "role", name, "admin")
    page.driver.get(f"{site.url}/projects")
    page.press("Administration")
    page.see("h1", "Administration")
    page.wait(lambda: "Last pass" in page.text("main"), "the host that passes run on")
    page.fill(keyword=name)
    page.press("Search")
    page.see("p", "1 user")
    page.see("td", f"{name} (administrator)")
    assert findings(page, axe) == []

    # What is stuck, with its cause.
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE resources r SET cause_kind = 'POD_IMAGE', cause_code = 'ErrImagePull',"
                       " cause_since = now(), due_at = now() + interval '1 hour' FROM users u"
                       " WHERE u.id = r.user_id AND u.name = %s AND r.kind = 'SANDBOX'", (name,))
    page.driver.refresh()
    page.wait(lambda: any("My shop of " in one.text for one in page.find(".cause")), "the cause")
    assert findings(page, axe) == []

    site.programs.fsactl("user", "role", name, "user")
    page.driver.refresh()
    page.see("h1", "Nothing here")
    assert page.complaints() == []
