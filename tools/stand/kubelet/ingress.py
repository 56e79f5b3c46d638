"""The ingress controller: nginx, whose configuration is generated from the Ingress objects.

It listens on the machine's loopback and connects to pods. The socket is opened outside the node's network
and passed to an nginx inside it, in the way in which nginx passes its sockets to a newer nginx.
"""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

from .network import backends
from ..process import make_directory

PROGRAM = "/usr/sbin/nginx"
USER = "www-data"
PREFIX = "nginx.ingress.kubernetes.io/"
# annotation → (pattern of valid values, nginx's directives)
DIRECTIVES = {
    "proxy-body-size": (r"\d+[kmg]?", ("client_max_body_size {};",)),
    "proxy-read-timeout": (r"\d+", ("proxy_read_timeout {};",)),
    "proxy-send-timeout": (r"\d+", ("proxy_send_timeout {};",)),
}
HEAD = """\
daemon off;
worker_processes 1;
pid "{own}/nginx.pid";
error_log "{own}/error.log" error;
events {{ worker_connections 1024; }}
http {{
	access_log off;
	server_tokens off;
	server_names_hash_bucket_size 128;
	client_body_temp_path "{own}/body";
	proxy_temp_path "{own}/proxy";
	fastcgi_temp_path "{own}/fastcgi";
	uwsgi_temp_path "{own}/uwsgi";
	scgi_temp_path "{own}/scgi";
	map $http_upgrade $connection_header {{ default upgrade; "" ""; }}
	default_type text/plain;
	server {{
		listen 127.0.0.1:{port} default_server;
		return 404 "There is no sandbox of this name here, or it is stopped.\\n";
	}}
{servers}}}
"""
SERVER = """\
	server {{
		listen 127.0.0.1:{port};
		server_name {host};
		location / {{
			proxy_pass http://{address}:{to};
			proxy_http_version 1.1;
			proxy_buffering off;
			proxy_set_header Host $http_host;
			proxy_set_header X-Forwarded-For $remote_addr;
			proxy_set_header X-Forwarded-Host $http_host;
			proxy_set_header X-Forwarded-Proto http;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $connection_header;
			{more}
		}}
	}}
"""


class Ingress:
    """One nginx on a loopback port."""

    def __init__(self, directory, port, network):
        self._directory, self._port, self._network = Path(directory), port, network
        self._process = None
        self._config = None

    def start(self):
        make_directory(self._directory)
        make_directory(self._own, USER)
        self._write(self._text([]))
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", self._port))
            listening.listen(511)
            number = listening.fileno()
            self._process = subprocess.Popen(
                ["nsenter", f"--net={self._network.node}", "setpriv", "--reuid", USER, "--regid", USER,
                 "--clear-groups", PROGRAM, "-e", self._own / "error.log", "-c", self._file],
                env={**os.environ, "NGINX": f"{number};"}, pass_fds=(number,), stdin=subprocess.DEVNULL)

    def stop(self):
        self._process.terminate()
        self._process.wait()

    def serve(self, desired, pods):
        """Updates the configuration to the current Ingresses and the addresses of their pods."""
        services = {(s["metadata"]["namespace"], s["metadata"]["name"]): s for s in desired["services"]}
        servers = [server for ingress in desired["ingresses"]
                   for server in self._servers(ingress, services, list(pods))]
        text = self._text(sorted(servers))
        if text != self._config:
            self._write(text)
            self._process.send_signal(signal.SIGHUP)

    @property
    def _file(self):
        """The configuration: root's, in a folder where USER cannot replace it."""
        return self._directory / "nginx.conf"

    @property
    def _own(self):
        """The folder of nginx's own files, which belongs to USER."""
        return self._directory / "own"

    def _servers(self, ingress, services, pods):
        namespace = ingress["metadata"]["namespace"]
        for rule in ingress["spec"].get("rules", []):
            backend = rule["http"]["paths"][0]["backend"]["service"]
            service = services.get((namespace, backend["name"]))
            found = backends(service, pods) if service else []
            if found and re.fullmatch(r"[a-z0-9.-]+", rule.get("host", "")):
                yield SERVER.format(port=self._port, host=rule["host"], address=found[0].address,
                                    to=_target(service, backend["port"]), more=_more(ingress))

    def _text(self, servers):
        return HEAD.format(own=self._own, port=self._port, servers="".join(servers))

    def _write(self, text):
        self._file.write_text(text)
        self._config = text


def _target(service, port):
    """Returns the pod's port for a port of the Service."""
    for entry in service["spec"]["ports"]:
        if port in ({"number": entry["port"]}, {"name": entry.get("name")}):
            return int(entry.get("targetPort", entry["port"]))
    return 0


def _more(ingress):
    annotations = ingress["metadata"].get("annotations", {})
    lines = [line.format(annotations[PREFIX + name]) for name, (pattern, directives) in DIRECTIVES.items()
             if re.fullmatch(pattern, annotations.get(PREFIX + name, "")) for line in directives]
    return "\n\t\t\t".join(lines)
