"""The site as shipped in nginx/, on a free port of 127.0.0.1.

    with Nginx(directory, api=socket, auth=socket) as nginx:
        requests.get(nginx.url + "/healthz")
"""

import os
import signal
from pathlib import Path

from .process import StandError, accepts, free_port, make_directory, own_name, run
from .server import Server

PROGRAM = "/usr/sbin/nginx"
SHIPPED = Path(__file__).resolve().parents[2] / "nginx" / "fullstack-agent"

NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
# nchan makes nginx create this compiled-in folder, whatever is configured; its own directive for it is always refused
# as a duplicate (1.3.6). Only root can create it; usually the start of Debian's service already has.
COMPILED_IN = Path("/var/lib/nginx/body")

_CONFIG = """\
{load_nchan}
{user}
daemon off;
worker_processes {workers};
pid "{directory}/temp/nginx.pid";
error_log "{error_log}" notice;
events {{
	worker_connections {connections};
}}
http {{
	types {{
		text/html html;
		text/css css;
		application/javascript js;
		application/json json;
		image/svg+xml svg;
	}}
	default_type application/octet-stream;
	client_body_temp_path "{directory}/temp/body";
	fastcgi_temp_path "{directory}/temp/fastcgi";
	proxy_temp_path "{directory}/temp/proxy";
	uwsgi_temp_path "{directory}/temp/uwsgi";
	scgi_temp_path "{directory}/temp/scgi";
	include fullstack-agent/http.conf;
	upstream fsa_api {{
		server "unix:{api}";
	}}
	upstream fsa_auth {{
		server "unix:{auth}";
	}}
	{publish}
	server {{
		listen 127.0.0.1:{port} backlog=511{tls};
		server_name _;
		root "{root}";
		access_log "{access_log}" fsa;
		{front}
		include fullstack-agent/site.conf;
		{streams}
	}}
	server {{
		listen 127.0.0.1:{visits_port} backlog=511;
		server_name _;
		access_log "{access_log}" fsa;
		include fullstack-agent/visits.conf;
	}}
	server {{
		listen 127.0.0.1:{metrics_port};
		server_name _;
		include fullstack-agent/metrics.conf;
	}}
}}
"""


# Like events-http.conf, but with another socket.
_PUBLISH = """\
nchan_shared_memory_size 128m;
	variables_hash_max_size 2048;
	server {{
		listen "unix:{events}";
		include fullstack-agent/events-publish.conf;
	}}
"""


# Like the shipped fullstack-agent.conf.
_FRONT = """set_real_ip_from 127.0.0.1;
		real_ip_header X-Forwarded-For;"""


class Nginx(Server):
    """One nginx with a configuration of its own, which includes the shipped files unchanged.

    api, auth  paths of the FastCGI sockets
    port       kept as given; a free one when None
    events     path of the socket where it accepts live updates; None: it accepts none, nor does it
               if nchan is not installed
    root       folder of static files
    tls        (key, certificate): files, for https
    front      a server in front of it names the clients, as for the shipped site on loopback
    frames     origins that may show the site in a frame, as fsa-setup would write them
    sandboxes  URL of the sandboxes' domain, to which the site's page may connect, as fsa-setup would
               write it
    user       the user that all of it runs as: no part needs root. In tests run by root, the workers
               are root too, or they could not reach root's sockets
    """

    def __init__(self, directory, api, auth, events=None, port=None, root=None, user=None,
                 outlive=False, workers=2, connections=1024, tls=None, frames=None, front=False,
                 sandboxes=None):
        super().__init__(directory, "nginx", outlive=outlive)
        self.port = port
        self.metrics_port = None
        self.visits_port = None
        self._sockets = {"api": api, "auth": auth}
        self._events = Path(events) if events and NCHAN.exists() else None
        self._root = root or self.directory / "root"
        self._user = user or own_name()
        self._workers = workers
        self.connections = connections
        self._tls = tls
        self._frames = frames
        self._sandboxes = sandboxes
        self._front = front
        self.access_log = self.directory / "logs" / "access.log"
        self.error_log = self.directory / "logs" / "error.log"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def metrics_url(self):
        return f"http://127.0.0.1:{self.metrics_port}/metrics"

    @property
    def visits_url(self):
        """Where the cluster's ingress would pass on requests for sandboxes that are stopped."""
        return f"http://127.0.0.1:{self.visits_port}"

    def start(self):
        """Tests the configuration and starts nginx; returns when it accepts connections."""
        if self.process().running():
            return
        self.port = self.port or free_port()
        self.metrics_port = self.metrics_port or free_port()
        self.visits_port = self.visits_port or free_port()
        config = self._write_config()
        # -e: otherwise nginx first opens the log path that Debian has compiled in.
        command = [PROGRAM, "-e", self.error_log, "-p", self.directory, "-c", config]
        if self._events:
            self._events.unlink(missing_ok=True)  # A killed nginx leaves its socket, which would prevent listening.
            _make_compiled_in()
        run([*command, "-t", "-q"], "nginx refuses its configuration", self._user)
        self.process().start(command, outlive=self._outlive, user=self._user)
        self.process().wait_ready(lambda: accepts(("127.0.0.1", self.port)))

    def kill(self):
        """Sends SIGKILL to the master, then to its workers."""
        self.process().kill()
        self.process().stop()

    def reload(self):
        """Reads its configuration again, as after a change; returns at once."""
        self.process().signal(signal.SIGHUP)

    def _write_config(self):
        make_directory(self.directory, mode=0o711)
        for name in ("logs", "temp"):
            make_directory(self.directory / name, self._user, 0o750)
        shipped = self.directory / "fullstack-agent"
        shipped.mkdir(exist_ok=True)
        for file in SHIPPED.iterdir():
            (shipped / file.name).write_text(file.read_text())
        if self._frames:
            map_file = shipped / "frame-ancestors.map"
            map_file.write_text(f"on \"'self' {self._frames}\";\n")
        if self._sandboxes:
            map_file = shipped / "sandboxes.map"
            map_file.write_text(f'on " {self._sandboxes} ws{self._sandboxes.removeprefix("http")}";\n')
        key, cert = self._tls or (None, None)
        tls = f' ssl;\n\t\tssl_certificate "{cert}";\n\t\tssl_certificate_key "{key}"' if key else ""
        config = self.directory / "nginx.conf"
        text = _CONFIG.format(
            user="user root;" if self._user == "root" else "",
            workers=self._workers,
            load_nchan=f"load_module {NCHAN};" if self._events else "",
            publish=_PUBLISH.format(events=self._events) if self._events else "",
            streams="include fullstack-agent/events.conf;" if self._events else "",
            connections=self.connections,
            directory=self.directory,
            port=self.port,
            metrics_port=self.metrics_port,
            visits_port=self.visits_port,
            root=self._root,
            tls=tls,
            front=_FRONT if self._front else "",
            access_log=self.access_log,
            error_log=self.error_log,
            **self._sockets,
        )
        config.write_text(text)
        return config


def _make_compiled_in():
    if COMPILED_IN.exists():
        return
    if os.geteuid() != 0:
        raise StandError(f"nginx's module nchan needs {COMPILED_IN}, which only root can make: "
                         "sudo tools/install-packages run")
    make_directory(COMPILED_IN, "www-data", 0o700)
