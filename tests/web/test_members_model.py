"""Random schedules of invitations, roles, removals and requests, compared with a model of what each person may do.

    FSA_MEMBER_STEPS=100000 [FSA_MEMBER_SEED=7] pytest tests/web/test_members_model.py

A failure names the seed and the last steps.
"""

import os
import random
from collections import deque

import pytest
from conftest import PASSWORD
from stand.site import Site

STEPS = int(os.environ.get("FSA_MEMBER_STEPS", "2000"))
PEOPLE, PROJECTS, RANKS = 5, 3, {"owner": 2, "editor": 1, "viewer": 0, None: -1}
UNKNOWN = "00000000-0000-4000-8000-000000000000"

# What is requested besides: method, path, body, the least role.
REQUESTS = [
    ("GET", "", None, "viewer"), ("GET", "/environment", None, "viewer"), ("GET", "/members", None, "viewer"),
    ("GET", "/sandboxes", None, "viewer"), ("GET", "/events", None, "viewer"),
    ("PATCH", "", {"description": "changed"}, "editor"), ("PUT", "/idle", {"minutes": 30}, "editor"),
    ("PATCH", "/environment", {"variables": [{"key": "A", "value": "1"}]}, "editor"),
    ("POST", "/stop", None, "editor"), ("PUT", "/lifetime", {"hours": 1}, "owner"),
]


@pytest.fixture(scope="module")
def roomy(workspace, build, postgres):
    """A site on which nobody changes too much."""
    options = {"changes_burst": 1_000_000, "changes_per_minute": 1_000_000}
    with Site(workspace / "members", build, postgres, database="members", options=options) as made:
        made.programs.stop("fsa-reconcile")
        yield made


class Model:
    """Who is what in which project, and which invitations wait."""

    def __init__(self, site, make_kubeconfig, rng):
        self.rng, self.log = rng, deque(maxlen=20)
        self.people = [self.register(site, make_kubeconfig, n) for n in range(PEOPLE)]
        self.roles, self.invitations = {}, {}  # project → {person: role}; id → [project, role, person, token]
        for number in range(PROJECTS):
            made = self.people[number].post("/api/projects", {"name": f"Project {number}"}).json()["id"]
            self.roles[made] = {number: "owner"}

    @staticmethod
    def register(site, make_kubeconfig, number):
        client = site.client()
        client.name = f"member{number}"
        client.id = client.register(client.name, PASSWORD).json()["user"]["id"]
        assert client.put("/api/user/config/kc", {"kubeconfig": make_kubeconfig(f"ns-{number}")}).ok
        return client

    def step(self):
        person, project = self.rng.randrange(PEOPLE), self.rng.choice(list(self.roles))
        action = self.rng.choice([self.invite, self.invite, self.answer, self.answer, self.withdraw, self.change,
                                  self.remove, self.leave, self.see, *[self.request] * 6])
        action(person, project)

    def expect(self, person, method, path, body, status):
        answer = self.people[person].request(method, path, json=body)
        self.log.append(f"{person} {method} {path} {body}: {answer.status_code}, expected {status}")
        assert answer.status_code == status, "\n".join(self.log) + "\n" + answer.text
        return answer

    def refusal(self, person, project, least):
        """The status with which somebody is refused; None if they are not."""
        role = self.roles[project].get(person)
        return 404 if role is None else 403 if RANKS[role] < RANKS[least] else None

    def request(self, person, project):
        method, path, body, least = self.rng.choice(REQUESTS)
        self.expect(person, method, f"/api/projects/{project}{path}", body, self.refusal(person, project, least) or 200)

    def invite(self, person, project):
        guest, role = self.rng.randrange(PEOPLE), self.rng.choice(["editor", "viewer"])
        by_link = self.rng.random() < 0.4
        refused = self.refusal(person, project, "owner")
        if not refused and not by_link and guest in self.roles[project]:
            refused = 409
        body = {"role": role} if by_link else {"role": role, "name": self.people[guest].name}
        made = self.expect(person, "POST", f"/api/projects/{project}/invitations", body, refused or 200).json()
        if refused:
            return
        for former in [i for i, (p, _, g, _) in self.invitations.items() if (p, g) == (project, guest) and not by_link]:
            del self.invitations[former]
        token = made["link"].rsplit("/", 1)[1] if by_link else None
        self.invitations[made["id"]] = [project, role, None if by_link else guest, token]

    def some_invitation(self):
        """One that there is, or now and then one that there is not."""
        if not self.invitations or self.rng.random() < 0.1:
            return UNKNOWN, [None, None, None, None]
        return self.rng.choice(list(self.invitations.items()))

    def answer(self, person, _):
        invitation, (project, role, guest, token) = self.some_invitation()
        if token is None and self.rng.random() < 0.2:
            self.expect(person, "DELETE", f"/api/invitations/{invitation}", None,
                        200 if guest == person and project else 404)
            if guest == person and project:
                del self.invitations[invitation]
            return
        valid = project is not None and (token is not None or guest == person)
        status = 403 if not valid else 409 if person in self.roles[project] else 200
        path, body = (("/api/invitations/accept", {"token": token}) if token
                      else (f"/api/invitations/{invitation}/accept", None))
        self.expect(person, "POST", path, body, status)
        if status == 200:
            self.roles[project][person] = role
            del self.invitations[invitation]

    def withdraw(self, person, project):
        invitation, (of, *_) = self.some_invitation()
        refused = self.refusal(person, project, "owner") or (None if of == project else 404)
        self.expect(person, "DELETE", f"/api/projects/{project}/invitations/{invitation}", None, refused or 200)
        if not refused:
            del self.invitations[invitation]

    def is_member(self, person, project):
        return self.roles[project].get(person) in ("editor", "viewer")

    def change(self, person, project):
        member, role = self.rng.randrange(PEOPLE), self.rng.choice(["editor", "viewer"])
        refused = self.refusal(person, project, "owner") or (None if self.is_member(member, project) else 404)
        self.expect(person, "PATCH", f"/api/projects/{project}/members/{self.people[member].id}", {"role": role},
                    refused or 200)
        if not refused:
            self.roles[project][member] = role

    def remove(self, person, project):
        member = self.rng.randrange(PEOPLE)
        refused = self.refusal(person, project, "owner") or (None if self.is_member(member, project) else 404)
        self.expect(person, "DELETE", f"/api/projects/{project}/members/{self.people[member].id}", None, refused or 200)
        if not refused:
            del self.roles[project][member]

    def leave(self, person, project):
        gone = self.is_member(person, project)
        self.expect(person, "DELETE", f"/api/projects/{project}/membership", None, 200 if gone else 404)
        if gone:
            del self.roles[project][person]

    def see(self, person, _):
        """Lists show what there is: projects with roles, and invitations."""
        listed = self.expect(person, "GET", "/api/projects", None, 200).json()
        assert {p["id"]: p["role"] for p in listed} == {
            project: roles[person] for project, roles in self.roles.items() if person in roles}, "\n".join(self.log)
        waiting = self.expect(person, "GET", "/api/invitations", None, 200).json()["items"]
        assert {i["id"] for i in waiting} == {
            i for i, (_, _, guest, _) in self.invitations.items() if guest == person}, "\n".join(self.log)


def test_everybody_may_what_the_model_says(roomy, make_kubeconfig):
    seed = int(os.environ.get("FSA_MEMBER_SEED", random.randrange(1_000_000)))
    print(f"seed {seed}")
    model = Model(roomy, make_kubeconfig, random.Random(seed))
    for _ in range(STEPS):
        model.step()
    for person in range(PEOPLE):
        model.see(person, None)
