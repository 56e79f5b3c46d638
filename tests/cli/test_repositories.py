"""fsa and the repository that a project begins with."""

import json

URL = "https://git.example.org/team/blog.git"


def test_a_project_is_created_with_a_repository(ada):
    made = ada.json("create", "blog", "--repository", URL, "--branch", "main", "--folder", "site")
    variables = [v for group in ada.client.get(f"/api/projects/{made['id']}/environment").json().values() for v in group]
    assert {v["key"]: v["value"] for v in variables} == {
        "FSA_REPOSITORY_URL": URL, "FSA_REPOSITORY_BRANCH": "main", "FSA_REPOSITORY_FOLDER": "site"}
    ada("delete", "blog", "--yes", "--permanent", "--wait")


def test_a_branch_takes_a_repository(ada):
    assert "--repository" in ada("create", "blog", "--branch", "main", status=2).stderr
    assert "repository: " in ada("create", "blog", "--repository", "https://ada:secret@example.org/x", status=1).stderr


def test_the_status_has_what_the_sandbox_says_of_its_import(fsa, inside, ada):
    assert b"import" not in fsa("status", "shop").stdout
    fsa("env", "set", "shop", f"FSA_REPOSITORY_URL={URL}", "--yes")
    ada("start", "shop", "--wait")
    states = inside.home / ".local/state/fullstack-agent"
    states.mkdir(parents=True)
    (states / "import").write_text(f"failed\nthere is no such branch\n{URL}\nmain\nblog\n")
    shown = fsa("status", "shop").stdout.decode()
    assert "there is no such branch" in shown and URL in shown
    assert json.loads(fsa("status", "shop", "--json").stdout)["import"]["status"] == "failed"
    fsa("logs", "shop", "import", status=4)  # nothing has printed it
    fsa("env", "unset", "shop", "FSA_REPOSITORY_URL", "--yes")
    ada("start", "shop", "--wait")
    assert "import" not in json.loads(fsa("status", "shop", "--json").stdout)
