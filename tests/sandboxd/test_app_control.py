"""The app: where its command comes from, that it is kept running, and that its owner controls it."""

import json

import pytest

from git_server import GitServer
from server import Client, eventually, make_token
from test_clone import PROGRAM
from test_status import check

LIVES = 'echo "it runs in $PWD with $PORT"; exec sleep 1000'


@pytest.fixture
def begin(make_server):
    """begin({"Procfile": …}, VARIABLE=…): starts a sandboxd with these files in its home, which starts the app."""
    def make(files, options=("--app",), **variables):
        return make_server(options=options, variables=variables, files=files)
    return make


def read(server):
    with server.client() as client:
        return check(client.get("/v1/app"), "/v1/app")


def post(server, action, status=200):
    with server.client() as client:
        answer = client.send("POST", f"/v1/app/{action}")
    assert answer.status == status, answer.body
    return answer.json


def log(server):
    with server.client() as client:
        return client.get("/v1/logs/app").body.decode()


def reaches(server, status):
    found = {}

    def reached():
        found.update(read(server))
        return found["status"] == status
    eventually(reached)
    return found


def test_the_web_process_of_a_procfile_runs_from_the_start_on(begin):
    server = begin({"Procfile": f"# ours\nworker: false\nweb:  {LIVES}\n"})
    app = reaches(server, "running")
    assert (app["command"], app["source"], app["folder"]) == (LIVES, "Procfile", str(server.home))
    eventually(lambda: log(server) == f"it runs in {server.home} with 3000\n")


def test_who_may_run_nothing_does_not_see_the_command(begin):
    server = begin({}, options=(), FSA_APP_COMMAND="API_KEY=secret true")
    assert read(server)["command"] == "API_KEY=secret true"
    with Client(server.port, make_token(scope="usage")) as client:
        seen = check(client.get("/v1/app"), "/v1/app")
    assert (seen["command"], seen["source"]) == (None, "FSA_APP_COMMAND")


def test_a_variable_overrides_files_and_package_json_comes_last(begin):
    files = {"Procfile": "web: echo from a Procfile\n", "package.json": json.dumps({"scripts": {"start": "x"}})}
    server = begin(files, options=(), FSA_APP_COMMAND=LIVES, PORT="8080")
    assert read(server)["source"] == "FSA_APP_COMMAND"
    assert post(server, "start")["status"] == "running"
    eventually(lambda: log(server) == f"it runs in {server.home} with 8080\n")
    server = begin(files, options=())
    assert read(server)["source"] == "Procfile"
    (server.home / "Procfile").write_text("worker: x\n")
    assert (read(server)["source"], read(server)["command"]) == ("package.json", "npm start")


@pytest.mark.parametrize("files", [{}, {"Procfile": "web:\n"}, {"package.json": "{"}, {"package.json": '{"scripts": 7}'},
                                   {"Procfile": b"web: \xff\xfe\n"}], ids=str)
def test_without_a_command_nothing_runs_and_a_start_says_what_to_do(begin, files):
    server = begin(files)
    app = reaches(server, "none")
    assert (app["command"], app["process"]) == (None, None)
    assert post(server, "start", 409)["errorCode"] == "NO_APP"
    with server.client() as client:
        assert client.get("/v1/processes").json["processes"] == []


def test_what_ends_by_itself_is_started_again_ever_later(begin):
    server = begin({"Procfile": 'web: date +%s.%N >>starts; [ -e good ] && exec sleep 1000; exit 7\n'})
    app = reaches(server, "crashed")
    assert app["exitCode"] == 7 and app["retryInSeconds"] <= 60
    eventually(lambda: read(server)["restarts"] >= 3)
    (server.home / "good").touch()
    assert reaches(server, "running")["restarts"] >= 3
    eventually(lambda: len((server.home / "starts").read_text().splitlines()) == 1 + read(server)["restarts"])
    starts = [float(line) for line in (server.home / "starts").read_text().splitlines()]
    pauses = [after - before for before, after in zip(starts, starts[1:])]
    assert pauses[1] >= 1 and pauses[2] >= 3  # of 2 and 4 seconds; sandboxd's clock counts whole ones


def test_a_process_of_that_name_is_no_import_that_is_waited_for(begin):
    server = begin({"Procfile": f"web: {LIVES}\n"}, options=())
    with server.client() as client:
        assert client.send("POST", "/v1/processes", {"command": "sleep 1000", "name": "import"}).status == 201
    assert post(server, "start")["status"] == "running"


def test_its_owner_ends_and_starts_it(begin):
    server = begin({"Procfile": f"web: {LIVES}\n"})
    first = reaches(server, "running")["process"]
    assert post(server, "start")["process"] == first  # which runs already
    post(server, "restart")
    eventually(lambda: read(server)["status"] == "running" and read(server)["process"] != first)
    post(server, "stop")
    app = reaches(server, "stopped")
    assert (app["process"], app["signal"], app["retryInSeconds"]) == (None, "TERM", None)
    with server.client() as client:
        running = [p for p in client.get("/v1/processes").json["processes"] if p["status"] == "running"]
    assert running == []
    assert post(server, "start")["status"] == "running"
    server.restart()
    assert reaches(server, "running")["restarts"] == 0


def test_a_crashed_one_is_started_at_once_by_request(begin):
    server = begin({"Procfile": "web: [ -e good ] && exec sleep 1000; exit 7\n"})
    eventually(lambda: read(server)["restarts"] >= 2)
    reaches(server, "crashed")
    (server.home / "good").touch()
    assert post(server, "start")["status"] == "running"


def test_one_that_ignores_the_end_is_killed(begin):
    server = begin({"Procfile": "web: trap '' TERM; echo up; while :; do sleep 1; done\n"})
    eventually(lambda: log(server) == "up\n")
    assert post(server, "stop")["status"] == "stopping"
    assert reaches(server, "stopped")["signal"] == "KILL"


def test_a_process_that_somebody_removes_is_started_again(begin):
    server = begin({"Procfile": f"web: {LIVES}\n"})
    first = reaches(server, "running")["process"]
    with server.client() as client:
        assert client.send("DELETE", f"/v1/processes/{first}").status == 204
    eventually(lambda: read(server)["process"] not in (None, first))


def test_the_app_of_a_repository_starts_when_it_is_imported(begin, workspace):
    with GitServer(workspace / "app-repositories") as repositories:
        repositories.make("shop", {"Procfile": f"web: {LIVES}\n".encode()})
        repositories.gate.clear()
        server = begin({}, options=("--app", "--import", PROGRAM), FSA_REPOSITORY_URL=f"{repositories.url}/shop.git")
        assert repositories.arrived.wait(60)
        assert read(server)["status"] == "waiting"
        repositories.gate.set()
        app = reaches(server, "running")
    assert app["folder"] == str(server.home / "shop")
    eventually(lambda: log(server) == f"it runs in {server.home}/shop with 3000\n")
