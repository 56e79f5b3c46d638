"""nginx as an ingress controller sets it up for a sandbox: it refuses requests that are larger than the Ingress says."""

import os
import re
from pathlib import Path

from stand.process import accepts, free_port, own_name
from stand.server import Server

MANIFEST = Path(__file__).resolve().parents[2] / "src" / "manifest" / "sandbox.c"

_CONFIG = """\
{user}
daemon off;
pid "{directory}/nginx.pid";
error_log stderr;
events {{ }}
http {{
	access_log off;
	client_max_body_size {limit};
	client_body_temp_path "{directory}/body";
	proxy_temp_path "{directory}/proxy";
	fastcgi_temp_path "{directory}/fastcgi";
	uwsgi_temp_path "{directory}/uwsgi";
	scgi_temp_path "{directory}/scgi";
	server {{
		listen 127.0.0.1:{port};
		location / {{
			proxy_pass http://127.0.0.1:{sandbox};
		}}
	}}
}}
"""


class Ingress(Server):
    """sandbox is the port of sandboxd."""

    def __init__(self, directory, sandbox):
        super().__init__(directory, "nginx")
        self.port, self._sandbox = free_port(), sandbox

    def start(self):
        self.directory.mkdir(parents=True)
        config = self.directory / "nginx.conf"
        limit = re.search(r'"proxy-body-size", TEXT\("(\w+)"\)', MANIFEST.read_text())[1]
        user = f"user {own_name()};" if os.geteuid() == 0 else ""
        config.write_text(_CONFIG.format(user=user, directory=self.directory, limit=limit, port=self.port,
                                         sandbox=self._sandbox))
        self.process().start(["/usr/sbin/nginx", "-p", self.directory, "-e", "stderr", "-c", config])
        self.process().wait_ready(lambda: accepts(("127.0.0.1", self.port)))
