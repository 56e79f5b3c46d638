"""Sets up what the quick start shows, over HTTP: a user, their kubeconfig, and a project that it follows until it
runs."""

import io
import tarfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from .terminal import Terminal, connect

STAGES = ("database", "container", "network", "terminal", "ready")
WELCOME = Path(__file__).resolve().parent / "welcome"
PATIENCE = 600  # seconds that a project may take to run: a real cluster pulls its image first


class DemoError(Exception):
    """The site gave an unexpected response; the message says which."""


class Demo:
    """The demo user."""

    def __init__(self, state, machine, console):
        self._state = state
        self._machine = machine
        self._console = console
        self._client = machine.site.client()

    def run(self):
        """Does all steps; returns the running project as the API shows it."""
        with self._console.step("demo user") as step:
            step.result = self._log_in()
        with self._console.step("kubeconfig") as step:
            step.result = self._hand_in_kubeconfig()
        with self._console.step("project") as step:
            project = self._find_or_create()
            step.result = f"{project['name']}: {project['status']}"
        self._state.save(project=project["id"])
        project = self._follow(project["id"])
        if self._machine.containers:
            with self._console.step("application") as step:
                self._welcome(project)
                step.result = "its own, and a README in the home directory"
        return project

    def _log_in(self):
        name, password = (self._state.settings[key] for key in ("user", "password"))
        answer = self._client.login(name, password)
        if answer.status_code == 401:
            self._ask(self._client.register(name, password))
            return f"{name} registered"
        self._ask(answer)
        return f"{name} logged in"

    def _hand_in_kubeconfig(self):
        cluster, file = self._machine.cluster, self._machine.kubeconfig
        if cluster:
            text = cluster.create_user(self._state.settings["user"])
            file.touch(mode=0o600)
            file.write_text(text)
        text = file.read_text()
        answer = self._ask(self._client.post("/api/user/config/kc", {"kubeconfig": text}))
        return f"namespace {answer['namespace']}"

    def _find_or_create(self):
        """Returns the project of an earlier run, started again if it was stopped, or a new one."""
        projects = self._ask(self._client.get("/api/projects"))
        known = self._state.settings["project"]  # also None if the first run was interrupted early
        mine = [p for p in projects if (p["id"] == known if known else p["name"] == "demo")]
        if not mine:
            body = {
                "name": "demo",
                "description": "Made by tools/quickstart",
                "database": self._state.settings["database"],
            }
            return self._ask(self._client.post("/api/projects", body))
        path = f"/api/projects/{mine[0]['id']}"
        if self._machine.emptied:  # so that no status from before the restart is shown
            self._ask(self._client.post(f"{path}/restart"))
        elif mine[0]["status"] in ("STOPPED", "STOPPING", "PARTIAL"):
            self._ask(self._client.post(f"{path}/start"))
        return self._ask(self._client.get(path))

    def _follow(self, project_id):
        """Prints each stage as it completes, then waits for the database too, which may take longer than the sandbox
        that uses it."""
        deadline = time.monotonic() + PATIENCE
        for stage in STAGES:
            with self._console.step(f"  {stage}") as step:
                self._wait_for_stage(stage, project_id, deadline, step)
        with self._console.step("project") as step:
            project = self._wait_for_project(project_id, deadline, step)
            step.result = f"{project['name']}: {project['status']}"
        return project

    def _wait_for_stage(self, stage, project_id, deadline, step):
        while True:
            sandbox = self._ask(self._client.get(f"/api/sandbox/{project_id}"))
            state = stage_state(sandbox, stage)
            if state == "done":
                step.result = "done"
                return
            step.note = f"the sandbox is {sandbox['status']}{because(sandbox)}"
            if state == "failed" or time.monotonic() > deadline:
                raise self._stuck(step.note)
            time.sleep(0.1)

    def _wait_for_project(self, project_id, deadline, step):
        while True:
            project = self._ask(self._client.get(f"/api/projects/{project_id}"))
            if project["status"] == "RUNNING":
                return project
            causes = "".join(because(r) for r in project["databases"] + project["sandboxes"])
            step.note = f"the project is {project['status']}{causes}"
            if project["status"] == "ERROR" or time.monotonic() > deadline:
                raise self._stuck(step.note)
            time.sleep(0.1)

    def _welcome(self, project):
        """Copies the README and the demo application into the sandbox, and starts the application."""
        files = io.BytesIO()
        with tarfile.open(fileobj=files, mode="w") as tar:
            for name in ("README.md", "app.js"):
                tar.add(WELCOME / name, name, filter=_anybodys)
        sandbox = project["sandboxes"][0]
        pod = self._machine.cluster.admin.get(
            f"/api/v1/namespaces/{sandbox['k8sNamespace']}/pods/{sandbox['sandboxName']}-0")
        runs = self._machine.containers.run_in(
            pod["metadata"]["uid"], ["sh", "-c", (WELCOME / "fill").read_text()], files.getvalue())
        if not runs.strip():
            self._start_application(urlsplit(sandbox["ttydUrl"]))

    def _start_application(self, terminal):
        """Starts it in a terminal, as a person does: this also shows that a terminal works."""
        connection = connect("127.0.0.1", terminal.port)
        with Terminal(connection, f"?{terminal.query}&arg=app", host=terminal.netloc) as opened:
            opened.type("node ~/demo/app.js\r")
            opened.wait_for("listening on port 3000")

    def _stuck(self, message):
        return DemoError(f"{message}\nsee {self._machine.site.programs.log('fsa-reconcile')}")

    def _ask(self, answer):
        """Returns the JSON of a response; raises DemoError with the site's message if it is an error."""
        if answer.ok:
            return answer.json() if answer.content else None
        request = answer.request
        log = self._machine.site.programs.log("api.fcgi")
        raise DemoError(
            f"{request.method} {request.path_url} answered {answer.status_code}: "
            f"{answer.text[:500]}\nsee {log}"
        )


def _anybodys(member):
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member


def because(resource):
    """The cause of a sandbox's or a database's status, as a suffix; empty if there is none."""
    cause = resource.get("cause")
    return f": {cause['message']}" if cause else ""


def stage_state(sandbox, stage):
    """The state of a stage: "done", "active", "failed" or "pending"."""
    return next(s["state"] for s in sandbox["progress"]["stages"] if s["name"] == stage)
