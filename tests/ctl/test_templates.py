"""fsactl template, and projects that begin with one."""

import pytest

RAILS = {"name": "rails", "description": "Rails and Vite", "image": "ruby", "size": "large", "ports": [5173, 8000],
         "variables": {"RAILS_ENV": "development", "FSA_STARTER": "yes"}}
FILE = "# of all projects\nRAILS_ENV=development\n\nFSA_STARTER=yes\n"


@pytest.fixture
def rails(fsactl, tmp_path):
    (tmp_path / "rails.env").write_text(FILE)
    fsactl("image", "set", "ruby", "registry.example.com/ruby:3", "--complete", json_=False)
    fsactl("size", "set", "large", "500m", "1Gi", json_=False)
    fsactl("template", "set", "rails", "--image", "ruby", "--size", "large", "--ports", "5173,8000", "--variables",
           tmp_path / "rails.env", "--description", RAILS["description"], json_=False)
    yield RAILS
    for kind in ("template", "image", "size"):
        for row in fsactl(kind, "list"):
            fsactl(kind, "remove", row["name"], json_=False)


def create(person, **fields):
    answer = person.client.post("/api/projects", {"name": "Shop", "database": False, **fields})
    assert answer.ok, answer.text
    project = person.client.get(f"/api/projects/{answer.json()['id']}").json()
    return project, project["sandboxes"][0]


def variables(project):
    return {variable["key"]: variable["value"] for variable in project["environments"]}


def test_a_template_is_listed_for_administrators_and_owners(fsactl, person, rails):
    assert fsactl("template", "list") == [rails]
    assert "Rails and Vite" in fsactl("template", "list", json_=False)
    assert person.client.get("/api/templates").json() == {"items": [rails]}


def test_a_project_begins_with_all_that_its_template_says(person, rails):
    project, sandbox = create(person, template="rails")
    assert (sandbox["image"], sandbox["runtimeImage"], sandbox["size"], sandbox["memoryLimit"]) == (
        "ruby", "registry.example.com/ruby:3", "large", "1Gi")
    assert [(port["port"], port["access"]) for port in sandbox["ports"]] == [(5173, "token"), (8000, "token")]
    assert variables(project) == rails["variables"]


def test_what_the_request_says_prevails(person, rails):
    project, sandbox = create(person, template="rails", size=None, image=None,
                              repository={"url": "https://git.example.org/shop.git"})
    assert (sandbox["image"], sandbox["size"]) == (None, None)
    assert variables(project) == {**rails["variables"], "FSA_REPOSITORY_URL": "https://git.example.org/shop.git"}


def test_a_template_that_is_changed_or_removed_changes_no_project(fsactl, person, rails):
    before = create(person, template="rails")
    fsactl("template", "set", "rails", json_=False)
    assert fsactl("template", "list") == [{"name": "rails", "description": "", "image": None, "size": None, "ports": [],
                                           "variables": {}}]
    fsactl("template", "remove", "rails", json_=False)
    assert "no template" in fsactl("template", "remove", "rails", status=1).stderr
    now = person.client.get(f"/api/projects/{before[0]['id']}").json()
    assert variables(now) == rails["variables"]
    for template in ("rails", "none"):
        refused = person.client.post("/api/projects", {"name": "Other", "template": template})
        assert (refused.status_code, refused.json()["errorCode"]) == (422, "TEMPLATE_UNKNOWN")
    for template in ("", "Rails", "a b", "x" * 33, 1, None):
        assert person.client.post("/api/projects", {"name": "Other", "template": template}).status_code == 400, template


@pytest.mark.parametrize("words", [
    ("Rails",), ("",), ("a" * 33,), ("rails", "--ports", "0"), ("rails", "--ports", "65536"), ("rails", "--ports", "3000"),
    ("rails", "--ports", "5173,,8000"), ("rails", "--ports", "x"), ("rails", "--ports", ",".join(map(str, range(1, 10)))),
    ("rails", "--description", "x" * 201), ("rails", "other"),
])
def test_what_is_no_template_changes_nothing(fsactl, rails, words):
    fsactl("template", "set", *words, status=2)
    assert fsactl("template", "list") == [rails]


def test_image_size_and_file_of_a_template_must_be_there(fsactl, rails, tmp_path):
    fsactl("template", "set", "rails", "--image", "none", status=1)
    fsactl("template", "set", "rails", "--size", "none", status=1)
    fsactl("template", "set", "rails", "--variables", tmp_path / "none.env", status=1)
    for content in ("PATH=/evil\n", f"A={'x' * 40_000}\n", "".join(f"A{n}=x\n" for n in range(257))):
        (tmp_path / "bad.env").write_text(content)
        fsactl("template", "set", "rails", "--variables", tmp_path / "bad.env", status=1)
    assert fsactl("template", "list") == [rails]


def test_a_project_with_an_image_that_is_gone_is_not_created(fsactl, person, rails):
    fsactl("image", "remove", "ruby", json_=False)
    refused = person.client.post("/api/projects", {"name": "Lost", "template": "rails"})
    assert (refused.status_code, refused.json()["errorCode"]) == (422, "IMAGE_UNKNOWN")
    assert "Lost" not in [project["name"] for project in person.client.get("/api/projects").json()]
