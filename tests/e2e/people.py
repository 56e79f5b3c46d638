"""A user of the site with their own namespace, and what they do with projects over HTTP."""

import itertools
import time

from namespace import Namespace
from stand.process import PATIENCE

PASSWORD = "correct horse battery staple"
SLOW = 2 * PATIENCE  # for what takes many passes

_numbers = itertools.count(1)


class Answer(AssertionError):
    """The site gave an unexpected response, which is in the message."""

    def __init__(self, answer, expected):
        self.status = answer.status_code
        request = f"{answer.request.method} {answer.request.path_url}"
        super().__init__(f"{request}: {answer.status_code} instead of {expected}: {answer.text}")


def expect(answer, *statuses):
    """Returns the JSON of a response with one of these statuses (by default any 2xx); otherwise raises Answer."""
    if answer.status_code not in statuses if statuses else not answer.ok:
        raise Answer(answer, statuses or "2xx")
    return answer.json() if answer.content else None


def eventually(check, seconds=PATIENCE, every=0.1, last=None):
    """Waits until check() returns something true, and returns that.

    After a timeout, the message shows last(), by default the last result of check().
    """
    end = time.monotonic() + seconds
    while not (result := check()):
        if time.monotonic() > end:
            seen = last() if last else result
            raise AssertionError(f"not within {seconds} s: {check.__doc__ or check}; last: {seen}")
        time.sleep(every)
    return result


class Person:
    """A user who is registered and logged in, with a stored kubeconfig.

    Other arguments go to Cluster.create_user: quota, enforce, …
    """

    def __init__(self, site, cluster, kubeconfig=True, **options):
        self.name = f"user{next(_numbers)}"
        self.cluster = cluster
        self.client = site.client()
        expect(self.client.register(self.name, PASSWORD))
        expect(self.client.login(self.name, PASSWORD))
        self._options = options
        self.namespace = Namespace(cluster, f"ns-{self.name}")
        self.kubeconfig = self.new_kubeconfig()
        if kubeconfig:
            self.put_kubeconfig()

    def new_kubeconfig(self, namespace=None):
        """Returns a kubeconfig with a fresh token; makes the namespace and rights if they are missing."""
        return self.cluster.create_user(self.name, namespace, **self._options)

    def put_kubeconfig(self, text=None):
        body = {"kubeconfig": text or self.kubeconfig}
        return expect(self.client.post("/api/user/config/kc", body))

    def create(self, name, database=False, key=None):
        """Creates a project; this takes only as long as the site's response, whatever the cluster does."""
        headers = {"Idempotency-Key": key} if key else {}
        body = {"name": name, "database": database}
        made = expect(self.client.post("/api/projects", body, headers=headers))
        return Project(self, made["id"])

    def projects(self):
        return expect(self.client.get("/api/projects"))


class Project:
    """One project as its owner sees it."""

    def __init__(self, person, project_id):
        self.person = person
        self.id = project_id
        self.path = f"/api/projects/{project_id}"
        self.sandbox_path = f"/api/sandbox/{project_id}"
        self._client = person.client

    def __repr__(self):
        return f"<project {self.id} of {self.person.name}>"

    # ---- what they see

    def get(self):
        return expect(self._client.get(self.path))

    def status(self):
        return self.get()["status"]

    def sandbox(self):
        """Returns the project's sandbox as the project shows it, or None."""
        found = self.get()["sandboxes"]
        return found[0] if found else None

    def database(self):
        found = self.get()["databases"]
        return found[0] if found else None

    def view(self):
        """Returns GET /api/sandbox/:id: status, addresses, progress."""
        return expect(self._client.get(self.sandbox_path))

    def stages(self):
        """Returns stage → state, in the order of the response."""
        return {stage["name"]: stage["state"] for stage in self.view()["progress"]["stages"]}

    def causes(self):
        """Returns the causes shown for the project's resources."""
        found = self.get()
        return [r["cause"] for r in found["sandboxes"] + found["databases"] if r["cause"]]

    def events(self):
        """Returns the project's events, newest first."""
        return expect(self._client.get(f"{self.path}/events?limit=200"))["items"]

    def connection(self):
        """Returns the database's address and credentials, without its status."""
        database = expect(self._client.get(f"{self.path}/database"))
        names = ("id", "host", "port", "database", "username", "password", "connectionUrl")
        return {name: database[name] for name in names}

    def variables(self):
        """Returns key → variable, of all categories."""
        groups = expect(self._client.get(f"{self.path}/environment"))
        return {v["key"]: v for group in groups.values() for v in group}

    def gone(self):
        """Whether the project answers 404, like anything that does not exist."""
        answer = self._client.get(self.path)
        if answer.status_code == 404:
            return True
        expect(answer)
        return False

    # ---- what they ask for

    def start(self):
        return expect(self._client.post(f"{self.path}/start"))

    def stop(self):
        return expect(self._client.post(f"{self.path}/stop"))

    def restart(self):
        return expect(self._client.post(f"{self.path}/restart"))

    def delete(self):
        return expect(self._client.delete(self.path))

    def start_sandbox(self, **variables):
        return expect(self._client.post(self.sandbox_path, {"envVars": variables}))

    def delete_sandbox(self):
        return expect(self._client.delete(self.sandbox_path))

    def set_variable(self, key, value):
        variable = {"key": key, "value": value, "category": "general", "isSecret": False}
        return expect(self._client.post(f"{self.path}/environment", variable))

    def delete_variable(self, key):
        variable = self.variables()[key]["id"]
        return expect(self._client.delete(f"{self.path}/environment/{variable}"))

    # ---- what they wait for

    def wait(self, status, seconds=SLOW):
        """Waits until the project, and so all it consists of, has that status; returns the project."""
        last = {}

        def reached():
            last.update(self.get())
            return last["status"] == status

        try:
            eventually(reached, seconds, every=0.15)
        except AssertionError:
            raise AssertionError(
                f"not {status} within {seconds} s: {last}\nin the cluster:\n"
                + self.person.namespace.describe()
            ) from None
        return last

    def wait_gone(self, seconds=SLOW):
        eventually(self.gone, seconds, every=0.15, last=lambda: self._client.get(self.path).text)

    def wait_cause(self, kind, seconds=PATIENCE):
        """Waits until a cause of that kind is shown; returns it."""

        def told():
            """the cause is told"""
            return [cause for cause in self.causes() if cause["kind"] == kind]

        return eventually(told, seconds, last=self.get)[0]

    def wait_no_cause(self, seconds=PATIENCE):
        """Waits until there is no cause: one that a busy machine produced by a timeout passes, too."""
        eventually(lambda: not self.causes(), seconds, last=self.get)
