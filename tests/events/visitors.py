"""People on a site with live updates, and projects that exist in its database only: these tests need no cluster, and
SQL stands in for the reconciler."""

import contextlib
import itertools
import time
import uuid

import requests
from prometheus_client.parser import text_string_to_metric_families

from stand.process import PATIENCE
from stand.stream import Stream

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


class Person:
    """A user who is logged in."""

    def __init__(self, site):
        self.site = site
        self.name = f"user{next(_numbers)}"
        self.client = site.client()
        answer = self.client.register(self.name, PASSWORD)
        assert answer.status_code == 200, answer.text
        self.id = answer.json()["user"]["id"]

    def log_in_again(self, **members):
        """Logs the user in from another browser; the response to the login is .login_answer."""
        client = self.site.client()
        client.login_answer = client.post(
            "/api/auth/login", {"name": self.name, "password": PASSWORD, **members})
        assert client.login_answer.status_code == 200, client.login_answer.text
        return client

    def stream(self, client=None, **rest):
        stream = Stream(client or self.client, **rest)
        assert stream.status == 200, stream.status
        return stream


class Project:
    """A project with a sandbox and a database, in the database only."""

    def __init__(self, live, owner):
        self.id = str(uuid.uuid4())
        self.owner = owner
        self._live = live
        live.sql(
            """WITH p AS (INSERT INTO projects (id, user_id, name, kube_name)
                VALUES (%(id)s, %(user)s, %(name)s, 'x') RETURNING id, user_id)
            INSERT INTO resources (project_id, user_id, kind, name, namespace, server)
                SELECT id, user_id, kind, 'x' || substr(md5(id::text || kind), 1, 12), 'ns',
                    'https://127.0.0.1'
                FROM p, unnest(enum_range(NULL::resource_kind)) kind""",
            {"id": self.id, "user": owner.id, "name": f"App {next(_numbers)}"})

    def add_sandbox(self):
        self._live.sql(
            """INSERT INTO resources (project_id, user_id, kind, name, namespace, server, additional)
                SELECT id, user_id, 'SANDBOX', 'x' || substr(md5(random()::text), 1, 12), 'ns',
                    'https://127.0.0.1', true FROM projects WHERE id = %(id)s""", {"id": self.id})

    def add_sandboxes_in_error(self, count, message):
        self._live.sql(
            """INSERT INTO resources (project_id, user_id, kind, name, namespace, server, additional,
                    status, cause_kind, cause_code, cause_message, cause_since)
                SELECT id, user_id, 'SANDBOX', 'x' || n, 'ns', 'https://127.0.0.1', true,
                    'ERROR', 'POD_IMAGE', 'POD_IMAGE', %(message)s, now()
                FROM projects, generate_series(1, %(count)s) n WHERE id = %(id)s""",
            {"id": self.id, "count": count, "message": message})

    def set(self, kind="SANDBOX", **columns):
        """Changes its sandbox or database, as a pass records it."""
        columns = {"status_since": "now", **columns}
        words = ", ".join(f"{name} = %({name})s" for name in columns)
        self._live.sql(f"UPDATE resources SET {words} WHERE project_id = %(id)s"
                       " AND kind = %(kind)s", {**columns, "id": self.id, "kind": kind})

    def fail(self, message):
        """Records that the sandbox cannot be started, for this reason."""
        self.set(status="ERROR", cause_kind="POD_IMAGE", cause_code="POD_IMAGE",
                 cause_message=message, cause_since="now")

    def remove(self):
        self._live.sql("DELETE FROM resources WHERE project_id = %(id)s", {"id": self.id})
        self._live.sql("DELETE FROM projects WHERE id = %(id)s", {"id": self.id})


class Live:
    """A site with working live updates."""

    def __init__(self, site):
        self.site = site
        self.wait_flowing()

    def sql(self, words, values=None):
        with contextlib.closing(self.site.connect()) as db, db.cursor() as cursor:
            cursor.execute(words, values)

    def person(self):
        return Person(self.site)

    def project(self, owner):
        return Project(self, owner)

    def state(self):
        answer = self.site.client().get("/readyz")
        return answer.json()["checks"]["liveUpdates"] if answer.ok else None

    def counted(self, name, **labels):
        """Returns the sum of a metric's series."""
        text = requests.get(self.site.nginx.metrics_url, timeout=PATIENCE).text
        return sum(sample.value for family in text_string_to_metric_families(text)
                   for sample in family.samples
                   if sample.name == name and labels.items() <= sample.labels.items())

    def tell_all(self, stream, owner):
        """Waits until this stream of the owner's has received everything committed so far, by creating a project and
        waiting for its event. Under load, fsa-events may send a change twice."""
        after = self.project(owner)
        stream.wait(lambda e: e.data["id"] == after.id)

    def wait_flowing(self, state="ok", seconds=PATIENCE):
        end = time.monotonic() + seconds
        while self.state() != state:
            assert time.monotonic() < end, f"live updates are not {state}"
            time.sleep(0.05)
