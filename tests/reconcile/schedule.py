"""Random schedules: people make changes while everything fails; the last changes must take effect.

The seed determines what is done, to whom and in which order, but not at which exact point of a program.
Each step is logged, so that a failure can be understood.
"""

import contextlib
import random
import time
from collections import Counter
from typing import NamedTuple

from namespace import PLACES, RESOURCE
from people import Person, eventually, expect
from stand.kube.api import ApiError

# Stable states are observed often, so that drift and healing are noticed soon; a silent API server does not hold a
# lease for long.
OPTIONS = {"resync": "1s", "lease_time": "8s", "kube_request_timeout": "2s", "pass_time": "10s"}

# Of a schedule: deleted projects can be brought back, and who does nothing for a minute is stopped.
ENDS = {"trash_time": "1d", "idle_time": "1m", "idle_warning": "1s"}
# What every sandbox says: somebody works in it. So none may ever be stopped for idleness.
ACTIVE = {"idleSeconds": 0, "lastInputAt": None, "connections": 1, "terminals": 1, "cpuSeconds": None,
          "clockSeconds": 1.0, "busy": []}

PEOPLE = 4
PROJECTS = 4  # per person at one time
SETTLED = 300  # seconds that everything takes at most once all faults have ended

VERBS = ("get", "list", "apply", "delete", "apply|delete", "get|list|apply|delete")
RESOURCES = ("*", "*", "statefulsets", "pods", "secrets", "ingresses", "clusters",
             "persistentvolumeclaims")
FAULTS = (
    {"fault": "unauthorized"}, {"fault": "forbidden"}, {"fault": "quota"}, {"fault": "not-found"},
    {"fault": "conflict"}, {"fault": "too-many-requests", "retryAfter": 1}, {"fault": "internal"},
    {"fault": "unavailable"}, {"fault": "timeout"}, {"fault": "latency", "ms": 300},
    {"fault": "hang", "ms": 5000}, {"fault": "reset"}, {"fault": "reset", "executed": True},
    {"fault": "truncate"}, {"fault": "not-json"}, {"fault": "bad-json"},
    {"fault": "internal", "executed": True}, {"fault": "stale", "verb": "list"},
)
EFFECTS = ("crash", "image", "unschedulable", "never-ready", "stuck", "unbound", "database-failed")

ONCE = ("statefulsets", "clusters", "persistentvolumeclaims")

# Checks which statuses a row may have with which desired state, and who may set them.
CHECK_STATUS = """
CREATE TABLE violations (at timestamptz DEFAULT clock_timestamp(), what text, old text, new text);
CREATE FUNCTION check_status() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
DECLARE
    what text;
BEGIN
    IF NOT (NEW.status = 'ERROR' OR CASE NEW.desired
        WHEN 'GONE' THEN NEW.status IN ('TERMINATING', 'TERMINATED')
        WHEN 'STOPPED' THEN NEW.status IN ('STOPPING', 'STOPPED')
        ELSE NEW.status IN ('CREATING', 'STARTING', 'RUNNING', 'UPDATING')
            OR NEW.status = 'STOPPED'
            AND (NEW.cause_kind = 'KUBE_BILLING' OR OLD.status = 'STOPPED') END) THEN
        what := 'contradicts what is wanted';
    ELSIF NEW.generation < OLD.generation OR NEW.lease_epoch < OLD.lease_epoch THEN
        what := 'goes back';
    ELSIF NEW.lease_epoch > OLD.lease_epoch AND OLD.leased_until > clock_timestamp() THEN
        what := 'takes a lease that is held';
    ELSIF session_user = 'fsa_reconcile' AND NEW.status <> OLD.status AND NEW.desired = OLD.desired
        AND (OLD.leased_until IS NULL OR NEW.generation <> OLD.generation) THEN
        what := 'is told by nobody who may';
    END IF;
    IF what IS NOT NULL THEN
        INSERT INTO violations (what, old, new) VALUES (what, OLD::text, NEW::text);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_status BEFORE UPDATE ON resources FOR EACH ROW
EXECUTE FUNCTION check_status();
"""


