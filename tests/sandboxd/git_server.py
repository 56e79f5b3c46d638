"""A git server on loopback: git's own http-backend behind a small HTTP server, and repositories for it."""

import base64
import http.server
import os
import subprocess
import threading
from http import HTTPStatus

from stand.process import PATIENCE

AUTHOR = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
          for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))}


def git(directory, *arguments, **options):
    """Runs git in a repository; returns what it prints."""
    done = subprocess.run(["git", "-C", directory, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                          env={**os.environ, **AUTHOR, "GIT_CONFIG_GLOBAL": "/dev/null"}, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class GitServer:
    """Serves the repositories below a directory; those below private/ take the user ada with `password`.

    gate     cleared, nothing of a repository's content is sent
    arrived  set once a client waits for that
    """

    password = "correct horse"

    def __init__(self, root, listening=None):
        self.root = root
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Event()
        server = self

        class Handler(_Handler):
            site = server

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=listening is None)
        if listening is not None:
            self._http.socket.close()
            self._http.socket = listening
            listening.listen()
            self._http.server_address = listening.getsockname()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.gate.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def make(self, name, files, branch="main"):
        """Makes a repository with one commit of these files; returns its path."""
        repository = self.root / f"{name}.git"
        repository.mkdir(parents=True)
        git(repository, "init", "--quiet", "--bare", f"--initial-branch={branch}")
        self.commit(repository, files, branch)
        return repository

    def commit(self, repository, files, branch):
        """Commits these files, and no others, to a branch."""
        self.commit_tree(repository, self._tree(repository, files), branch)

    def _tree(self, repository, files):
        lines, folders = "", {}
        for path, content in files.items():
            folder, _, rest = path.partition("/")
            if rest:
                folders.setdefault(folder, {})[rest] = content
                continue
            blob = subprocess.run(["git", "-C", repository, "hash-object", "-w", "--stdin"], input=content,
                                  capture_output=True, check=True).stdout.decode().strip()
            lines += f"100644 blob {blob}\t{path}\n"
        for folder, below in folders.items():
            lines += f"040000 tree {git(repository, 'mktree', input=self._tree(repository, below))}\t{folder}\n"
        return lines

    @staticmethod
    def commit_tree(repository, lines, branch="main"):
        """The same of the lines of a tree, which may have entries that git itself would not add."""
        tree = git(repository, "mktree", "--missing", input=lines)
        commit = git(repository, "commit-tree", "-m", "a commit", tree)
        git(repository, "update-ref", f"refs/heads/{branch}", commit)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site = None

    def do_GET(self):
        self._serve()

    def do_POST(self):
        self._serve()

    def log_message(self, *_):
        pass

    def _serve(self):
        path, _, query = self.path.partition("?")
        body = self._body()
        if path.startswith("/private/") and not self._is_authorized():
            self._refuse()
            return
        if path.endswith("/git-upload-pack"):
            self.site.arrived.set()
            assert self.site.gate.wait(PATIENCE)
        environment = {**os.environ, "GIT_PROJECT_ROOT": str(self.site.root), "GIT_HTTP_EXPORT_ALL": "1",
                       "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                       "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
                       "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                       "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "REMOTE_USER": "ada"}
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self._end(content)

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _is_authorized(self):
        expected = base64.b64encode(f"ada:{self.site.password}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def _refuse(self):
        self.send_response(HTTPStatus.UNAUTHORIZED)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self._end(b"")

    def _end(self, content):
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
