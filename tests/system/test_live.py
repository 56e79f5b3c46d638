"""Tests live updates as the package sets them up."""

import pytest

from installation import browser
from stand.stream import Stream


@pytest.fixture
def ada(machine):
    """A client that is logged in by a token, as cookies need https here."""
    client = browser(machine)
    body = {"name": f"ada{machine.run('date +%s%N').strip()}", "password": "correct horse battery"}
    client.post("/api/auth/register", body)
    login = client.post("/api/auth/login", {**body, "bearer": True})
    assert login.status_code == 200, login.text
    client.session.headers["Authorization"] = f"Bearer {login.json()['token']}"
    client.session.cookies.clear()
    client.id = login.json()["user"]["id"]
    return client


def change(machine, user):
    """Inserts a new project of theirs into the database, without any of our programs."""
    machine.run("cd /; runuser -u postgres -- psql -qd fsa -c \"INSERT INTO projects"
                f" (user_id, name, kube_name) VALUES ('{user}', 'Demo ' || floor(random() * 1e9)::bigint, 'demo')\"")


def flows(machine):
    machine.wait("curl -s http://127.0.0.1:8080/readyz | grep -q '\"liveUpdates\":\"ok\"'")


def test_a_change_reaches_the_page_that_is_open(machine, ada):
    flows(machine)
    with Stream(ada) as stream:
        assert stream.status == 200
        change(machine, ada.id)
        stream.wait(lambda event: event.name == "project")
    assert "Live updates flow" in machine.run("systemctl status fsa-events")


def test_nobody_but_fsa_events_reaches_nginx_to_publish(machine):
    publish = ("curl -s -o /dev/null -w '%{http_code}' --unix-socket"
               " /run/fullstack-agent/events/nginx.sock http://nginx/")
    for user, reaches in (("fsa-events", True), ("fsa-api", False), ("www-data", False),
                          ("nobody", False)):
        done = machine.run(f"runuser -u {user} -- {publish}", check=False)
        assert (done.returncode == 0) == reaches, user


def test_a_killed_nginx_restarts_and_live_updates_recover(machine, ada):
    """The sockets that it has left behind prevent nothing."""
    machine.run("systemctl kill --signal=KILL nginx; sleep 1; systemctl restart nginx")
    machine.run("systemctl restart fsa-events")
    flows(machine)
    with Stream(ada) as stream:
        change(machine, ada.id)
        stream.wait(lambda event: event.name == "project")


def test_without_the_module_the_site_works(machine):
    machine.run("mv /etc/nginx/modules-enabled/50-mod-nchan.conf /root/; fsa-setup nginx loopback")
    try:
        machine.run("nginx -t; curl -sf http://127.0.0.1:8080/readyz")
        machine.wait("curl -s http://127.0.0.1:8080/readyz | grep -q '\"liveUpdates\":\"off\"'")
    finally:
        machine.run("mv /root/50-mod-nchan.conf /etc/nginx/modules-enabled/; fsa-setup nginx loopback")
    flows(machine)
