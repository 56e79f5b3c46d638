"""The administration is there for users with the role, and for nobody else."""

import json

from test_page import create, enter


def test_who_has_the_role_sees_the_site_and_who_has_not_sees_nothing(page, cluster, site):
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
    assert page.findings() == []

    # What a host found, with what to do.
    page.see("p", "No host has recorded yet what it finds: fsa-doctor.timer does so on each, once an hour.")
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO host_health (host, in_order, findings) VALUES ('web-1', 3, %s)", (json.dumps([
            {"health": "FAILED", "check": "disk", "subject": "/var", "message": "is full", "advice": "make room"}]),))
    page.driver.refresh()
    page.see(".cause p", "Failed: disk, /var: is full")
    page.see(".cause p", "What to do: make room.")
    assert page.findings() == []

    # What it was like in the last day.
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO site_samples (at, due, oldest_due_ms, running, failed) SELECT t, 5, 7000, 3, 1 FROM generate_series(now() - interval '2 hours',"
                       " now() - interval '1 hour', interval '10 minutes') AS t")
    page.driver.refresh()
    page.wait(lambda: len(page.find("svg.plot")) == 6, "six plots")
    assert "at most 7 s" in page.attribute("aria-label", "[aria-label='Longest wait'] svg")
    assert page.findings() == []

    # What is stuck, with its cause.
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE resources r SET cause_kind = 'POD_IMAGE', cause_code = 'ErrImagePull',"
                       " cause_since = now(), due_at = now() + interval '1 hour' FROM users u"
                       " WHERE u.id = r.user_id AND u.name = %s AND r.kind = 'SANDBOX'", (name,))
    page.driver.refresh()
    page.wait(lambda: any("My shop of " in one.text for one in page.find(".cause")), "the cause")
    assert page.findings() == []

    site.programs.fsactl("user", "role", name, "user")
    page.driver.refresh()
    page.see("h1", "Nothing here")
    assert page.complaints() == []


def test_an_administrator_invites_somebody_and_withdraws_a_link(page, cluster, site):
    name = enter(page, cluster)
    site.programs.fsactl("user", "role", name, "admin")
    page.driver.get(f"{site.url}/admin")
    page.press("Invite somebody")
    page.fill(name="Ada.L")
    page.press("Make a link")
    link = page.text(".made code")
    assert link.startswith(f"{site.url}/#/invite/Ada.L/")
    assert page.findings() == []
    page.fill(keyword="ada.l")
    page.press("Search")
    page.wait(lambda: "Invited, the link expires in" in page.text("main"), "the invitation")
    page.press("Withdraw link")
    page.see("td", "Has no password, and no link")
    page.fill(name="Ada.L")
    page.press("Make a link")
    page.wait(lambda: page.text(".made code") != link, "another link")
    page.driver.get(page.text(".made code"))
    page.fill(password="correct horse battery staple", again="correct horse battery staple")
    page.press("Set it, and log in")
    page.see("nav a", "Ada.L")
    assert page.complaints() == []


def test_a_user_gets_a_limit_and_is_disabled_and_enabled(page, cluster, site):
    name = enter(page, cluster)
    site.programs.fsactl("user", "role", name, "admin")
    other = site.client()
    other.register("victim", "correct horse battery staple")
    page.driver.get(f"{site.url}/admin")
    page.fill(keyword="victim")
    page.press("Search")
    page.see("p", "1 user")

    page.press("Limits")
    page.see("dialog label span", "CPU at once, in millicores")
    page.see("dialog form:has([value=projects]) [name=limit]").send_keys("7")
    assert page.findings() == []
    page.press("Save the limit of projects")
    page.see("dialog small", "0 used, an exception")
    page.press("Close")
    limits = json.loads(site.programs.fsactl("user", "limit", "victim", "--json"))
    assert [one["limit"] for one in limits if one["kind"] == "projects"] == [7]

    page.press("Disable")
    assert "sessions end" in page.text("dialog p")
    page.press("Disable", "dialog button")
    page.see("td button", "Enable")
    assert other.get("/api/projects").status_code == 401
    page.press("Enable")
    page.see("td button", "Disable")
    assert other.login("victim", "correct horse battery staple").ok
    assert page.complaints() == []
