"""A repository that becomes an app in the sandbox's image, with its own git, npm and node."""

import json
import socket

from test_image import eventually, get  # its path leads to server
from git_server import GitServer  # noqa: E402
from server import make_token  # noqa: E402

from conftest import TOKEN

PORT = 8418
PACKAGE = {"name": "shop", "version": "1.0.0", "dependencies": {"greet": "file:greet"},
           "scripts": {"start": "node server.js"}}
SERVER = b"""require('http').createServer((request, answer) => answer.end(require('greet'))).listen(process.env.PORT)
"""
GREET = {"name": "greet", "version": "1.0.0"}
LOCK = {**PACKAGE, "lockfileVersion": 3, "requires": True, "packages": {
    "": PACKAGE, "greet": {"version": "1.0.0"}, "node_modules/greet": {"resolved": "greet", "link": True}}}
FILES = {"package.json": json.dumps(PACKAGE).encode(), "package-lock.json": json.dumps(LOCK).encode(),
         "server.js": SERVER, "greet/package.json": json.dumps(GREET).encode(),
         "greet/index.js": b"module.exports = 'greetings'\n"}


def read(sandbox):
    status, _, body = get(sandbox, "/v1/import", Authorization=f"Bearer {make_token('usage', secret=TOKEN)}")
    assert status == 200, body
    return json.loads(body)


def test_a_project_begins_with_its_repository_its_packages_and_its_app(start, workspace):
    sandbox = start(FSA_REPOSITORY_URL=f"http://127.0.0.1:{PORT}/shop.git").wait_ready()
    with sandbox.network():
        listening = socket.create_server(("127.0.0.1", PORT))
    repositories = GitServer(workspace / "repositories", listening)
    repositories.make("shop", FILES)  # before anybody is answered
    with repositories:
        eventually(lambda: read(sandbox)["status"] in ("done", "failed"))
    assert read(sandbox)["status"] == "done", read(sandbox)
    eventually(lambda: get(sandbox, "/", port=3000)[2] == "greetings")
