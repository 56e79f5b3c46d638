"""A database on a cluster without KubeBlocks, as a real PostgreSQL on the node: its sandbox uses it, what is in it
survives a stop, and pods of others do not reach it."""

import time

import pytest

from conftest import LAID_OUT

from stand.containers import Containers
from stand.kubesim import KubeSim
from stand.process import PATIENCE, free_port
from stand.site import Site

POSTGRES = "example.com/postgresql:15"  # in place of the official image, whose variables it takes


@pytest.fixture
def bare(node, workspace, kubesim_build):
    """(kubesim, node) without KubeBlocks. The images are those of the other node."""
    with KubeSim(workspace / "bare", kubesim_build, args=["--kubelet=yes", "--kubeblocks=none"]) as kubesim:
        containers = Containers(workspace / "bare-node", kubesim, free_port(), images=LAID_OUT)
        containers.start()
        yield kubesim, containers
        containers.stop()


@pytest.fixture
def site(bare, workspace, build, postgres):
    _, containers = bare
    with Site(workspace / "bare-site", build, postgres, database="bare", every="100ms",
              options={**containers.options, "postgres_image": POSTGRES}) as site:
        yield site


class Shop:
    """Somebody's project with a database."""

    def __init__(self, bare, site, name):
        self._kubesim, self._containers = bare
        self._client = site.client()
        assert self._client.register(name, "correct horse battery").ok
        assert self._client.put("/api/user/config/kc", {"kubeconfig": self._kubesim.create_user(name)}).ok
        self._path = "/api/projects/" + self._client.post("/api/projects", {"name": "shop", "database": True}).json()["id"]
        self.wait("RUNNING")

    def wait(self, status):
        until(lambda: self._client.get(self._path).json(), lambda project: project["status"] == status)

    def ask(self, verb, status):
        assert self._client.post(f"{self._path}/{verb}").ok
        self.wait(status)

    def run(self, script):
        """What a script prints in the sandbox."""
        sandbox = self._client.get(f"/api/sandbox/{self._path.rsplit('/', 1)[1]}").json()
        pod = self._kubesim.admin.get(f"/api/v1/namespaces/{sandbox['k8sNamespace']}/pods/{sandbox['sandboxName']}-0")
        return self._containers.run_in(pod["metadata"]["uid"], ["bash", "-lc", script]).strip()

    def sql(self, statement):
        return self.run(f'psql "$DATABASE_URL" -qAtc "{statement}"')

    def end(self):
        assert self._client.delete(self._path).ok
        until(lambda: self._client.get(self._path).status_code, lambda status: status == 404)


def until(read, check):
    end = time.monotonic() + PATIENCE
    while not check(value := read()):
        assert time.monotonic() < end, value
        time.sleep(0.1)
    return value


def test_a_database_without_kubeblocks_keeps_its_rows_and_its_distance(bare, site):
    shop, other = Shop(bare, site, "ines"), Shop(bare, site, "igor")
    shop.sql("CREATE TABLE visits AS SELECT 42 AS number")

    address = shop.run("getent hosts $(cut -d@ -f2 <<<$DATABASE_URL | cut -d: -f1) | cut -d' ' -f1")
    reach = f"timeout 3 bash -c 'echo >/dev/tcp/{address}/5432' 2>/dev/null && echo yes || echo no"
    assert (shop.run(reach), other.run(reach)) == ("yes", "no")

    shop.ask("stop", "STOPPED")
    shop.ask("start", "RUNNING")
    assert shop.sql("SELECT number FROM visits") == "42"
    for one in (shop, other):
        one.end()
