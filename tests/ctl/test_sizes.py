"""Tests fsactl size, and how owners use the available sizes."""

import pytest

LARGE = {"name": "large", "description": "for builds", "cpuRequest": "500m", "cpuLimit": "2",
         "memoryRequest": "1Gi", "memoryLimit": "4Gi", "storageLimit": "8Gi"}
AMOUNTS = ("cpuRequest", "cpuLimit", "memoryRequest", "memoryLimit")


@pytest.fixture
def large(fsactl):
    fsactl("size", "set", "large", "500m:2", "1Gi:4Gi", "8Gi", "--description", LARGE["description"],
           json_=False)
    yield LARGE
    if LARGE["name"] in [size["name"] for size in fsactl("size", "list")]:
        fsactl("size", "remove", "large", json_=False)


def sandbox_of(person, project):
    return person.client.get(f"/api/projects/{project}").json()["sandboxes"][0]


def amounts(thing):
    return {name: thing[name] for name in AMOUNTS}


def test_a_size_is_listed_for_administrators_and_owners(fsactl, person, large):
    assert fsactl("size", "list") == [large]
    assert "500m" in fsactl("size", "list", json_=False)
    assert person.client.get("/api/sizes").json() == {"items": [large]}


def test_without_a_request_it_is_that_of_the_configuration_unless_the_limit_is_less(fsactl, large):
    fsactl("size", "set", "large", "2", "10Mi", json_=False)
    changed, = fsactl("size", "list")
    assert amounts(changed) == {"cpuRequest": "20m", "cpuLimit": "2", "memoryRequest": "10Mi",
                                "memoryLimit": "10Mi"}
    assert (changed["storageLimit"], changed["description"]) == ("1Gi", "")


@pytest.mark.parametrize("words", [
    ("large", "0", "1Gi"), ("large", "-1", "1Gi"), ("large", "much", "1Gi"), ("large", "1", ""),
    ("large", "2:1", "1Gi"), ("large", "1", "2Gi:1Gi"), ("large", "1:", "1Gi"), ("large", ":1", "1Gi"),
    ("large", "1", "1Gi", "none"), ("Large", "1", "1Gi"), ("default", "1", "1Gi"), ("", "1", "1Gi"), ("a" * 33, "1", "1Gi"),
    ("-a", "1", "1Gi"), ("large", "1", "1Gi", "1Gi", "1Gi"), ("large", "1"),
    ("large", "1", "1Gi", "--description", "x" * 201),
])
def test_an_invalid_size_changes_nothing(fsactl, large, words):
    fsactl("size", "set", *words, status=2)
    assert fsactl("size", "list") == [large]


def test_a_size_that_is_not_there_cannot_be_removed(fsactl):
    assert '"small"' in fsactl("size", "remove", "small", status=1).stderr


def test_a_project_is_created_with_a_size(person, large):
    made = person.client.post("/api/projects", {"name": "Big", "size": "large"})
    assert made.status_code == 200, made.text
    sandbox = sandbox_of(person, made.json()["id"])
    assert sandbox["size"] == "large" and amounts(sandbox) == amounts(large)


def test_another_sandbox_has_a_size_of_its_own(person, large):
    path = f"/api/projects/{person.project}/sandboxes"
    made = person.client.post(path, {"size": "large"}).json()
    assert made["size"] == "large" and amounts(made) == amounts(large)
    assert sandbox_of(person, person.project)["size"] is None
    back = person.client.patch(f"{path}/{made['id']}", {"size": None}).json()
    assert back["size"] is None
    assert amounts(back) == amounts(sandbox_of(person, person.project))


def test_changing_or_removing_a_size_changes_no_sandbox(fsactl, person, large):
    path = f"/api/sandbox/{person.project}"
    assert person.client.patch(path, {"size": "large"}).status_code == 200
    fsactl("size", "set", "large", "4", "16Gi", json_=False)
    assert amounts(sandbox_of(person, person.project)) == amounts(large)
    fsactl("size", "remove", "large", json_=False)
    sandbox = sandbox_of(person, person.project)
    assert sandbox["size"] == "large" and amounts(sandbox) == amounts(large)
    assert person.client.get("/api/sizes").json() == {"items": []}


def test_a_size_that_is_not_offered_is_refused_and_nothing_changes(person, rows):
    before = rows("SELECT count(*), max(updated_at), max(generation) FROM resources")
    for method, path in (("post", "/api/projects"), ("post", f"/api/projects/{person.project}/sandboxes"),
                         ("patch", f"/api/sandbox/{person.project}")):
        body = {"name": "New", "size": "huge"} if path == "/api/projects" else {"size": "huge"}
        answer = getattr(person.client, method)(path, body)
        assert (answer.status_code, answer.json()["errorCode"]) == (422, "SIZE_UNKNOWN"), answer.text
    for size in ("", "LARGE", "a/b", 3, ["large"], "x" * 33):
        answer = person.client.patch(f"/api/sandbox/{person.project}", {"size": size})
        assert answer.status_code == 400, size
    assert rows("SELECT count(*), max(updated_at), max(generation) FROM resources") == before


def test_api_fcgi_cannot_choose_amounts(rows, person, large):
    """Its role can choose among the sizes, but only administrators set amounts."""
    rows("SET ROLE fsa_api")
    with pytest.raises(Exception, match="permission denied"):
        rows("UPDATE sandboxes SET memory_limit = '64Gi'")
    with pytest.raises(Exception, match="permission denied"):
        rows("INSERT INTO sizes VALUES ('own', '', '1', '1', '1Gi', '1Gi', '1Gi')")
    with pytest.raises(Exception, match="there is no such size"):
        rows("UPDATE sandboxes SET size = 'own'")


def test_changes_of_sizes_are_in_the_audit(fsactl, person, large):
    person.client.patch(f"/api/sandbox/{person.project}", {"size": "large"})
    fsactl("size", "remove", "large", json_=False)
    actions = [line["action"] for line in fsactl("audit", "--limit", "4")]
    assert actions[:2] == ["admin.size.remove", "sandbox.change"]
    assert fsactl("audit", "--action", "admin.size", "--limit", "1")[0]["objectId"] == "large"
