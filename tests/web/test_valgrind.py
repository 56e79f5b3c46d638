"""One scenario over both programs, workers included, under valgrind."""

import re
import shutil

import pytest

PASSWORD = "correct horse battery"
VALGRIND = ("valgrind", "--quiet", "--trace-children=yes", "--leak-check=full",
            "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect",
            "--error-exitcode=99")


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_valgrind_finds_nothing(build, make_site, make_kubeconfig):
    if b"__asan_init" in (build / "api.fcgi").read_bytes():
        pytest.skip("this build has AddressSanitizer instead")
    site = make_site(workers=2)
    site.programs.stop("fsa-reconcile", "api.fcgi", "auth.fcgi")
    site.programs._wrap = VALGRIND
    site.programs.start("api.fcgi", "auth.fcgi")
    client = site.client()
    client.timeout = 300
    assert client.register("ada", PASSWORD).ok
    assert client.put("/api/user/config/kc", {"kubeconfig": make_kubeconfig()}).ok
    assert client.put("/api/user/config/kc", {"kubeconfig": "{["}).status_code == 400
    key = {"Idempotency-Key": "k"}
    made = [client.post("/api/projects", {"name": "My App"}, headers=key).json()
            for _ in range(2)]
    assert made[0] == made[1]
    path = f"/api/projects/{made[0]['id']}"
    variables = {"variables": [{"key": "A", "value": "b", "isSecret": True}]}
    assert client.post(f"{path}/environment", variables).ok
    for url in ("/readyz", "/api/projects", "/api/projects?limit=1", path, f"{path}/events",
                f"{path}/environment", f"/api/sandbox/{made[0]['id']}", "/api/auth/session"):
        assert client.get(url).ok, url
    for verb in ("stop", "start", "restart", "delete"):
        assert client.post(f"{path}/{verb}").ok
    for body in ("{", '{"name":1}', '{"nam":1}'):
        answer = client.session.post(site.url + "/api/projects", data=body, timeout=300,
                                     headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
    token = client.post("/api/user/tokens", {"name": "CI"}).json()
    bearer = {"Authorization": "Bearer " + token["token"]}
    assert site.client().get("/api/projects", headers=bearer).ok
    assert site.client().post("/api/projects", {"name": "x"}, headers=bearer).status_code == 403
    assert client.delete(f"/api/user/tokens/{token['id']}").ok
    for url in ("/api/auth/sessions", "/api/user/tokens", "/api/user/audit?limit=3"):
        assert client.get(url).ok, url
    for _ in range(8):
        assert client.login("ada", "wrong password").status_code in (401, 429)
    change = {"password": PASSWORD, "newPassword": "another " + PASSWORD}
    assert client.put("/api/auth/password", change).status_code == 429
    with site.connect() as db, db.cursor() as cursor:
        cursor.execute("TRUNCATE login_throttle")
    assert client.put("/api/auth/password", change).ok
    assert client.delete("/api/auth/sessions?others=true").ok
    assert client.post("/api/auth/logout").ok
    site.programs.stop("api.fcgi", "auth.fcgi")
    for name in ("api.fcgi", "auth.fcgi"):
        found = re.findall(r"^==\d+==.*$", site.programs.log(name).read_text(), re.MULTILINE)
        assert not found, "\n".join(found[:40])
