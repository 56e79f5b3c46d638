"""Other programs that carry files to this machine and from it, to compare sandboxd with: nginx, and OpenSSH's scp."""

import os
import socket
import threading

from stand.process import accepts, free_port, own_name, run
from stand.server import Server

NGINX = "/usr/sbin/nginx"
SSHD = "/usr/sbin/sshd"
PART = 1 << 18

_NGINX = """\
{user}
daemon off;
worker_processes 1;
pid "{directory}/nginx.pid";
error_log stderr;
events {{ }}
http {{
	access_log off;
	sendfile on;
	client_body_temp_path "{directory}/body";
	proxy_temp_path "{directory}/proxy";
	fastcgi_temp_path "{directory}/fastcgi";
	uwsgi_temp_path "{directory}/uwsgi";
	scgi_temp_path "{directory}/scgi";
	server {{
		listen 127.0.0.1:{port};
		client_max_body_size 0;
		location / {{
			root "{directory}/files";
			dav_methods PUT;
		}}
	}}
}}
"""

_SSHD = """\
ListenAddress 127.0.0.1:{port}
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/key.pub
PidFile none
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
Subsystem sftp internal-sftp
"""


class Nginx(Server):
    """nginx with a folder of files, which it serves with sendfile and takes by PUT (its module DAV)."""

    def __init__(self, directory):
        super().__init__(directory, "nginx")
        self.port = free_port()
        self.files = self.directory / "files"

    def start(self):
        self.files.mkdir(parents=True)
        config = self.directory / "nginx.conf"
        user = f"user {own_name()};" if os.geteuid() == 0 else ""
        config.write_text(_NGINX.format(user=user, directory=self.directory, port=self.port))
        self.process().start([NGINX, "-p", self.directory, "-e", "stderr", "-c", config])
        self.process().wait_ready(lambda: accepts(("127.0.0.1", self.port)))

    def upload(self, file):
        curl("--upload-file", file, self._url())

    def download(self, target):
        curl("--output", target, self._url())

    def _url(self):
        return f"http://127.0.0.1:{self.port}/file"


class Scp(Server):
    """OpenSSH's server with a key of its own, and scp as its client, both with their default ciphers."""

    def __init__(self, directory):
        super().__init__(directory, "sshd")
        self.port = free_port()
        self.files = self.directory / "files"

    def start(self):
        self.files.mkdir(parents=True)
        for name in ("host_key", "key"):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.directory / name], "ssh-keygen")
        config = self.directory / "sshd_config"
        config.write_text(_SSHD.format(directory=self.directory, port=self.port))
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # sshd requires it then
        self.process().start([SSHD, "-D", "-e", "-f", config])
        self.process().wait_ready(lambda: accepts(("127.0.0.1", self.port)))

    def upload(self, file):
        self._copy(file, self._remote())

    def download(self, target):
        self._copy(self._remote(), target)

    def _remote(self):
        return f"{own_name()}@127.0.0.1:{self.files}/file"

    def _copy(self, source, target):
        options = {"Port": self.port, "IdentityFile": self.directory / "key", "IdentitiesOnly": "yes",
                   "StrictHostKeyChecking": "no", "UserKnownHostsFile": self.directory / "known_hosts",
                   "BatchMode": "yes"}
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        run(["scp", "-q", "-F", "none", *words, source, target], "scp")


class Sandboxd:
    """sandboxd as another of them: a running server of tests/sandboxd."""

    def __init__(self, server):
        self._server = server
        self.files = server.home

    def upload(self, file):
        """Sends the file as the body of one PATCH, as a client does that has lost no connection."""
        with self._server.client() as client:
            made = client.send("POST", "/v1/uploads", query={"path": "file"}, Upload_Length=str(os.path.getsize(file)))
        self._curl("--upload-file", file, "--request", "PATCH", "--header", "Upload-Offset: 0",
                   self._url(made.headers["Location"]))

    def download(self, target):
        self._curl("--output", target, self._url("/v1/files?path=file"))

    def _curl(self, *words):
        curl("--header", f"Authorization: Bearer {self._server.client().token}", *words)

    def _url(self, path):
        return f"http://127.0.0.1:{self._server.port}{path}"


class Bare:
    """The floor: two ends of a connection, of which one sends a file (sendfile) and the other writes what it receives."""

    def __init__(self, directory):
        self.files = directory
        directory.mkdir()

    def upload(self, file):
        self._carry(file, self.files / "file")

    def download(self, target):
        self._carry(self.files / "file", target)

    def _carry(self, source, target):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            sender = threading.Thread(target=_send, args=(source, listening.getsockname()))
            sender.start()
            with listening.accept()[0] as connection, open(target, "wb", buffering=0) as file:
                while part := connection.recv(PART):
                    file.write(part)
            sender.join()


def _send(source, address):
    with open(source, "rb") as file, socket.create_connection(address) as connection:
        connection.sendfile(file)


def curl(*words):
    """Runs curl, which fails if the status does. No header announces a body, which a server might wait to allow."""
    run(["curl", "-sS", "--fail", "--header", "Expect:", *words], "curl")
