"""fsactl image, and what owners can do with the images there are."""

import subprocess

import pytest

from stand.site import Site

TOOLS = "registry.example.com/tools:1"
PYTHON = {"name": "python", "description": "with pip", "reference": "registry.example.com/python:3.13",
          "complete": False, "runAs": 1000}


@pytest.fixture(scope="module")
def site(workspace, build, postgres):
    with Site(workspace / "images", build, postgres, database="images", options={"tools_image": TOOLS}) as made:
        yield made


@pytest.fixture
def python(fsactl):
    fsactl("image", "set", "python", PYTHON["reference"], "--description", PYTHON["description"], json_=False)
    yield PYTHON
    for image in fsactl("image", "list"):
        fsactl("image", "remove", image["name"], json_=False)


@pytest.fixture
def allowed(fsactl):
    fsactl("image", "allow", "ghcr.io/acme/*", json_=False)
    yield
    if fsactl("image", "list"):
        fsactl("image", "disallow", "ghcr.io/acme/*", json_=False)


def sandbox_of(person, project):
    return person.client.get(f"/api/projects/{project}").json()["sandboxes"][0]


def test_an_image_is_listed_for_administrators_and_owners(fsactl, person, python):
    assert fsactl("image", "list") == [python]
    assert "3.13" in fsactl("image", "list", json_=False)
    assert person.client.get("/api/images").json() == {"items": [python], "patterns": []}


def test_an_image_may_have_all_already_and_name_its_user(fsactl, python):
    fsactl("image", "set", "python", "own:1", "--complete", "--run-as", "image", json_=False)
    changed, = fsactl("image", "list")
    assert (changed["reference"], changed["complete"], changed["runAs"]) == ("own:1", True, None)


@pytest.mark.parametrize("words", [
    ("python", ""), ("python", "a/UPPER"), ("python", "a b"), ("python", "a:b:c"), ("python", "../a"),
    ("python", "a" * 600), ("Python", "a:1"), ("default", "a:1"), ("", "a:1"), ("a" * 33, "a:1"), ("python",),
    ("python", "a:1", "--run-as", "0"), ("python", "a:1", "--run-as", "root"), ("python", "a:1", "--run-as", "-1"),
    ("python", "a:1", "--run-as", "4294967296"), ("python", "a:1", "--description", "x" * 201),
])
def test_what_is_no_image_changes_nothing(fsactl, python, words):
    fsactl("image", "set", *words, status=2)
    assert fsactl("image", "list") == [python]


def test_an_image_that_is_not_there_cannot_be_removed(fsactl):
    assert '"ruby"' in fsactl("image", "remove", "ruby", status=1).stderr


def test_a_project_is_created_with_an_image(person, python, rows):
    made = person.client.post("/api/projects", {"name": "Snake", "image": "python"})
    assert made.status_code == 200, made.text
    sandbox = sandbox_of(person, made.json()["id"])
    assert (sandbox["image"], sandbox["runtimeImage"]) == ("python", PYTHON["reference"])
    assert rows(f"SELECT tools_image, run_as FROM sandboxes WHERE resource_id = '{sandbox['id']}'") == [(TOOLS, 1000)]


def test_a_sandbox_gets_another_image_and_the_default_again(person, python):
    path = f"/api/sandbox/{person.project}"
    before = person.client.get(path).json()["runtimeImage"]
    assert person.client.patch(path, {"image": "python"}).json()["runtimeImage"] == PYTHON["reference"]
    assert person.client.patch(path, {}).json()["image"] == "python"
    back = person.client.patch(path, {"image": None}).json()
    assert (back["image"], back["runtimeImage"]) == (None, before)


def test_an_image_that_changes_or_goes_changes_no_sandbox(fsactl, person, python):
    made = person.client.post(f"/api/projects/{person.project}/sandboxes", {"image": "python"}).json()
    fsactl("image", "set", "python", "registry.example.com/python:4", json_=False)
    fsactl("image", "remove", "python", json_=False)
    path = f"/api/projects/{person.project}/sandboxes/{made['id']}"
    assert person.client.get(path).json()["runtimeImage"] == PYTHON["reference"]
    assert person.client.get("/api/images").json() == {"items": [], "patterns": []}


def test_an_image_that_is_not_offered_is_refused_and_nothing_changes(person, rows):
    before = rows("SELECT count(*), max(updated_at), max(generation) FROM resources")
    for method, path in (("post", "/api/projects"), ("post", f"/api/projects/{person.project}/sandboxes"),
                         ("patch", f"/api/sandbox/{person.project}")):
        body = {"name": "New", "image": "ruby"} if path == "/api/projects" else {"image": "ruby"}
        answer = getattr(person.client, method)(path, body)
        assert (answer.status_code, answer.json()["errorCode"]) == (422, "IMAGE_UNKNOWN"), answer.text
    for image in ("", "a b", "ruby\n", "-ruby", "../ruby", "ruby'--", 3, ["ruby"], "x" * 513):
        assert person.client.patch(f"/api/sandbox/{person.project}", {"image": image}).status_code == 400, image
    assert rows("SELECT count(*), max(updated_at), max(generation) FROM resources") == before