class Desired(NamedTuple):
    """The last request for a project; None: the resource does not exist or is to be deleted."""

    sandbox: str
    database: str


class Schedule:
    """One run on a site and a kubesim that nobody else uses."""

    def __init__(self, site, kubesim, seed, log):
        self.site, self.kubesim, self.seed = site, kubesim, seed
        self._random = random.Random(seed)
        self._log = open(log, "w")
        self._number = 0
        self._desired = {}  # project → Desired
        self._replaced = set()  # ids of projects whose sandbox was requested to be deleted
        self._trash = {}  # project → Desired, when it is brought back
        self._deleted = []
        self._made = {}  # (resource, name) → the write that created it
        with site.connect() as connection, connection.cursor() as cursor:
            cursor.execute(CHECK_STATUS)
        self.people = [Person(site, kubesim) for _ in range(PEOPLE)]
        for person in self.people:
            kubesim.answer(person.namespace.name, ACTIVE)

    def close(self):
        self._log.close()

    # ---- steps

    def run(self, steps):
        actions, weights = zip(*self._actions())
        for number in range(steps):
            action = self._random.choices(actions, weights)[0]
            self._note(number, action.__name__.strip("_"))
            action()

    def _actions(self):
        return (
            (self._create, 12), (self._start, 12), (self._stop, 12), (self._restart, 6),
            (self._set_variable, 6), (self._delete_sandbox, 4), (self._start_sandbox, 6),
            (self._delete, 4), (self._put_in_trash, 4), (self._bring_back, 4), (self._expire, 2), (self._extend, 4),
            (self._add_fault, 8), (self._add_effect, 3), (self._heal, 5),
            (self._suspend, 1), (self._resume, 2), (self._rotate, 2), (self._outage, 1),
            (self._kill_reconciler, 4), (self._kill_postgres, 1), (self._wait, 12),
        )

    def _note(self, *words):
        print(f"{time.strftime('%H:%M:%S')}", *words, file=self._log, flush=True)

    def _create(self):
        person = self._random.choice(self.people)
        with_database = self._random.random() < 0.4
        if sum(p.person is person for p in (*self._desired, *self._trash)) >= PROJECTS:
            return
        self._number += 1
        project = self._ask(lambda key: person.create(f"P {self._number}", with_database, key))
        self._desired[project] = Desired("RUNNING", "RUNNING" if with_database else None)
        self._note("   ", project)

    def _start(self):
        self._change("POST", "/start", lambda w: self._each(w, "RUNNING"))

    def _stop(self):
        self._change("POST", "/stop", lambda w: self._each(w, "STOPPED"))

    def _restart(self):
        self._change("POST", "/restart", lambda w: self._each(w, "RUNNING"))

    def _set_variable(self):
        body = {"key": f"K{self._random.randrange(3)}", "isSecret": False,
                "value": str(self._random.random()), "category": "general"}
        self._change("POST", "/environment", lambda w: w, body)

    def _delete_sandbox(self):
        project = self._change("DELETE", None, lambda w: w._replace(sandbox=None))
        self._replaced |= {project.id} if project else set()

    def _start_sandbox(self):
        self._change("POST", None, lambda w: w._replace(
            sandbox="RUNNING", database=w.database and "RUNNING"), {"envVars": {}})

    def _delete(self):
        project = self._change("DELETE", "", lambda w: w, {"permanent": True})
        if project:
            self._deleted.append(project)
            del self._desired[project]

    def _put_in_trash(self):
        project = self._change("DELETE", "", lambda w: self._each(w, "STOPPED"))
        if project:
            self._trash[project] = self._desired.pop(project)

    def _bring_back(self):
        if not self._trash:
            return
        project = self._random.choice(list(self._trash))
        expect(self._ask(lambda key: project.person.client.post(f"{project.path}/restore", headers={
            "Idempotency-Key": key})))
        self._note("   ", project)
        self._desired[project] = self._trash.pop(project)

    def _expire(self):
        """A project's end has come: it is stopped, and not started until it gets more time."""
        if not self._desired:
            return
        project = self._random.choice(list(self._desired))
        self._note("   ", project)
        with self.site.connect() as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE projects SET expires_at = now() WHERE id = %s", (project.id,))
        eventually(lambda: self._ask(lambda key: project.person.client.get(project.path)).json()["deletesAt"])
        self._desired[project] = self._each(self._desired[project], "STOPPED")

    def _extend(self):
        if self._desired:
            project = self._random.choice(list(self._desired))
            self._note("   ", project)
            expect(self._ask(lambda key: project.person.client.put(f"{project.path}/lifetime", {"hours": None})))

    def _change(self, method, path, change, body=None):
        """Requests a change to a project, or to its sandbox (path None); returns the project, or None if the change
        was refused, such as a restart of a missing sandbox."""
        if not self._desired:
            return None
        project = self._random.choice(list(self._desired))
        path = project.sandbox_path if path is None else project.path + path
        client = project.person.client
        answer = self._ask(lambda key: client.request(method, path, body, headers={
            "Idempotency-Key": key}))
        self._note("   ", project, answer.status_code)
        if answer.status_code in (404, 409):
            return None
        expect(answer)
        self._desired[project] = change(self._desired[project])
        return project

    def _ask(self, send):
        """Sends until the site responds, which it does not while PostgreSQL recovers."""
        key = f"{self.seed}-{self._random.getrandbits(64):x}"

        def answered():
            """the site answers"""
            try:
                answer = send(key)
            except AssertionError as e:  # raised by expect() of people.py
                if getattr(e, "status", None) == 503:
                    return None
                raise
            return None if getattr(answer, "status_code", 0) == 503 else (answer,)

        return eventually(answered)[0]

    @staticmethod
    def _each(before, desired):
        return Desired(*(resource and desired for resource in before))

    # ---- what goes wrong

    def _add_fault(self):
        user = self._random.choice(["*", *(person.name for person in self.people)])
        rule = {
            "verb": self._random.choice(VERBS), "resource": self._random.choice(RESOURCES),
            "user": f"system:serviceaccount:*:{user}",
            "probability": self._random.choice((0.1, 0.3, 1)),
            "count": self._random.randrange(1, 30), **self._random.choice(FAULTS),
        }
        if rule["resource"] == "*":
            del rule["resource"]
        self._note("   ", rule)
        self.kubesim.fault(**rule)

    def _add_effect(self):
        rule = {"effect": self._random.choice(EFFECTS), "probability": 0.5,
                "namespace": self._random.choice(self.people).namespace.name}
        self._note("   ", rule)
        self.kubesim.effect(**rule)

    def _heal(self):
        self.kubesim.heal()

    def _suspend(self):
        with contextlib.suppress(ApiError):  # the object may be going just now
            self.kubesim.suspend(self._random.choice(self.people).namespace.name)

    def _resume(self):
        with contextlib.suppress(ApiError):
            self.kubesim.resume(self._random.choice(self.people).namespace.name)

    def _rotate(self):
        """Revokes the token, and stores a new one after a while."""
        person = self._random.choice(self.people)
        self.kubesim.delete_user(person.name)
        self._wait()
        self._hand_in_kubeconfig(person)

    def _hand_in_kubeconfig(self, person):
        kubeconfig = person.new_kubeconfig()
        self._ask(lambda key: person.put_kubeconfig(kubeconfig))

    def _outage(self):
        self.kubesim.stop_apiserver()
        self._wait()
        self.kubesim.start_apiserver()

    def _kill_reconciler(self):
        self.site.programs.kill("fsa-reconcile")
        self.site.programs.start("fsa-reconcile")

    def _kill_postgres(self):
        self.site.postgres.kill()
        self._wait()
        self.site.postgres.start()

    def _wait(self):
        time.sleep(self._random.random() * 0.4)

    # ---- what must hold in the end

    def settle(self):
        """Ends all faults and waits until everything is as desired."""
        self._note("settle")
        self.kubesim.heal()
        for person in self.people:
            self.kubesim.resume(person.namespace.name)
            self._hand_in_kubeconfig(person)
        while self._trash:
            self._bring_back()
        unmet = {}

        def reached():
            """every project is as last requested"""
            self._spare_backoff()
            unmet.clear()
            unmet.update((str(p), found) for p in self._desired if (found := self._unmet(p)))
            unmet.update((str(p), "not gone") for p in self._deleted if not p.gone())
            return not unmet

        eventually(reached, SETTLED, every=0.5, last=lambda: (self.seed, unmet))

    def _unmet(self, project):
        got, desired = project.get(), self._desired[project]
        observed = Desired(self._seen(got["sandboxes"]), self._seen(got["databases"]))
        causes = project.causes()
        return None if observed == desired and not causes else (desired, observed, causes)

    @staticmethod
    def _seen(resources):
        return resources[0]["status"] if resources else None

    def _spare_backoff(self):
        """Skips the backoff of rows that have failed often."""
        with self.site.connect() as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE resources SET due_at = now() WHERE cause_kind IS NOT NULL"
                           " AND due_at > now() + interval '2 s' AND leased_until IS NULL")

    def check(self):
        """Checks the statuses shown on the way, and the objects in the cluster now."""
        with self.site.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT what, old, new FROM violations")
            violations = cursor.fetchall()
            assert violations == [], (self.seed, violations)
            cursor.execute("SELECT project_id FROM events WHERE code = 'PROJECT_IDLE_STOPPED'")
            assert cursor.fetchall() == [], self.seed
            cursor.execute("SELECT id::text, name, project_id::text FROM resources")
            rows = cursor.fetchall()
        assert len(rows) == sum(bool(r) for desired in self._desired.values() for r in desired)
        held = Counter()
        for person in self.people:
            held += self._owners(person.namespace)
        orphans = {key for key in held if key[1] not in {row[0] for row in rows}}
        assert orphans == set(), (self.seed, orphans)
        for kind in ("StatefulSet", "Cluster"):
            assert all(n == 1 for (k, _), n in held.items() if k == kind), (self.seed, held)
        self._check_writes({name for _, name, project in rows if project not in self._replaced})

    @staticmethod
    def _owners(namespace):
        """Yields (kind, id of the resource that it belongs to) of every object that names one."""
        labels = (
            (kind, item["metadata"].get("labels", {}).get(RESOURCE))
            for kind in PLACES for item in namespace.items(kind)
        )
        return Counter((kind, owner) for kind, owner in labels if owner)

    def _check_writes(self, names):
        """Checks that what was never to be deleted was created once and never deleted: volumes contain people's
        work."""
        for write in self.kubesim.writes()["writes"]:
            owner = next((name for name in names if name in write["name"]), None)
            if owner and write["resource"] in ONCE:
                key = (write["resource"], write["name"])
                assert write["effect"] != "deleted", (self.seed, write)
                assert write["effect"] != "created" or key not in self._made, (self.seed, write)
                self._made[key] = write

    def remove_everything(self):
        for project in list(self._desired):
            self._ask(lambda key, p=project: p.person.client.delete(p.path, json={"permanent": True}))
            self._deleted.append(project)
            del self._desired[project]
        self.settle()
        for person in self.people:
            for kind in ("Pod", "PersistentVolumeClaim", "Secret"):  # these take a while to go
                eventually(lambda k=kind, p=person: p.namespace.items(k) == [])
            assert self._owners(person.namespace) == {}, self.seed
