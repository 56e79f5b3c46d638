"""The import of a repository in the sandbox's image, with its own git and npm."""

import json
import socket

from test_image import eventually, get  # its path leads to server
from git_server import GitServer  # noqa: E402
from server import make_token  # noqa: E402

from conftest import TOKEN

PORT = 8418
PACKAGE = {"name": "shop", "version": "1.0.0", "dependencies": {"greet": "file:greet"}}
GREET = {"name": "greet", "version": "1.0.0"}
LOCK = {**PACKAGE, "lockfileVersion": 3, "requires": True, "packages": {
    "": PACKAGE, "greet": {"version": "1.0.0"}, "node_modules/greet": {"resolved": "greet", "link": True}}}
FILES = {"package.json": json.dumps(PACKAGE).encode(), "package-lock.json": json.dumps(LOCK).encode(),
         "greet/package.json": json.dumps(GREET).encode(), "greet/index.js": b"module.exports = 'greetings'\n"}


def read(sandbox):
    status, _, body = get(sandbox, "/v1/import", Authorization=f"Bearer {make_token('usage', secret=TOKEN)}")
    assert status == 200, body
    return json.loads(body)


def test_a_project_begins_with_its_repository_and_its_packages(start, workspace):
    sandbox = start(FSA_REPOSITORY_URL=f"http://127.0.0.1:{PORT}/shop.git").wait_ready()
    with sandbox.network():
        listening = socket.create_server(("127.0.0.1", PORT))
    with GitServer(workspace / "repositories", listening) as repositories:
        repositories.make("shop", FILES)
        eventually(lambda: read(sandbox)["status"] in ("done", "failed"))
    assert read(sandbox)["status"] == "done", read(sandbox)
    done = sandbox.run("node", "-e", "console.log(require('/home/agent/shop/node_modules/greet'))")
    assert done.stdout == "greetings\n", done.stderr
