"""Sites for the tests of fsactl: people with projects, but no reconciler, so that rows stay as a test leaves them."""

import base64
import itertools
import json
import os
import subprocess
from types import SimpleNamespace

import pytest

from stand.kube.pki import Authority

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def kubeconfig(workspace):
    """Makes valid kubeconfigs for a server that does not exist."""
    ca = base64.b64encode(Authority(workspace / "ctl-ca", "test").cert.read_bytes()).decode()

    def make(namespace, server="https://127.0.0.1:6443"):
        context = {"cluster": "c", "user": "u", "namespace": namespace}
        return json.dumps({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c",
                          "cluster": {"server": server, "certificate-authority-data": ca}}],
            "users": [{"name": "u", "user": {"token": "some.secret.token"}}],
            "contexts": [{"name": "x", "context": context}],
            "current-context": "x",
        })

    return make


@pytest.fixture(scope="module")
def quiet(site):
    """The module's site, without a reconciler."""
    site.programs.stop("fsa-reconcile")
    return site


@pytest.fixture
def fsactl(quiet):
    """Runs fsactl; returns its output (parsed if json_ is true), or the whole outcome if `status` is given."""

    def run(*words, json_=True, status=0):
        command = [quiet.programs.program("fsactl"), "--config", quiet.programs.config(), *words]
        if json_:
            command.append("--json")
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              timeout=300)
        assert done.returncode == status, done.stdout + done.stderr
        if status != 0:
            return done
        return json.loads(done.stdout) if json_ else done.stdout

    return run


@pytest.fixture
def person(quiet, kubeconfig):
    """A user who is logged in, with a kubeconfig and a project with a database."""
    name = f"person{next(_numbers)}"
    client = quiet.client()
    answer = client.register(name, PASSWORD)
    assert answer.status_code == 200, answer.text
    user_id = answer.json()["user"]["id"]
    config = {"kubeconfig": kubeconfig(f"ns-{name}")}
    assert client.put("/api/user/config/kc", config).status_code == 200
    made = client.post("/api/projects", {"name": f"App of {name}"})
    assert made.status_code == 200, made.text
    return SimpleNamespace(client=client, name=name, id=user_id, project=made.json()["id"],
                           project_name=f"App of {name}")


@pytest.fixture
def rows(quiet):
    """rows("SELECT …", parameters): runs SQL as PostgreSQL's superuser."""
    connection = quiet.connect()
    connection.autocommit = True

    def run(sql, *parameters):
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else None

    yield run
    connection.close()


SHIFTED = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
time_t time(time_t *t)
{
	time_t (*real)(time_t *) = (time_t (*)(time_t *))dlsym(RTLD_NEXT, "time");
	time_t now = real(0) + SHIFT;
	if (t) *t = now;
	return now;
}
"""


@pytest.fixture
def shifted(tmp_path):
    """shifted(seconds): returns an environment in which the clock is off by that much."""

    def make(seconds):
        source, library = tmp_path / "shifted.c", tmp_path / f"shifted{seconds}.so"
        source.write_text(SHIFTED)
        subprocess.run(["cc", "-shared", "-fPIC", f"-DSHIFT=({seconds})", "-o", library, source,
                        "-ldl"], check=True)
        return {**os.environ, "LD_PRELOAD": str(library)}

    return make