def test_what_a_pattern_allows_is_chosen_by_its_reference(fsactl, person, allowed, rows):
    path = f"/api/sandbox/{person.project}"
    assert person.client.get("/api/images").json() == {"items": [], "patterns": [{"pattern": "ghcr.io/acme/*"}]}
    for reference in ("ghcr.io/acme/build", "ghcr.io/acme/a/b-c:1.2", "ghcr.io/acme/build@sha256:" + "0" * 64):
        chosen = person.client.patch(path, {"image": reference})
        assert chosen.status_code == 200, chosen.text
        assert (chosen.json()["image"], chosen.json()["runtimeImage"]) == (reference, reference)
    assert rows("SELECT DISTINCT tools_image, run_as FROM sandboxes WHERE image = %s", reference) == [(TOOLS, 1000)]
    fsactl("image", "disallow", "ghcr.io/acme/*", json_=False)
    assert person.client.get(path).json()["runtimeImage"] == reference  # what was chosen stays
    assert person.client.patch(path, {"image": reference}).json()["errorCode"] == "IMAGE_UNKNOWN"


@pytest.mark.parametrize("reference", [
    "ghcr.io/acme", "ghcr.io/acme/", "ghcr.io/acmes/build", "ghcr.io/acme/../evil/build", "ghcr.io/acme/build:",
    "ghcr.io/acme/build:a:b", "ghcr.io/acme//build", "ghcr.io/acme/UPPER", "evil.io/ghcr.io/acme/build",
    "ghcr.io:443/acme/build", "ghcr.io/acme/build@sha256:0"])
def test_what_only_looks_allowed_is_refused(person, allowed, reference):
    answer = person.client.patch(f"/api/sandbox/{person.project}", {"image": reference})
    assert (answer.status_code, answer.json()["errorCode"]) == (422, "IMAGE_UNKNOWN"), answer.text


@pytest.mark.parametrize("pattern", ["*", "", "ghcr.io", "ghcr*", "ghcr.io/*/a", "/*", "a b/*", "%/*", "a" * 300 + "/*"])
def test_what_is_no_pattern_allows_nothing(fsactl, pattern):
    fsactl("image", "allow", pattern, status=2)
    assert fsactl("image", "list") == []


def test_a_pattern_that_is_not_there_cannot_be_removed(fsactl):
    assert '"ghcr.io/*"' in fsactl("image", "disallow", "ghcr.io/*", status=1).stderr


def test_of_size_and_image_both_are_changed_or_none(person, python, rows):
    path = f"/api/sandbox/{person.project}"
    answer = person.client.patch(path, {"image": "python", "size": "huge"})
    assert answer.json()["errorCode"] == "SIZE_UNKNOWN"
    assert person.client.get(path).json()["image"] is None


@pytest.mark.parametrize("statement, refusal", [
    ("UPDATE sandboxes SET image = 'evil'", "permission denied"),
    ("UPDATE sandboxes SET tools_image = 'evil'", "permission denied"),
    ("UPDATE sandboxes SET run_as = 1", "permission denied"),
    ("INSERT INTO image_patterns VALUES ('evil.io/*')", "permission denied"),
    ("INSERT INTO images VALUES ('own', '', 'evil', true, 1)", "permission denied"),
    ("UPDATE sandboxes SET chosen_image = 'own'", "there is no such image"),
])
def test_whoever_takes_api_fcgi_over_gets_no_image_of_their_own(rows, person, statement, refusal):
    rows("SET ROLE fsa_api")
    with pytest.raises(Exception, match=refusal):
        rows(statement)


def test_what_is_done_with_images_is_in_the_audit(fsactl, person, python):
    person.client.patch(f"/api/sandbox/{person.project}", {"image": "python"})
    fsactl("image", "remove", "python", json_=False)
    actions = [line["action"] for line in fsactl("audit", "--limit", "4")]
    assert actions[:2] == ["admin.image.remove", "sandbox.change"]


def test_without_tools_only_images_that_have_all_can_be_offered(make_site):
    programs = make_site().programs
    command = [programs.program("fsactl"), "--config", programs.config(), "image", "set", "python", "python:3"]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 2 and "tools_image" in refused.stderr
    programs.fsactl("image", "set", "python", "python:3", "--complete")
