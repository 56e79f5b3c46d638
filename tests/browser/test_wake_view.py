"""Somebody opens the address of a stopped sandbox: they see it start, and then what they have asked for."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from conftest import PASSWORD
from inside import Line
from test_page import create, enter
from test_views import check, heading

ASKED = "/shop/cart?item=1&of=%C3%A4#/there"


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>app</title><h1>This is the app</h1>")

    def log_message(self, *_):
        pass


@pytest.fixture
def ingress(site):
    """The cluster's ingress controller: passes requests on to the site, or to the application."""
    app = ThreadingHTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=app.serve_forever, daemon=True).start()
    ports = [app.server_port, site.nginx.visits_port]
    line = Line(site.ingress, lambda: socket.create_connection(("127.0.0.1", ports[-1])))

    def lead_to_app():
        ports.pop()
        line.cut()  # connections that the browser has kept would lead to the site

    yield lead_to_app
    line.close()
    app.shutdown()
    app.server_close()


def stopped_project(page, site, cluster, wake):
    name = enter(page, cluster)
    create(page, "Shop")
    client = site.client()
    client.login(name, PASSWORD)
    project, = client.get("/api/projects").json()
    path = f"/api/projects/{project['id']}"
    assert client.patch(path, {"wake": wake}).ok and client.post(f"{path}/stop").ok
    page.wait(lambda: client.get(path).json()["status"] == "STOPPED", "the stop")
    sandbox = client.get(f"/api/sandbox/{project['id']}").json()
    return SimpleNamespace(client=client, path=path, name=name, url=sandbox["publicUrl"],
                           host=urlsplit(sandbox["publicUrl"]).hostname)


def arrive(page, ingress, project):
    """Waits for the start, then lets the ingress lead to the application, and waits until that is shown."""
    page.wait(lambda: project.client.get(project.path).json()["status"] == "RUNNING", "the start")
    ingress()
    page.wait(lambda: page.driver.current_url == project.url + ASKED, "the address that was asked for")
    page.see("h1", "This is the app")


def test_its_owner_sees_it_start_and_then_what_they_asked_for(page, site, cluster, ingress, workspace):
    project = stopped_project(page, site, cluster, "owner")
    page.driver.get(project.url + ASKED)
    page.wait(lambda: heading(page) == project.host, "the page of the start")
    page.see(".stages li")
    assert page.find("a", "To the project")
    assert check(page, workspace, "wake") == []
    arrive(page, ingress, project)


def test_without_a_session_it_starts_where_anyone_may_start_it(page, site, cluster, ingress):
    project = stopped_project(page, site, cluster, "anyone")
    page.press("Log out")
    page.see("h1", "Log in")
    page.driver.get(project.url + ASKED)
    page.see(".stages li")
    assert not page.find("a", "To the project")
    arrive(page, ingress, project)


def test_its_owner_logs_in_there(page, site, cluster, ingress, workspace):
    project = stopped_project(page, site, cluster, "owner")
    page.press("Log out")
    page.see("h1", "Log in")
    page.driver.get(project.url + ASKED)
    page.see(".failure", "Nothing runs at this address, or nothing that you may start")
    assert check(page, workspace, "wake-stranger") == []
    assert project.client.get(project.path).json()["status"] == "STOPPED"
    page.fill(name=project.name, password=PASSWORD)
    page.press("Log in")
    arrive(page, ingress, project)


@pytest.mark.parametrize("to", ["", "nonsense", "javascript:alert(1)", "https://example.com/", "//example.com"])
def test_a_link_to_anywhere_else_leads_nowhere(page, to):
    page.driver.get(f"{page.url}/wake?to={to}")
    page.see(".failure")
    assert page.driver.current_url == f"{page.url}/wake?to={to}"
    assert not page.find(".stages")


def test_who_starts_it_is_set_in_the_projects_settings(page, site, cluster):
    project = stopped_project(page, site, cluster, "owner")
    page.driver.get(f"{page.url}{project.path.removeprefix('/api')}/settings")
    page.wait(lambda: page.attribute("value", "[name=wake]") == "owner", "the present choice")
    page.fill(wake="anybody")
    page.press("Change who starts it")
    page.wait(lambda: project.client.get(project.path).json()["wake"] == "anyone", "the change")


def test_a_browser_gets_into_a_private_port_by_the_site(page, site, cluster):
    """sandboxd sends it here with the address behind #, and it goes back with a token for exactly that host."""
    name = enter(page, cluster)
    create(page, "Shop")
    client = site.client()
    client.login(name, PASSWORD)
    project, = client.get("/api/projects").json()
    sandbox = client.get(f"/api/sandbox/{project['id']}").json()
    path = f"/api/projects/{project['id']}/sandboxes/{sandbox['id']}/ports"
    opened, = client.post(path, {"port": 5173, "access": "token"}).json()["items"]
    host = urlsplit(opened["url"]).netloc
    asked = []

    class Port(App):
        def do_GET(self):
            asked.append((self.headers["Host"], self.path))
            super().do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    line = Line(site.ingress, lambda: socket.create_connection(("127.0.0.1", server.server_port)))
    page.driver.get(f"{page.url}/visit#{host}/shop?item=1")
    page.wait(lambda: page.driver.title == "app", "the port's page")
    assert asked[0][0] == host and asked[0][1].startswith("/shop?item=1&fsa_token=")
    line.close()
    server.shutdown()
    server.server_close()
